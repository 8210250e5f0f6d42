// A head (networks/mlp_linearization.h) at one output, with its first and second derivatives.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "networks/mlp_linearization.h"
#include "networks/params.h"

namespace innerloop {

// Derivatives in (output [T, N, outputs], own entries [T, ...]), in this order everywhere.
class HeadDerivatives {
 public:
  HeadDerivatives(const Head& head, const torch::Tensor& output, const Params& own);

  const torch::Tensor& loss() const { return loss_; }  // [T]
  const std::vector<torch::Tensor>& gradient() const { return gradient_; }

  // The second derivative times `tangents`. The first product is a trip through autograd; whoever asks twice
  // will ask often (conjugate gradients), so from the second on the second derivatives of every sample are
  // kept and a product is a pass over them.
  std::vector<torch::Tensor> second(const std::vector<torch::Tensor>& tangents) const;

 private:
  std::vector<torch::Tensor> through_autograd(const std::vector<torch::Tensor>& tangents) const;
  void keep_second_derivatives() const;
  template <class T>
  std::vector<torch::Tensor> from_kept(const std::vector<torch::Tensor>& tangents) const;
  std::vector<torch::Tensor> or_zeros(const std::vector<torch::Tensor>& values) const;

  torch::Tensor loss_;
  std::vector<torch::Tensor> leaves_, gradient_graph_, gradient_;
  mutable int64_t products_ = 0;
  // Of task t, sample n, output i: rows_[t, n, i, :] = d2 loss / (d y_i d (y, own)), own_[t, :, :] in own
  // entries alone.
  mutable torch::Tensor rows_, own_;
};

}  // namespace innerloop
