#include "runners/experiment/stop_signals.h"

#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace innerloop {
namespace {

constexpr std::array<int, 4> kSignals{SIGINT, SIGTERM, SIGHUP, SIGPIPE};

bool asked_by_hand(int signal) { return signal == SIGINT || signal == SIGTERM; }

volatile std::sig_atomic_t stop_signal = 0;

extern "C" void request_stop(int signal) {
  if (stop_signal == 0) stop_signal = signal;
  if (signal == SIGPIPE) return;  // stderr may be the broken pipe
  constexpr std::string_view kOnce = "\nstopping after this meta-iteration\n",
                             kTwice =
                                 "\nstopping after this meta-iteration (the same signal again stops at "
                                 "once)\n";
  const std::string_view message = asked_by_hand(signal) ? kTwice : kOnce;
  const int former = errno;
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, message.data(), message.size());
  errno = former;
}

}  // namespace

StopSignals::StopSignals() {
  stop_signal = 0;
  for (size_t i = 0; i < kSignals.size(); ++i) {
    const int signal = kSignals[i];
    sigaction(signal, nullptr, &former_[i]);
    if (!asked_by_hand(signal) && former_[i].sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = request_stop;
    action.sa_flags = SA_RESTART | (asked_by_hand(signal) ? static_cast<int>(SA_RESETHAND) : 0);
    sigaction(signal, &action, nullptr);
  }
}

StopSignals::~StopSignals() {
  for (size_t i = 0; i < kSignals.size(); ++i) {
    if (kSignals[i] == stop_signal && !asked_by_hand(stop_signal)) former_[i].sa_handler = SIG_IGN;
    sigaction(kSignals[i], &former_[i], nullptr);
  }
}

int StopSignals::received() { return stop_signal; }

}  // namespace innerloop
