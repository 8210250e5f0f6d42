// Stopping a long work between two of its steps.
#pragma once

#include <csignal>

namespace innerloop {

// While it lives, the first SIGINT or SIGTERM only sets received(); a second one has its usual effect, which
// is safe at any instant.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  static int received();  // the signal, or 0

 private:
  struct sigaction interrupt_ {
  }, terminate_{};
};

}  // namespace innerloop
