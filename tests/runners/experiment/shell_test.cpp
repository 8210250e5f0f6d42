#include "runners/experiment/shell.h"

#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;

TEST_CASE("a word of a command is one word to the shell, and plain where it may be", "[shell]") {
  CHECK(shell_word("runs/sine_5shot-seed1") == "runs/sine_5shot-seed1");
  CHECK(shell_word("my run") == "'my run'");
  CHECK(shell_word("") == "''");
  const TemporaryFolder folder;
  for (const std::string text : {"my run", "it's", "'", "a\\b", "$HOME", "`x`", "a;b", "~", "*", "a\nb",
                                 "\"q\"", "Äpfel", "#x", "a&b", "!!"}) {
    INFO(text);
    write_file(folder / "script", "printf %s " + shell_word(text) + " > out");
    const pid_t child = fork();
    if (child == 0) {
      if (chdir((folder / "").c_str()) == 0) execl("/bin/sh", "sh", "script", nullptr);
      _exit(127);
    }
    REQUIRE(wait_for(child) == 0);
    CHECK(read_file(folder / "out") == text);
  }
}

TEST_CASE("a printed command calls the program as it was called", "[shell]") {
  // The command that is printed when a training ends is run as it stands there.
  const TemporaryFolder folder;
  const auto run = (folder / "run").string();
  const auto ended = run_program(tiny_training(run, {"--meta.iterations", "1"}));
  const size_t at = ended.output.find("  " + program() + " adapt --run ");
  REQUIRE(at != std::string::npos);
  const auto line = ended.output.substr(at + 2, ended.output.find("    ", at + 2) - at - 2);
  CHECK(line == program() + " adapt --run " + run);
}
