#include "meta/executor.h"

#include <ATen/Parallel.h>

#include <exception>

#include "base/error.h"
#include "meta/chunk_sum.h"
#include "networks/tensors/error_text.h"
#include "networks/tensors/params_bytes.h"

// OpenBLAS has threads of its own, which would compete with the task threads. Weak: LibTorch may use another
// BLAS.
extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace innerloop {

void Executor::prepare_thread() {
  at::set_num_threads(1);
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
}

// Shares are in the order of the ranks and a pool fails with its lowest index, so the lowest rank that failed
// has the error that a single process would have.
void Executor::together(const std::function<void()>& f) const {
  if (processes_.size() == 1) return f();
  std::string failure;  // 'U' or 'E', and the message
  try {
    f();
  } catch (const UsageError& error) {
    failure = concat("U", error.what());
  } catch (const std::exception& error) {
    failure = concat("E", error_text(error));
  }
  const int rank = processes_.rank(), none = processes_.size();
  const auto failed = static_cast<int>(processes_.least(failure.empty() ? none : rank));
  if (failed == none) return;
  processes_.broadcast(failure, failed);
  const std::string message = concat("rank ", failed, " of ", processes_.size(), ": ", failure.substr(1));
  if (failure.front() == 'U') throw UsageError(message);
  throw Error(message);
}

void Executor::each(int64_t count, const std::function<void(int64_t)>& f) const {
  const Share mine = share(count);
  together([&] { pool_.run(mine.size(), [&](int64_t i, int) { f(mine.first + i); }); });
}

std::vector<Params> Executor::own(int64_t count, const std::function<Params(int64_t)>& f) const {
  const Share mine = share(count);
  std::vector<Params> results(static_cast<size_t>(mine.size()));
  together([&] {
    pool_.run(mine.size(), [&](int64_t i, int) { results[static_cast<size_t>(i)] = f(mine.first + i); });
  });
  return results;
}

std::vector<Params> Executor::gather(int64_t count, const std::function<Params(int64_t)>& f) const {
  auto results = own(count, f);
  if (processes_.size() == 1) return results;
  std::vector<Params> all;
  for (const auto& bytes : processes_.gather(to_bytes(results))) {
    for (auto& part : from_bytes(bytes)) all.push_back(std::move(part));
  }
  return all;
}

Params Executor::sum(int64_t count, const std::function<Params(int64_t)>& f) const {
  const auto parts = own(count, f);
  if (processes_.size() > 1) return sum_in_order(processes_, count, parts);
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
