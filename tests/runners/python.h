// Other people's programs beside ours: Python, with a package that a test compares with.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "runners/experiment/shell.h"

namespace innerloop {

// The interpreter that can import all of `modules` ("tensorboard, numpy"): $INNERLOOP_PYTHON, or python3.
// Nothing if it cannot; the test says then that it did not run.
inline std::optional<std::string> python_with(const std::string& modules) {
  const char* chosen = std::getenv("INNERLOOP_PYTHON");
  const std::string python = shell_word(chosen != nullptr ? chosen : "python3");
  const std::string command = python + " -c 'import " + modules + "' 2> /dev/null";
  if (std::system(command.c_str()) != 0) return std::nullopt;
  return python;
}

// What the program prints when it runs in `folder`, which keeps it. Error with its messages if it fails.
inline std::string run_python(const std::string& python, const std::filesystem::path& folder,
                              const std::string& text) {
  const auto program = folder / "program.py", out = folder / "program.out", messages = folder / "program.err";
  write_file_atomically(program, text);
  const std::string command =
      concat("cd ", shell_word(folder.string()), " && ", python, " program.py > program.out 2> program.err");
  const bool done = std::system(command.c_str()) == 0;
  require(done, "Python: ", read_file(messages, size_t{1} << 24));
  return read_file(out, size_t{1} << 28);
}

}  // namespace innerloop
