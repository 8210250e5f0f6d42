// Claims about `innerloop completion` and `innerloop help`: what the shells offer and the manual pages
// explain is what the commands take. The scripts are driven in real shells.
#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <sstream>

#include "tests/catch.h"
#include "tests/runners/program.h"

using namespace innerloop;

namespace {

using Words = std::vector<std::string>;

struct ShellOutcome {
  int code;
  std::string output;
};

// What a command line of the shell prints, errors included.
ShellOutcome shell(const std::string& line) {
  FILE* pipe = popen(("{ " + line + "\n} 2>&1").c_str(), "r");
  require(pipe != nullptr, "cannot start a shell");
  ShellOutcome outcome{0, ""};
  std::array<char, 4096> buffer{};
  for (size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.output.append(buffer.data(), n);
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
  return outcome;
}

bool has_program(const std::string& name) { return shell("command -v " + name).code == 0; }

std::string output_of(const Words& arguments) {
  const auto outcome = run_program(arguments);
  REQUIRE(outcome.code == 0);
  return outcome.output;
}

// The first words of the lines that begin with `before`, which is left out: "  --seed" of a help text.
Words first_words(const std::string& text, const std::string& before) {
  Words words;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(before, 0) != 0 || line.size() == before.size() || line[before.size()] == ' ') continue;
    words.push_back(line.substr(before.size(), line.find(' ', before.size()) - before.size()));
  }
  return words;
}

Words command_names() {
  const std::string help = output_of({"--help"});
  return first_words(help.substr(0, help.find("first steps")), "  ");
}

// bash with the script loaded; `complete WORD...` prints what the last word may become.
class Bash {
 public:
  Bash() {
    write_file(folder_ / "script",
               output_of({"completion", "bash"}) +
                   "complete() { COMP_WORDS=(innerloop \"$@\") COMP_CWORD=$#; _innerloop; "
                   "((${#COMPREPLY[@]})) && printf '%s\\n' \"${COMPREPLY[@]}\"; }\n");
    std::filesystem::create_directory(folder_ / "here");
  }

  // In the folder `here`, one line for each word offered.
  Words lines(const std::string& commands) const {
    const auto outcome =
        shell("cd '" + (folder_ / "here").string() + "' && bash -c '. ../script; " + commands + "'");
    Words words;
    std::istringstream in(outcome.output);
    for (std::string line; std::getline(in, line);) words.push_back(line);
    std::sort(words.begin(), words.end());
    return words;
  }

  std::filesystem::path here() const { return folder_ / "here"; }

 private:
  TemporaryFolder folder_;
};

// The pages of all commands, as they are written.
class ManualPages {
 public:
  ManualPages() { output_of({"help", "--man-pages", (folder_ / "man").string()}); }

  std::filesystem::path page(const std::string& command) const {
    return folder_ / ("man/innerloop" + (command.empty() ? "" : "-" + command) + ".1");
  }

  // "inner.steps" of each line that begins with a bold option.
  Words options(const std::string& command) const {
    Words names;
    for (auto name : first_words(read_file(page(command)), "\\fB\\-\\-")) {
      name.erase(std::min(name.find("\\fR"), name.size()));
      name.erase(std::remove(name.begin(), name.end(), '\\'), name.end());
      names.push_back(name);
    }
    return names;
  }

 private:
  TemporaryFolder folder_;
};

Words sorted(Words words) {
  std::sort(words.begin(), words.end());
  return words;
}

}  // namespace

TEST_CASE("bash completes every command, and every option and key that its help lists", "[completion]") {
  const Bash bash;
  const ManualPages pages;
  const auto commands = command_names();
  REQUIRE(commands.size() >= 10);
  Words offered = commands;
  offered.insert(offered.end(), {"--help", "--version"});
  CHECK(bash.lines("complete \"\"") == sorted(offered));
  CHECK(bash.lines("complete tr") == Words{"train"});
  for (const auto& command : commands) {
    CAPTURE(command);
    std::set<std::string> expected{"--help"};
    for (const auto& option : pages.options(command)) expected.insert("--" + option);
    // Sections stand there with their dot; asked for themselves, they are their keys.
    const auto found =
        bash.lines("for word in $(complete " + command + " --); do case $word in *.) complete " + command +
                   " $word ;; *) echo $word ;; esac; done");
    CHECK(found == Words(expected.begin(), expected.end()));
  }
  CHECK(bash.lines("complete train --inn") == Words{"--inner."});
}

TEST_CASE("bash completes the names that an option or a key can be", "[completion]") {
  const Bash bash;
  const std::string lists = output_of({"list"});
  const auto names = [&](const std::string& listing, const std::string& beginning) {
    Words words;
    const std::string list = lists.substr(lists.find(listing + "\n"));
    for (const auto& name : first_words(list.substr(0, list.find("\n\n")), "  ")) {
      if (name.rfind(beginning, 0) == 0) words.push_back(name);
    }
    return sorted(words);
  };
  CHECK(bash.lines("complete train --algorithm ma") == names("algorithms", "ma"));
  CHECK(bash.lines("complete train --seed 3 --environment.name navigation") ==
        names("environments", "navigation"));
  CHECK(bash.lines("complete train --environment.name = ant") == names("environments", "ant"));
  CHECK(bash.lines("complete train --environment.name =") == names("environments", ""));
  CHECK(bash.lines("complete train --inner.first_order \"\"") == Words{"false", "true"});
  CHECK(bash.lines("complete bench --config omniglot") == names("configs", "omniglot"));
  CHECK(bash.lines("complete bench sine_5") == names("configs", "sine_5"));
  CHECK(bash.lines("complete analyse --study p") == Words{"permutations"});
  CHECK(bash.lines("complete list o") == Words{"optimizers"});
  CHECK(bash.lines("complete completion \"\"") == Words{"bash", "zsh"});
  CHECK(bash.lines("complete help rec") == Words{"record"});
  CHECK(bash.lines("complete train --seed \"\"").empty());
  CHECK(bash.lines("complete train --resume --see") == Words{"--seed"});
}

TEST_CASE("bash completes folders of trainings after --run, and INI files after --config", "[completion]") {
  const Bash bash;
  for (const char* run : {"runs/first", "runs/my run", "runs/league/sine/maml-seed1"}) {
    std::filesystem::create_directories(bash.here() / run);
    write_file(bash.here() / run / "config.ini", "");
  }
  std::filesystem::create_directories(bash.here() / "runs/pictures");
  write_file(bash.here() / "mine.ini", "");
  CHECK(bash.lines("complete adapt --run runs/") ==
        Words{"runs/first", "runs/league/sine/maml-seed1", "runs/my run"});
  CHECK(bash.lines("complete adapt --run \"\"") == Words{"runs/first", "runs/my run"});
  CHECK(bash.lines("complete record runs/f") == Words{"runs/first"});
  CHECK(bash.lines("complete compare runs/first runs/f") == Words{"runs/first"});
  CHECK(bash.lines("complete train --config mine") == Words{"mine.ini"});
  CHECK(bash.lines("complete train --config ./") == Words{"./mine.ini", "./runs"});
  CHECK(bash.lines("complete train --run-dir r") == Words{"runs"});
}

TEST_CASE("zsh takes its script", "[completion]") {
  const TemporaryFolder folder;
  write_file(folder / "_innerloop", output_of({"completion", "zsh"}));
  const std::string script = read_file(folder / "_innerloop");
  CHECK(script.rfind("#compdef innerloop\n", 0) == 0);
  for (const auto& command : command_names()) CHECK_THAT(script, contains("\n    " + command + ")\n"));
  if (!has_program("zsh")) {
    WARN("zsh is not installed: its script was not loaded");
    return;
  }
  const auto outcome = shell("cd '" + (folder / "").string() +
                             "' && zsh -f -c 'autoload -Uz compinit; compinit -u -D; . ./_innerloop; "
                             "print ${_comps[innerloop]}; whence -w _innerloop_runs'");
  CHECK(outcome.output == "_innerloop\n_innerloop_runs: function\n");
}

TEST_CASE("a manual page explains every option and key that --help lists, without a warning",
          "[completion]") {
  const ManualPages pages;
  const auto commands = command_names();
  for (const auto& command : commands)
    CHECK_THAT(read_file(pages.page("")), contains("innerloop\\-" + command + "\\fR(1)"));
  for (const char* command : {"train", "record"})
    CHECK(pages.options(command) == first_words(output_of({command, "--help"}), "  --"));
  if (!has_program("groff") || !has_program("mandoc"))
    WARN("groff or mandoc is not installed: no page was read by it");
  std::string files;
  for (const auto& command : commands) files += " '" + pages.page(command).string() + "'";
  files += " '" + pages.page("").string() + "'";
  if (has_program("groff")) CHECK(shell("groff -man -Tutf8 -ww -z" + files).output == "");
  // A page has no date: it is the same whenever it is made.
  if (has_program("mandoc"))
    CHECK(shell("mandoc -T lint -W warning" + files + " | grep -v 'missing date'").output == "");
}

TEST_CASE("help and completion refuse what they do not know with the known names", "[completion]") {
  CHECK(run_program({"help", "train"}).output == run_program({"train", "--help"}).output);
  CHECK(run_program({"help"}).output == run_program({"--help"}).output);
  const auto shell_error = run_program({"completion", "fish"});
  CHECK(shell_error.code == 2);
  CHECK_THAT(shell_error.output, contains("unknown shell 'fish'") && contains("bash, zsh"));
  CHECK(run_program({"completion"}).code == 2);
  const auto command_error = run_program({"help", "trian"});
  CHECK(command_error.code == 2);
  CHECK_THAT(command_error.output, contains("did you mean 'train'?"));
  CHECK(run_program({"help", "train", "adapt"}).code == 2);
  CHECK(run_program({"help", "train", "--man-pages", "x"}).code == 2);
  const TemporaryFolder folder;
  write_file(folder / "file", "");
  const auto no_folder = run_program({"help", "--man-pages", (folder / "file").string()});
  CHECK(no_folder.code == 1);
  CHECK_THAT(no_folder.output, contains("file"));
}

TEST_CASE("the version says what a report of a fault needs, one line each", "[completion]") {
  const std::string text = output_of({"--version"});
  CHECK(text.rfind("innerloop 0.", 0) == 0);
  for (const char* what : {"\ncompiler ", "\nLibTorch ", "\nMuJoCo ", "\nEigen ", "\ninstructions "})
    CHECK_THAT(text, contains(what));
  CHECK(std::count(text.begin(), text.end(), '\n') >= 6);
}
