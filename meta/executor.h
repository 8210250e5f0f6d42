// Runs the chunks of a meta-batch on threads and sums what they return in task order.
//
// The chunks are chosen by the caller and never depend on the number of threads; each runs single-threaded
// inside. Sums are taken in the order of the chunks after all are done: the same bits for any number of
// threads.
#pragma once

#include <functional>
#include <vector>

#include "base/thread_pool.h"
#include "networks/params.h"

namespace innerloop {

class Executor {
 public:
  // Also sets LibTorch and BLAS to one thread inside (measured faster than threads within operations). The
  // pool should have been made with `prepare_thread` as its start hook.
  explicit Executor(ThreadPool& pool) : pool_(pool) {}

  template <class Result>
  std::vector<Result> map(int64_t count, const std::function<Result(int64_t chunk)>& f) const {
    std::vector<Result> results(static_cast<size_t>(count));
    pool_.run(count, [&](int64_t chunk, int) { results[static_cast<size_t>(chunk)] = f(chunk); });
    return results;
  }

  // sum over chunks, in chunk order.
  Params sum(int64_t count, const std::function<Params(int64_t chunk)>& f) const;

  static void prepare_thread();

 private:
  ThreadPool& pool_;
};

}  // namespace innerloop
