#include "networks/tensors/softmax_regression.h"

#include <torch/optim/lbfgs.h>

#include "base/error.h"

namespace innerloop {

using torch::Tensor;

Tensor SoftmaxRegression::scores(const Tensor& x) const { return x.matmul(weight.t()) + bias; }

SoftmaxRegression softmax_regression(const Tensor& x, const Tensor& y, int64_t classes, double l2) {
  require(x.dim() == 2 && y.dim() == 1 && x.size(0) == y.size(0) && x.size(0) > 0,
          "softmax_regression: samples of ", x.sizes(), " and labels of ", y.sizes(),
          " found, expected [N, F] and [N]");
  require(l2 > 0, "softmax_regression: l2 is ", l2, ", expected a number above 0");
  const torch::NoGradGuard no_graph;
  constexpr int64_t kMostIterations = 200, kHistory = 20;
  constexpr double kFlat = 1e-6, kStill = 1e-9;
  const auto samples = static_cast<double>(x.size(0));
  const Tensor target = torch::one_hot(y, classes).to(torch::kFloat64);
  // The bias is the last column.
  const Tensor inputs = torch::constant_pad_nd(x, {0, 1}, 1);
  Tensor w = torch::zeros({classes, inputs.size(1)}, torch::kFloat64).requires_grad_();
  const auto penalised = [&] {
    Tensor out = w.detach().clone();
    out.select(1, x.size(1)).zero_();
    return out;
  };
  const auto objective = [&] {
    const Tensor log_p = torch::log_softmax(inputs.matmul(w.detach().t()), 1);
    const Tensor held = penalised();
    w.mutable_grad() = (log_p.exp() - target).t().matmul(inputs) / samples + l2 * held;
    return -(target * log_p).sum() / samples + l2 / 2 * held.square().sum();
  };
  torch::optim::LBFGS optimizer({w}, torch::optim::LBFGSOptions(1)
                                         .max_iter(kMostIterations)
                                         .history_size(kHistory)
                                         .tolerance_grad(kFlat)
                                         .tolerance_change(kStill)
                                         .line_search_fn("strong_wolfe"));
  optimizer.step(objective);
  objective();
  SoftmaxRegression out;
  out.slope = w.grad().abs().max().item<double>();
  out.weight = w.detach().narrow(1, 0, x.size(1)).clone();
  out.bias = w.detach().select(1, x.size(1)).clone();
  return out;
}

}  // namespace innerloop
