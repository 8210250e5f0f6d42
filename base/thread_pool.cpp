#include "base/thread_pool.h"

#include <utility>

#include "base/error.h"

namespace innerloop {

ThreadPool::ThreadPool(int threads, std::function<void()> on_start) {
  require(threads >= 1, "thread pool: ", threads, " threads asked, expected at least 1");
  if (on_start) on_start();
  for (int worker = 1; worker < threads; ++worker) {
    workers_.emplace_back([this, worker, on_start] {
      if (on_start) on_start();
      work(worker);
    });
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadPool::run(int64_t count, const std::function<void(int64_t, int)>& body) {
  {
    const std::lock_guard lock(mutex_);
    body_ = &body;
    count_ = count;
    next_ = 0;
    failed_index_ = -1;
    failure_ = nullptr;
    busy_ = size();
    ++job_;
  }
  wake_.notify_all();
  drain(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return busy_ == 0; });
  body_ = nullptr;
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::work(int worker) {
  uint64_t seen = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stop_ || job_ != seen; });
      if (stop_) return;
      seen = job_;
    }
    drain(worker);
  }
}

void ThreadPool::drain(int worker) {
  std::unique_lock lock(mutex_);
  while (next_ < count_) {
    const int64_t index = next_++;
    lock.unlock();
    std::exception_ptr failure;
    try {
      (*body_)(index, worker);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (failure && (failed_index_ < 0 || index < failed_index_)) {
      failed_index_ = index;
      failure_ = failure;
    }
  }
  if (--busy_ == 0) done_.notify_all();
}

}  // namespace innerloop
