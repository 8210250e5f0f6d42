// Runs the chunks of a meta-batch on threads and brings together what they return in task order.
//
// The chunks are chosen by the caller and never depend on the number of threads; each runs single-threaded
// inside. Only Params cross it, so that chunks may also run in other processes; sums are taken in the order
// of the chunks after all are done: the same bits for any number of threads.
#pragma once

#include <functional>
#include <vector>

#include "base/thread_pool.h"
#include "networks/tensors/params.h"

namespace innerloop {

class Executor {
 public:
  // Also sets LibTorch and BLAS to one thread inside (measured faster than threads within operations). The
  // pool should have been made with `prepare_thread` as its start hook.
  explicit Executor(ThreadPool& pool) : pool_(pool) {}

  // f(0), ..., f(count - 1) for what they do to chunks that stay where they are.
  void each(int64_t count, const std::function<void(int64_t chunk)>& f) const;

  int threads() const { return pool_.size(); }

  // What the chunks return, in chunk order.
  std::vector<Params> gather(int64_t count, const std::function<Params(int64_t chunk)>& f) const;

  // Its sum, in chunk order; every chunk returns the same names and shapes.
  Params sum(int64_t count, const std::function<Params(int64_t chunk)>& f) const;

  static void prepare_thread();

 private:
  ThreadPool& pool_;
};

// Numbers as what crosses the executor: one entry [1, n] in float64, and back.
Params as_params(const std::vector<double>& numbers);
std::vector<double> as_numbers(const Params& params);

}  // namespace innerloop
