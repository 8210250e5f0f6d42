// A head: a loss per task on a network's output; and its composition with the network, L(params) =
// head(y(params), entries of params that the head reads), with exact derivatives:
//
//   gradient         g = J^T h_y + h_own
//   Hessian product  y' = J v,  (h_y', h_own') = second(y', v_own)
//                    H v = d/de J(params + e v)^T (h_y + e h_y') + h_own'
//
// An entry that the head reads may be one of the network's own (a penalty on weights, a learned loss that
// looks at them): both parts add up.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "networks/linearization.h"
#include "networks/tensors/loss_at.h"
#include "networks/tensors/params.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// What a head's derivatives are taken in.
struct HeadParts {
  torch::Tensor output;  // [T, N, outputs]
  Params own;            // of the entries the head reads, [T, ...], in the order of params
};

// A head at one point (y, own), outside any graph. One object serves one thread at a time.
class HeadAt {
 public:
  virtual ~HeadAt() = default;
  virtual const torch::Tensor& loss() const = 0;           // [T]
  virtual const HeadParts& gradient() const = 0;           // (h_y, h_own)
  virtual HeadParts second(const HeadParts& tangent) = 0;  // the second derivative times (y', own')
};

class Head {
 public:
  virtual ~Head() = default;

  // y [T, N, outputs], own: the entries that reads() names -> [T], in LibTorch operations differentiable
  // twice. A task's loss depends on its own slices only.
  virtual torch::Tensor operator()(const torch::Tensor& y, const Params& own) const = 0;

  // Names of the entries of `params` that the loss depends on beside y.
  virtual std::vector<std::string> reads(const Params& params) const;

  // The loss is a sum over samples (of functions of the own entries), each entering through its own output
  // alone, and the own entries are few: their second derivatives, of every sample, may be kept.
  virtual bool separable() const { return false; }

  // By default in autograd (head_derivatives.h). The head outlives what it returns.
  virtual std::unique_ptr<HeadAt> at(const torch::Tensor& y, const Params& own) const;
};

// A head that reads the entries `reads`.
std::shared_ptr<const Head> make_head(
    std::function<torch::Tensor(const torch::Tensor& y, const Params& own)> loss,
    std::vector<std::string> reads = {}, bool separable = false);

// head(y, entries of params it reads): what a head gives on any output, in the graphs of both.
torch::Tensor head_loss(const Head& head, const torch::Tensor& y, const Params& params);

// L(params) = head(network(params)) at the point of the linearization.
class ComposedLoss : public LossAt {
 public:
  // params: those of `network`; entries that neither the network nor the head knows have derivatives of zero.
  ComposedLoss(std::unique_ptr<Linearization> network, std::shared_ptr<const Head> head,
               const Params& params);

  const torch::Tensor& output() const { return network_->output(); }
  const torch::Tensor& loss() override { return at_->loss(); }
  const Params& gradient() override;
  Params hessian_product(const Params& direction) override;

  // J^T (d2 head) J v: the Hessian without the network's own curvature. It is the whole Hessian where the
  // head's gradient in y vanishes, as for KL(old || new) at new = old: there it is the Fisher product.
  Params gauss_newton_product(const Params& direction);

 private:
  HeadParts second(const Params& direction);
  Params assembled(Params network_part, const Params& own_part) const;

  Params params_;
  std::unique_ptr<Linearization> network_;
  std::shared_ptr<const Head> head_;
  Params own_;
  std::unique_ptr<HeadAt> at_;
  Params gradient_;
};

std::unique_ptr<ComposedLoss> compose(std::unique_ptr<Linearization> network,
                                      std::shared_ptr<const Head> head, const Params& params);

}  // namespace innerloop
