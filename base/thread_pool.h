// Worker threads that live as long as the pool and run indexed jobs.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace innerloop {

class ThreadPool {
 public:
  // threads >= 1; `on_start` runs once in every thread that executes jobs, the caller's included.
  explicit ThreadPool(int threads, std::function<void()> on_start = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // Runs body(index, worker) for every index in [0, count) and returns when all are done; the calling thread
  // is worker 0. Which worker gets which index depends on timing, so results must not depend on `worker`.
  // When bodies throw, the rest is still run and the exception of the lowest index is rethrown: the same one
  // for any number of threads.
  void run(int64_t count, const std::function<void(int64_t index, int worker)>& body);

 private:
  void work(int worker);
  void drain(int worker);

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int64_t, int)>* body_ = nullptr;
  int64_t count_ = 0, next_ = 0;
  uint64_t job_ = 0;
  int busy_ = 0;
  bool stop_ = false;
  int64_t failed_index_ = -1;
  std::exception_ptr failure_;
  std::vector<std::thread> workers_;
};

}  // namespace innerloop
