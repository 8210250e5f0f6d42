// Worker threads that live as long as the pool and run indexed jobs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/processes.h"

namespace innerloop {

class ThreadPool {
 public:
  // threads >= 1; `on_start` runs once in every thread that executes jobs, the caller's included.
  // `processes`: those whose work this pool does a share of; they outlive it. Error if the system does not
  // give so many threads.
  explicit ThreadPool(int threads, std::function<void()> on_start = {},
                      Processes& processes = single_process());
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }
  Processes& processes() const { return processes_; }

  // Runs body(index, worker) for every index in [0, count) and returns when all are done; the calling thread
  // is worker 0. Which worker gets which index depends on timing, so results must not depend on `worker`.
  // When bodies throw, the rest is still run and the exception of the lowest index is rethrown: the same one
  // for any number of threads. One run at a time.
  //
  // Waking a sleeping thread costs more than a small job. Between runs that follow each other closely the
  // workers therefore wait awake, for a tenth of a millisecond at most, unless the pool has more threads than
  // the machine has cores.
  void run(int64_t count, const std::function<void(int64_t index, int worker)>& body);

 private:
  void end();
  void work(int worker);
  void drain(int worker);
  bool claim(int64_t& left);
  template <class Condition>
  bool comes_soon(const Condition& condition) const;

  Processes& processes_;
  bool may_spin_ = false;
  std::atomic<bool> stop_ = false, caller_sleeps_ = false;
  std::atomic<int> sleepers_ = 0;  // workers that have to be woken
  // Of the run in progress: indices nobody has claimed, indices not done. body_ and count_ hold still while a
  // claimed index is not done.
  std::atomic<int64_t> unclaimed_ = 0, unfinished_ = 0;
  const std::function<void(int64_t, int)>* body_ = nullptr;
  int64_t count_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  int64_t failed_index_ = -1;
  std::exception_ptr failure_;
  std::vector<std::thread> workers_;
};

}  // namespace innerloop
