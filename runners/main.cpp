// innerloop COMMAND [options]
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/allocator.h"
#include "base/error.h"
#include "base/files.h"
#include "base/paths.h"
#include "networks/tensors/error_text.h"
#include "runners/build_facts.h"
#include "runners/commands.h"
#include "runners/completion.h"
#include "runners/experiment/launch.h"
#include "runners/man_page.h"
#include "runners/usage.h"

namespace innerloop {
namespace {

struct Command {
  CommandDescription description;
  int (*run)(const std::vector<std::string>& arguments);
  bool shared = false;  // several processes (mpirun, srun) do one work together
};

CommandDescription help_description();
CommandDescription completion_description();
int help(const std::vector<std::string>& arguments);
int completion(const std::vector<std::string>& arguments);

const std::vector<Command>& commands() {
  static const std::vector<Command> table{{train_description(), train, true},
                                          {bench_description(), bench, true},
                                          {online_description(), online, true},
                                          {adapt_description(), adapt, true},
                                          {analyse_description(), analyse},
                                          {compare_description(), compare},
                                          {record_description(), record},
                                          {export_description(), export_run},
                                          {predict_description(), predict},
                                          {act_description(), act},
                                          {suite_description(), suite, true},
                                          {report_description(), report},
                                          {list_description(), list},
                                          {help_description(), help},
                                          {completion_description(), completion}};
  return table;
}

// What others call the commands.
constexpr std::pair<std::string_view, const char*> kOtherNames[] = {{"analysis", "analyse"},
                                                                    {"analyze", "analyse"},
                                                                    {"benchmark", "bench"},
                                                                    {"classify", "predict"},
                                                                    {"complete", "completion"},
                                                                    {"completions", "completion"},
                                                                    {"convert", "export"},
                                                                    {"eval", "adapt"},
                                                                    {"evaluate", "adapt"},
                                                                    {"fit", "train"},
                                                                    {"ftml", "online"},
                                                                    {"grid", "suite"},
                                                                    {"infer", "predict"},
                                                                    {"inference", "predict"},
                                                                    {"label", "predict"},
                                                                    {"ls", "list"},
                                                                    {"man", "help"},
                                                                    {"onnx", "export"},
                                                                    {"play", "act"},
                                                                    {"render", "record"},
                                                                    {"rollout", "act"},
                                                                    {"save", "export"},
                                                                    {"search", "suite"},
                                                                    {"show", "list"},
                                                                    {"sweep", "suite"},
                                                                    {"test", "adapt"},
                                                                    {"video", "record"}};

// As wide as the longest name.
std::string padded(std::string text, size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

void print_usage(std::ostream& out) {
  out << "innerloop " << version() << ": " << kWhatItIs << "\n\n"
      << "usage: innerloop COMMAND [options]\n\n";
  for (const auto& command : commands())
    out << "  " << padded(command.description.name, 12) << command.description.summary << '\n';
  out << "\ninnerloop COMMAND --help tells more; innerloop --version prints the version.\n\nfirst steps:\n";
  for (const auto& [line, meaning] : kFirstSteps) out << "  " << padded(line, 48) << meaning << '\n';
  std::vector<std::string> codes;
  for (const auto& [code, meaning] : kExitCodes) codes.push_back(code + " " + meaning);
  out << "\nexit codes: " << join(codes) << '\n';
}

void print_version(std::ostream& out) {
  out << "innerloop " << version() << '\n';
  for (const auto& [what, fact] : build_facts()) out << padded(what, 16) << fact << '\n';
}

std::vector<CommandDescription> descriptions() {
  std::vector<CommandDescription> all;
  for (const auto& command : commands()) all.push_back(command.description);
  return all;
}

// UsageError with the known names, or with what innerloop calls it.
const Command& find_command(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& command : commands()) {
    if (command.description.name == name) return command;
    known.push_back(command.description.name);
  }
  for (const auto& [theirs, ours] : kOtherNames) {
    if (theirs == name) throw UsageError(concat("unknown command '", name, "'; innerloop calls it ", ours));
  }
  throw UsageError(unknown_name("command", name, known));
}

CommandDescription help_description() {
  return {.name = "help",
          .summary = "Explains a command, or the program; writes the manual pages.",
          .details =
              "innerloop help train is innerloop train --help.\n\n"
              "With --man-pages, innerloop.1 and an innerloop-COMMAND.1 for each command are written into\n"
              "DIR, which is made if it does not exist:\n"
              "  innerloop help --man-pages ~/.local/share/man/man1",
          .options = {{"man-pages", "DIR", "write the manual pages there"}},
          .operands = "[COMMAND]"};
}

void write_man_pages(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  require(!error, "help: cannot make the folder '", shortened(folder.string()), "': ", error.message());
  std::ostringstream text;
  print_man_page(text, descriptions());
  write_file_atomically(folder / "innerloop.1", text.str());
  for (const auto& command : descriptions()) {
    std::ostringstream page;
    print_man_page(page, command);
    write_file_atomically(folder / ("innerloop-" + command.name + ".1"), page.str());
  }
}

int help(const std::vector<std::string>& arguments) {
  const auto line = parse_command_line(help_description(), arguments);
  if (line.help) {
    print_help(std::cout, help_description(), line);
    return 0;
  }
  require_usage(line.operands.size() <= 1, "help: expected one command, found ", line.operands.size());
  if (line.has("man-pages")) {
    require_usage(line.operands.empty(),
                  "help: --man-pages writes the pages of all commands, without a name");
    write_man_pages(line.value("man-pages"));
  } else if (line.operands.empty()) {
    print_usage(std::cout);
  } else {
    print_help(std::cout, find_command(line.operands.front()).description);
  }
  return 0;
}

CommandDescription completion_description() {
  return {.name = "completion",
          .summary = "Prints a script by which bash or zsh completes commands, options and names.",
          .details =
              "For the shell that runs, and for those to come:\n"
              "  source <(innerloop completion bash)\n"
              "  innerloop completion bash >~/.local/share/bash-completion/completions/innerloop\n"
              "  innerloop completion zsh >DIR/_innerloop    DIR being a folder of $fpath\n\n"
              "Completes commands, options and configuration keys (sections first), configurations after\n"
              "--config, folders of trainings after --run, and the names that a key can be. Packages bring\n"
              "the scripts with them.",
          .operands = "[bash | zsh]"};
}

int completion(const std::vector<std::string>& arguments) {
  const auto line = parse_command_line(completion_description(), arguments);
  if (line.help) {
    print_help(std::cout, completion_description(), line);
    return 0;
  }
  require_usage(line.operands.size() == 1, "completion: expected one shell, bash or zsh");
  const std::string& shell = line.operands.front();
  if (shell == "bash") {
    print_bash_completion(std::cout, descriptions());
  } else {
    require_usage(shell == "zsh", "completion: ", unknown_name("shell", shell, {"bash", "zsh"}));
    print_zsh_completion(std::cout, descriptions());
  }
  return 0;
}

int run(const std::vector<std::string>& arguments) {
  require_usage(!arguments.empty(), "expected a command; see innerloop --help");
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h") {
    print_usage(std::cout);
    return 0;
  }
  if (name == "--version" || name == "-v" || name == "-V" || name == "version") {
    print_version(std::cout);
    return 0;
  }
  const Command& command = find_command(name);
  const LaunchPlace place = launch_place();
  require_usage(place.size == 1 || command.shared, name, " runs in one process, ", place.launcher,
                " started ", place.size);
  return command.run({arguments.begin() + 1, arguments.end()});
}

// What the caller closed is opened so that its use fails: else the next file opened would get the number, and
// what is printed would land in it.
void occupy_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) == -1) open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// The exit code, once all that was printed is out; on a full disk that fails here, and here alone.
int flushed(int code) {
  errno = 0;
  const bool written = std::cout.flush().good() && std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  const int reason = errno;  // 0 if an earlier write failed
  if (written) return code;
  std::cerr << "innerloop: cannot write to stdout" << (reason == 0 ? "" : ": ")
            << (reason == 0 ? "" : std::strerror(reason)) << '\n';
  return code == 0 ? 1 : code;
}

}  // namespace
}  // namespace innerloop

int main(int argc, char* argv[]) {
  innerloop::occupy_standard_streams();
  innerloop::silence_other_ranks();
  innerloop::keep_freed_memory();
  std::signal(SIGXFSZ, SIG_IGN);  // a file over the size limit is an error to report, not a death
  try {
    const int code = innerloop::run({argv + 1, argv + argc});
    innerloop::end_launch();
    return innerloop::flushed(code);
  } catch (const innerloop::UsageError& error) {
    return innerloop::fail_together(error.what(), 2);
  } catch (const std::exception& error) {
    return innerloop::fail_together(innerloop::error_text(error), 1);
  }
}
