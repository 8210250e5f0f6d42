#include "base/thread_pool.h"

#include <chrono>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace innerloop {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kSpin = std::chrono::microseconds(100);
// A wait shorter than this promises that the next one is short too; a wake-up of its own is part of it.
constexpr auto kShortWait = std::chrono::microseconds(300);

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads, std::function<void()> on_start, Processes& processes)
    : processes_(processes), may_spin_(threads <= static_cast<int>(std::thread::hardware_concurrency())) {
  require(threads >= 1, "thread pool: ", threads, " threads asked, expected at least 1");
  if (on_start) on_start();
  try {
    for (int worker = 1; worker < threads; ++worker) {
      workers_.emplace_back([this, worker, on_start] {
        if (on_start) on_start();
        work(worker);
      });
    }
  } catch (const std::system_error& error) {
    const size_t started = workers_.size() + 1;
    end();
    throw Error(
        concat("thread pool: ", threads, " threads asked, the system gives ", started, ": ", error.what()));
  }
}

ThreadPool::~ThreadPool() { end(); }

void ThreadPool::end() {
  stop_ = true;
  { const std::lock_guard lock(mutex_); }  // nobody is between its last look and its sleep
  wake_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadPool::run(int64_t count, const std::function<void(int64_t, int)>& body) {
  if (count <= 0) return;
  body_ = &body;
  count_ = count;
  failed_index_ = -1;
  unfinished_ = count;
  unclaimed_ = count;
  if (count > 1 && sleepers_ > 0) {
    { const std::lock_guard lock(mutex_); }
    wake_.notify_all();
  }
  drain(0);
  const auto finished = [this] { return unfinished_ == 0; };
  if (!comes_soon(finished)) {
    std::unique_lock lock(mutex_);
    caller_sleeps_ = true;
    done_.wait(lock, finished);
    caller_sleeps_ = false;
  }
  if (failed_index_ >= 0) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::work(int worker) {
  const auto called = [this] { return stop_ || unclaimed_ > 0; };
  bool soon = false;
  for (;;) {
    const auto since = Clock::now();
    if (!soon || !comes_soon(called)) {
      std::unique_lock lock(mutex_);
      ++sleepers_;
      wake_.wait(lock, called);
      --sleepers_;
    }
    if (stop_) return;
    soon = Clock::now() - since < kShortWait;
    drain(worker);
  }
}

// Waits awake for the condition; false: it has not come.
template <class Condition>
bool ThreadPool::comes_soon(const Condition& condition) const {
  if (condition()) return true;
  if (!may_spin_) return false;
  const auto until = Clock::now() + kSpin;
  do {
    for (int i = 0; i < 16; ++i) {
      pause();
      if (condition()) return true;
    }
  } while (Clock::now() < until);
  return false;
}

// Takes one index: `left` were unclaimed before.
bool ThreadPool::claim(int64_t& left) {
  left = unclaimed_;
  while (left > 0) {
    if (unclaimed_.compare_exchange_weak(left, left - 1)) return true;
  }
  return false;
}

void ThreadPool::drain(int worker) {
  for (int64_t left; claim(left);) {
    const int64_t index = count_ - left;
    try {
      (*body_)(index, worker);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (failed_index_ < 0 || index < failed_index_) {
        failed_index_ = index;
        failure_ = std::current_exception();
      }
    }
    if (--unfinished_ == 0 && caller_sleeps_) {
      { const std::lock_guard lock(mutex_); }
      done_.notify_all();
    }
  }
}

}  // namespace innerloop
