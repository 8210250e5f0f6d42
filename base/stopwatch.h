// Wall-clock time of a scope.
#pragma once

#include <chrono>

namespace innerloop {

// Adds the seconds from here to the end of its scope to `total`, also when the scope is left by an exception.
class AddsSeconds {
 public:
  explicit AddsSeconds(double& total) : total_(total) {}
  ~AddsSeconds() { total_ += std::chrono::duration<double>(Clock::now() - begin_).count(); }
  AddsSeconds(const AddsSeconds&) = delete;
  AddsSeconds& operator=(const AddsSeconds&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  double& total_;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace innerloop
