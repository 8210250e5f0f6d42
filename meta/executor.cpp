#include "meta/executor.h"

#include <ATen/Parallel.h>

// OpenBLAS has threads of its own, which would compete with the task threads. Weak: LibTorch may use another
// BLAS.
extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace innerloop {

void Executor::prepare_thread() {
  at::set_num_threads(1);
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
}

void Executor::each(int64_t count, const std::function<void(int64_t)>& f) const {
  pool_.run(count, [&](int64_t chunk, int) { f(chunk); });
}

std::vector<Params> Executor::gather(int64_t count, const std::function<Params(int64_t)>& f) const {
  std::vector<Params> results(static_cast<size_t>(count));
  pool_.run(count, [&](int64_t chunk, int) { results[static_cast<size_t>(chunk)] = f(chunk); });
  return results;
}

Params Executor::sum(int64_t count, const std::function<Params(int64_t)>& f) const {
  const auto parts = gather(count, f);
  Params total = parts.front();
  for (size_t i = 1; i < parts.size(); ++i) total = total + parts[i];
  return total;
}

Params as_params(const std::vector<double>& numbers) {
  const auto values = torch::tensor(numbers, torch::kFloat64).view({1, static_cast<int64_t>(numbers.size())});
  return Params({{"numbers", values}});
}

std::vector<double> as_numbers(const Params& params) {
  const auto values = params.at("numbers").contiguous();
  const double* from = values.data_ptr<double>();
  return {from, from + values.numel()};
}

}  // namespace innerloop
