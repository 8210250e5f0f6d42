// This program as a child of itself: `innerloop bench ...` with its output in a file.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace innerloop {

struct ChildEnd {
  int code = 0;            // exit code, if signal is 0
  int signal = 0;          // that killed it
  double cpu_seconds = 0;  // user time

  bool good() const { return code == 0 && signal == 0; }
};

// "exit code 1", "killed by signal 9 (SIGKILL); ...".
std::string end_text(const ChildEnd& end);

// Runs until it ends by itself, is asked to stop, or the process that made it ends, in whatever way: then it
// is killed at once (PR_SET_PDEATHSIG). It has a process group of its own, so that Ctrl-C in the terminal
// comes to it through ask_to_stop() alone; it reads nothing from the terminal.
class ChildProcess {
 public:
  // Starts it; to `log` its command is appended and then all it prints. Error if it cannot be started.
  ChildProcess(const std::vector<std::string>& arguments, const std::filesystem::path& log);
  ~ChildProcess();  // kills it if it still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  std::optional<ChildEnd> poll();  // nothing while it runs

  // SIGHUP, which makes trainings save and end, however often it comes; a second SIGTERM would end them at
  // once.
  void ask_to_stop() const;

  const std::string& command() const { return command_; }  // "bench"

  // What it has printed so far, at most the last few thousand bytes.
  std::string printed() const;

 private:
  pid_t process_ = -1;
  std::string command_;
  std::filesystem::path log_;
  uintmax_t begin_ = 0;  // of its output in the log
};

// The line of what a failed child printed that says why: the last that begins with "innerloop: ", else the
// last one that is not empty; "" if there is none.
std::string error_line(const std::string& printed);

// How far it is: the newest line of progress ("120/1000  loss 0.3 ..."), empty before the first.
struct ChildProgress {
  int64_t done = 0, total = 0;
  std::string line;
};
ChildProgress progress_of(const std::string& printed);

}  // namespace innerloop
