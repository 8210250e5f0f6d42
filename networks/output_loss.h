// The losses of supervised learning as functions of a network's output, with closed first and second
// derivatives.
//
//   squared error   L_t = w sum_{n,o} (y - target)^2;          dL/dy = 2 w (y - target);  d2L v = 2 w v
//   cross-entropy   L_t = w sum_n (logsumexp(y_n) - y_{n,label});
//                   dL/dy = w (p - onehot);  d2L v = w (p o v - p <p, v>),  p = softmax(y_n)
//
// w is the reduction: 1 / (N outputs) or 1 / N for the mean over samples; 1 / shots for cbfinn/maml's scale
// (`sum_over_ways`: ways times the mean; utils.py:xent).
#pragma once

#include "networks/head.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

class OutputLoss : public Head {
 public:
  // Error for targets or labels of another shape or type and for negative labels; what follows throws Error
  // for an output that does not fit them.
  static OutputLoss squared_error(torch::Tensor target, double weight);  // target [T, N, outputs]
  static OutputLoss cross_entropy(torch::Tensor labels, double weight);  // labels [T, N], int64

  // output [T, N, outputs] -> [T], in differentiable LibTorch operations.
  torch::Tensor operator()(const torch::Tensor& output) const;
  torch::Tensor operator()(const torch::Tensor& output, const Params&) const override {
    return (*this)(output);
  }

  // The same with derivatives in the output, outside any graph.
  struct At {
    torch::Tensor loss;           // [T]
    torch::Tensor gradient;       // [T, N, outputs]
    torch::Tensor probabilities;  // [T, N, outputs]; cross-entropy only
  };
  At at(const torch::Tensor& output) const;
  torch::Tensor second(const At& at, const torch::Tensor& tangent) const;  // d2L tangent, [T, N, outputs]

  bool separable() const override { return true; }
  std::unique_ptr<HeadAt> at(const torch::Tensor& output, const Params& own) const override;

  const torch::Tensor& target() const { return target_; }
  bool classifies() const { return classifies_; }
  double weight() const { return weight_; }

 private:
  OutputLoss(torch::Tensor target, double weight, bool classifies);
  void check(const torch::Tensor& output) const;

  torch::Tensor target_;
  double weight_;
  bool classifies_;
  int64_t largest_label_ = -1;
};

}  // namespace innerloop
