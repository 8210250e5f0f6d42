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

Params Executor::sum(int64_t count, const std::function<Params(int64_t)>& f) const {
  const auto parts = map<Params>(count, f);
  Params total = parts.front();
  for (size_t i = 1; i < parts.size(); ++i) total = total + parts[i];
  return total;
}

}  // namespace innerloop
