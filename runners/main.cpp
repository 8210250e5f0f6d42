// innerloop COMMAND [options]
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/allocator.h"
#include "base/error.h"
#include "base/paths.h"
#include "networks/tensors/error_text.h"
#include "runners/commands.h"
#include "runners/experiment/launch.h"

namespace innerloop {
namespace {

struct Command {
  CommandDescription description;
  int (*run)(const std::vector<std::string>& arguments);
  bool shared = false;  // several processes (mpirun, srun) do one work together
};

const std::vector<Command>& commands() {
  static const std::vector<Command> table{
      {train_description(), train, true},   {bench_description(), bench, true},
      {online_description(), online, true}, {adapt_description(), adapt, true},
      {analyse_description(), analyse},     {compare_description(), compare},
      {record_description(), record},       {list_description(), list}};
  return table;
}

// What others call the commands.
constexpr std::pair<std::string_view, const char*> kOtherNames[] = {
    {"analysis", "analyse"}, {"analyze", "analyse"}, {"benchmark", "bench"}, {"eval", "adapt"},
    {"evaluate", "adapt"},   {"fit", "train"},       {"ftml", "online"},     {"ls", "list"},
    {"render", "record"},    {"show", "list"},       {"test", "adapt"},      {"video", "record"}};

void print_usage(std::ostream& out) {
  out << "innerloop " << version() << ": learning to learn, from task distribution to video\n\n"
      << "usage: innerloop COMMAND [options]\n\n";
  for (const auto& command : commands()) {
    std::string name = command.description.name;
    name.resize(10, ' ');
    out << "  " << name << command.description.summary << '\n';
  }
  out << "\ninnerloop COMMAND --help tells more; innerloop --version prints the version.\n\n"
      << "first steps:\n"
      << "  innerloop train --config navigation_2d          trains into runs/navigation_2d-seed1\n"
      << "  innerloop adapt --run runs/navigation_2d-seed1  how well it adapts to new tasks\n"
      << "  innerloop record --run runs/navigation_2d-seed1 videos of it\n"
      << "  innerloop bench --config sine_10shot            few-shot regression, trained and evaluated\n\n"
      << "exit codes: 0 done, 1 failure, 2 a request that cannot be understood, 128 + N stopped by signal "
         "N\n";
}

int run(const std::vector<std::string>& arguments) {
  require_usage(!arguments.empty(), "expected a command; see innerloop --help");
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    print_usage(std::cout);
    return 0;
  }
  if (name == "--version" || name == "-v" || name == "-V" || name == "version") {
    std::cout << "innerloop " << version() << '\n';
    return 0;
  }
  std::vector<std::string> known;
  for (const auto& command : commands()) {
    if (command.description.name == name) {
      const LaunchPlace place = launch_place();
      require_usage(place.size == 1 || command.shared, name, " runs in one process, ", place.launcher,
                    " started ", place.size);
      return command.run({arguments.begin() + 1, arguments.end()});
    }
    known.push_back(command.description.name);
  }
  for (const auto& [theirs, ours] : kOtherNames) {
    if (theirs == name) throw UsageError(concat("unknown command '", name, "'; innerloop calls it ", ours));
  }
  throw UsageError(unknown_name("command", name, known));
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
