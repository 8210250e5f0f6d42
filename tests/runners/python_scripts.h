// Commands of the shell and the source tree's Python programs (examples/python, tests/runners), run by tests.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/paths.h"
#include "tests/runners/program.h"
#include "tests/runners/python.h"

namespace innerloop {

// Runs a command of the shell; its output, stderr included.
inline Outcome run_command(const std::string& command) {
  Outcome out;
  FILE* pipe = popen(concat("( ", command, " ) 2>&1").c_str(), "r");
  require(pipe != nullptr, "cannot run ", command);
  char buffer[4096];
  while (const size_t count = fread(buffer, 1, sizeof buffer, pipe)) out.output.append(buffer, count);
  const int status = pclose(pipe);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
  return out;
}

// "" if Python has the packages ("numpy, onnx"); else what to print about the test that does not run.
inline std::string missing_python(const std::string& packages) {
  if (python_with(packages)) return "";
  return concat("did not run: Python has not all of ", packages,
                " (pip install them and set INNERLOOP_PYTHON to that python)");
}

// `script`: from the source tree.
inline Outcome run_script(const std::string& script, const std::vector<std::string>& arguments) {
  std::string command =
      concat(python_with("sys").value_or("python3"), " ", shell_word((data_directory() / script).string()));
  for (const auto& argument : arguments) command += concat(" ", shell_word(argument));
  return run_command(command);
}

}  // namespace innerloop
