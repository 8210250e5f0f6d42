// Runs the chunks of a meta-batch on threads, in one process or several, and brings together what they return
// in chunk order.
//
// The chunks are chosen by the caller and never depend on the number of threads or processes; each runs
// single-threaded inside. Each process takes its share of consecutive chunks; only Params cross from one to
// another, and sums are taken in the order of the chunks: the same bits for any number of threads and of
// processes.
#pragma once

#include <functional>
#include <vector>

#include "base/processes.h"
#include "base/thread_pool.h"
#include "networks/tensors/params.h"

namespace innerloop {

class Executor {
 public:
  // Also sets LibTorch and BLAS to one thread inside (measured faster than threads within operations). The
  // pool should have been made with `prepare_thread` as its start hook.
  explicit Executor(ThreadPool& pool) : Executor(pool, pool.processes()) {}

  // Does all chunks in this process, whatever the others do: for results that stay where they are.
  Executor alone() const { return Executor(pool_, single_process()); }

  // f(0), ..., f(count - 1) for what they do to chunks that stay where they are: this process' share of them.
  // What fails in one process fails in all, with the same Error; this and all below.
  void each(int64_t count, const std::function<void(int64_t chunk)>& f) const;

  // What the chunks return, in chunk order, in every process.
  std::vector<Params> gather(int64_t count, const std::function<Params(int64_t chunk)>& f) const;

  // Its sum, in chunk order, in every process; every chunk returns the same names and shapes, of float32 and
  // float64. Between processes it travels from share to share, each adding its own, and then to all: so many
  // bytes as the sum has, twice, however many the chunks.
  Params sum(int64_t count, const std::function<Params(int64_t chunk)>& f) const;

  // f() for this process' share of something; what fails in one process fails in all, with the same Error.
  void together(const std::function<void()>& f) const;

  int threads() const { return pool_.size(); }
  Share share(int64_t count) const { return share_of(count, processes_.rank(), processes_.size()); }
  Processes& processes() const { return processes_; }

  static void prepare_thread();

 private:
  Executor(ThreadPool& pool, Processes& processes) : pool_(pool), processes_(processes) {}
  std::vector<Params> own(int64_t count, const std::function<Params(int64_t chunk)>& f) const;

  ThreadPool& pool_;
  Processes& processes_;
};

// Numbers as what crosses the executor: one entry [1, n] in float64, and back.
Params as_params(const std::vector<double>& numbers);
std::vector<double> as_numbers(const Params& params);

}  // namespace innerloop
