// Stopping a long work between two of its steps.
#pragma once

#include <array>
#include <csignal>

namespace innerloop {

// While it lives, the first SIGINT, SIGTERM, SIGHUP (a session that closes) or SIGPIPE (whoever read the
// output is gone) only sets received(). A second SIGINT or SIGTERM has its usual effect, which is safe at any
// instant; the other two come as often as they like. A SIGHUP or SIGPIPE that was ignored before (nohup)
// stays ignored, and one that has ended the work ends nothing else.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  static int received();  // the first of them, or 0

 private:
  std::array<struct sigaction, 4> former_{};
};

}  // namespace innerloop
