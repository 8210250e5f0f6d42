// Any head at one output, with its first and second derivatives by autograd.
#pragma once

#include <vector>

#include "networks/head.h"
#include "networks/tensors/params.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

class HeadDerivatives final : public HeadAt {
 public:
  HeadDerivatives(const Head& head, const torch::Tensor& output, const Params& own);

  const torch::Tensor& loss() const override { return loss_; }
  const HeadParts& gradient() const override { return gradient_; }

  // A product is a trip through autograd. Of a separable head whoever asks twice will ask often (conjugate
  // gradients), so from the second product on the second derivatives of every sample are kept and a product
  // is a pass over them.
  HeadParts second(const HeadParts& tangent) override;

 private:
  // Lists in this class: (output, own entries).
  std::vector<torch::Tensor> through_autograd(const std::vector<torch::Tensor>& tangents) const;
  void keep_second_derivatives();
  template <class T>
  std::vector<torch::Tensor> from_kept(const std::vector<torch::Tensor>& tangents) const;
  HeadParts parts(std::vector<torch::Tensor> list) const;

  bool separable_;
  torch::Tensor loss_;
  Params own_;  // leaves
  std::vector<torch::Tensor> leaves_, gradient_graph_, slopes_;
  HeadParts gradient_;
  int64_t products_ = 0;
  // Of task t, sample n, output i: rows_[t, n, i, :] = d2 loss / (d y_i d (y, own)), curvature_[t, :, :] in
  // own entries alone.
  torch::Tensor rows_, curvature_;
};

}  // namespace innerloop
