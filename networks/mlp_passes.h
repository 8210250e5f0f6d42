// The passes of T tasks' MLPs at one point behind their element type, activation and number of samples: in
// panels of samples (mlp_panels.h), or for few samples a task in registers (mlp_small_batch.h).
#pragma once

#include <memory>
#include <vector>

#include "networks/tensors/tensor.h"

namespace innerloop {

// Lists hold weight, bias, weight, ... [T, ...] of every layer; samples are contiguous [T, N, ...]. Shapes
// and types are checked by the caller.
class MlpPasses {
 public:
  using Entries = std::vector<torch::Tensor>;
  virtual ~MlpPasses() = default;

  virtual void pushforward(const Entries& direction, torch::Tensor& output_tangent) = 0;
  // Returns whether it also did what keep_cotangent does.
  virtual bool pullback(const torch::Tensor& cotangent, Entries& gradient) = 0;
  virtual void keep_cotangent(const torch::Tensor& cotangent) = 0;
  // At the last pushforward's direction and the last kept cotangent.
  virtual void pullback_tangent(const Entries& direction, const torch::Tensor& cotangent_tangent,
                                Entries& gradient) const = 0;
  virtual bool adds() const = 0;  // gradients are added to what `gradient` holds instead of written
};

// Writes the output [T, N, outputs]. Unless `borrow`, the weights are copied where they would be read later;
// without `keep` the result is null and nothing else can be asked.
std::unique_ptr<MlpPasses> make_mlp_passes(const std::vector<int64_t>& units, bool tanh,
                                           const MlpPasses::Entries& weights, const torch::Tensor& x,
                                           bool keep, bool borrow, torch::Tensor& output);

}  // namespace innerloop
