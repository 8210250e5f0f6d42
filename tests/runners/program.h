// Runs the built program as a user does, in a folder that is gone afterwards.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace innerloop {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "innerloop_test_XXXXXX").string();
    require(mkdtemp(name.data()) != nullptr, "cannot make ", name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::filesystem::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary) << content;
}

// The program that was built beside these tests.
inline std::string program() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "innerloop").string();
}

// Starts a program by its path and words, its output going to `output`; returns the process id. `prepare`
// runs in the child.
template <class Prepare>
pid_t start_command(std::vector<std::string> words, const std::filesystem::path& output, Prepare prepare) {
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  const int out = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  prepare();
  execv(argv[0], argv.data());
  _exit(127);
}

// Starts this program so.
template <class Prepare>
pid_t start_program(const std::vector<std::string>& arguments, const std::filesystem::path& output,
                    Prepare prepare) {
  std::vector<std::string> words{program()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return start_command(std::move(words), output, prepare);
}

inline pid_t start_program(const std::vector<std::string>& arguments, const std::filesystem::path& output) {
  return start_program(arguments, output, [] {});
}

struct Outcome {
  int code = 0;  // exit code, or 1000 + signal
  std::string output;
};

inline int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

template <class Prepare>
Outcome run_program(const std::vector<std::string>& arguments, Prepare prepare) {
  const TemporaryFolder folder;
  const auto output = folder / "output";
  const int code = wait_for(start_program(arguments, output, prepare));
  return {code, read_file(output)};
}

inline Outcome run_program(const std::vector<std::string>& arguments) {
  return run_program(arguments, [] {});
}

// A training that takes a moment: 2D navigation, small in every direction.
inline std::vector<std::string> tiny_training(const std::filesystem::path& run,
                                              const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"train", "--run-dir",         run.string(), "--environment.horizon",
                                     "12",    "--policy.hidden",   "8",          "--sampler.trajectories",
                                     "4",     "--meta.batch_size", "5"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace innerloop
