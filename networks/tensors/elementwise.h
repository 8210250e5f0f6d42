// Arithmetic on tensors [T, ...] of parameters as plain loops. A LibTorch operation on a tensor of a thousand
// numbers costs several microseconds in dispatch, iterators and autograd's bookkeeping, of which less than
// one is arithmetic; a meta-iteration of a small network is hundreds of them.
//
// The loops take float32 and float64 on the CPU with contiguous slices, also where one slice stands for all
// tasks (Params::expanded). Whatever else comes, and whatever must be recorded in a graph, goes through
// LibTorch: the results are the same up to rounding.
#pragma once

#include "networks/tensors/params.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// Not initialised, outside any graph, without the dispatcher.
torch::Tensor empty_tensor(at::IntArrayRef sizes, torch::ScalarType dtype);

torch::Tensor combination(double a, const torch::Tensor& x, double b, const torch::Tensor& y);  // a x + b y
Params combination(double a, const Params& x, double b, const Params& y);  // Error if the names differ
torch::Tensor scaled(double scale, const torch::Tensor& x);
torch::Tensor copied(const torch::Tensor& x);     // contiguous, own storage, outside any graph
torch::Tensor zeros_as(const torch::Tensor& x);   // contiguous, outside any graph
torch::Tensor sum_tasks(const torch::Tensor& x);  // [T, ...] -> [1, ...], in the order of the tasks
torch::Tensor repeated(const torch::Tensor& x, int64_t tasks);  // [1, ...] seen as [tasks, ...]
// One step of RMSProp: v' = decay v + (1 - decay) g^2,  x' = x - rate g / (sqrt(max(v', least)) + epsilon).
struct RmsStep {
  torch::Tensor x, v;
};
RmsStep rms_step(const torch::Tensor& x, const torch::Tensor& g, const torch::Tensor& v, double decay,
                 double rate, double least, double epsilon);
bool finite(const torch::Tensor& x);
double sum_in_double(const torch::Tensor& x);  // of all entries, in their order

// f(const T* x) for the T of x if it is contiguous float32 or float64 on the CPU; false otherwise.
template <class F>
bool with_type(const torch::Tensor& x, const F& f) {
  if (!x.is_contiguous() || !x.device().is_cpu() || x.layout() != at::kStrided) return false;
  if (x.scalar_type() == torch::kFloat32) return f(static_cast<const float*>(x.data_ptr())), true;
  if (x.scalar_type() == torch::kFloat64) return f(static_cast<const double*>(x.data_ptr())), true;
  return false;
}

}  // namespace innerloop
