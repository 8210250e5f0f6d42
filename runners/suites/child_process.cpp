#include "runners/suites/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "runners/experiment/shell.h"

namespace innerloop {
namespace {

constexpr uintmax_t kTail = 8192;
constexpr char kSelf[] = "/proc/self/exe";  // also if its file was replaced since

std::string command_text(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"innerloop"};
  for (const auto& argument : arguments) words.push_back(shell_word(argument));
  return join(words, " ");
}

// In the child, between fork and exec: calls that are safe there, alone.
[[noreturn]] void become(char* const* argv, int log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it has ended before the call above
  setpgid(0, 0);
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGPIPE}) sigaction(signal, &usual, nullptr);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(kSelf, argv);
  _exit(127);
}

// The lines, split at '\n' and '\r'.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines{""};
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  return lines;
}

}  // namespace

std::string end_text(const ChildEnd& end) {
  if (end.signal == 0) return concat("exit code ", end.code);
  const char* name = sigabbrev_np(end.signal);
  return concat("killed by signal ", end.signal, name == nullptr ? "" : concat(" (SIG", name, ")"),
                end.signal == SIGKILL ? "; the system does so when memory is short" : "");
}

ChildProcess::ChildProcess(const std::vector<std::string>& arguments, const std::filesystem::path& log)
    : command_(arguments.front()), log_(log) {
  std::vector<std::string> words{"innerloop"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  require(out >= 0, "cannot write '", log.string(), "': ", strerror(errno));
  const std::string head = concat("$ ", command_text(arguments), "\n");
  const bool written = write(out, head.data(), head.size()) == static_cast<ssize_t>(head.size());
  const int reason = errno;
  const off_t end = lseek(out, 0, SEEK_END);
  if (!written) close(out);
  require(written, "cannot write '", log.string(), "': ", strerror(reason));
  begin_ = static_cast<uintmax_t>(std::max<off_t>(0, end));
  const pid_t parent = getpid();
  process_ = fork();
  if (process_ == 0) become(argv.data(), out, parent);
  const int failure = errno;
  close(out);
  require(process_ > 0, "cannot start another process: ", strerror(failure));
}

ChildProcess::~ChildProcess() {
  if (process_ <= 0) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

std::optional<ChildEnd> ChildProcess::poll() {
  int status = 0;
  struct rusage used {};
  if (wait4(process_, &status, WNOHANG, &used) != process_) return std::nullopt;
  process_ = -1;
  ChildEnd end;
  end.cpu_seconds =
      static_cast<double>(used.ru_utime.tv_sec) + 1e-6 * static_cast<double>(used.ru_utime.tv_usec);
  if (WIFSIGNALED(status)) {
    end.signal = WTERMSIG(status);
  } else {
    end.code = WEXITSTATUS(status);
  }
  return end;
}

void ChildProcess::ask_to_stop() const {
  if (process_ > 0) kill(process_, SIGHUP);
}

std::string ChildProcess::printed() const {
  std::ifstream in(log_, std::ios::binary | std::ios::ate);
  if (!in.good()) return "";
  const auto size = static_cast<uintmax_t>(std::max<std::streamoff>(0, in.tellg()));
  const uintmax_t from = std::max(begin_, size > kTail ? size - kTail : 0);
  if (from >= size) return "";
  std::string text(size - from, '\0');
  in.seekg(static_cast<std::streamoff>(from));
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

std::string error_line(const std::string& printed) {
  constexpr char kOurs[] = "innerloop: ";
  std::string found;
  bool ours = false;
  for (const auto& line : lines_of(printed)) {
    const bool now = line.rfind(kOurs, 0) == 0;
    if (line.find_first_not_of(' ') == std::string::npos || (ours && !now)) continue;
    found = now ? line.substr(sizeof kOurs - 1) : line;
    ours = now;
  }
  return found;
}

ChildProgress progress_of(const std::string& printed) {
  ChildProgress found;
  for (const auto& line : lines_of(printed)) {
    const size_t from = line.find_first_not_of(' ');
    if (from == std::string::npos) continue;
    ChildProgress now;
    const char *begin = line.data() + from, *end = line.data() + line.size();
    const auto done = std::from_chars(begin, end, now.done);
    if (done.ec != std::errc() || done.ptr == end || *done.ptr != '/') continue;
    const auto total = std::from_chars(done.ptr + 1, end, now.total);
    if (total.ec != std::errc() || now.total <= 0 || std::string(total.ptr, end).rfind("  ", 0) != 0)
      continue;
    now.line = line.substr(from);
    found = now;
  }
  return found;
}

}  // namespace innerloop
