#include "networks/output_loss.h"

#include <cmath>

#include "base/error.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {

using torch::Tensor;

namespace {

class OutputLossAt final : public HeadAt {
 public:
  OutputLossAt(const OutputLoss& loss, const Tensor& output) : loss_(loss), at_(loss.at(output)) {
    gradient_.output = at_.gradient;
  }
  const Tensor& loss() const override { return at_.loss; }
  const HeadParts& gradient() const override { return gradient_; }
  HeadParts second(const HeadParts& tangent) override { return {loss_.second(at_, tangent.output), {}}; }

 private:
  const OutputLoss& loss_;
  OutputLoss::At at_;
  HeadParts gradient_;
};

}  // namespace

OutputLoss::OutputLoss(Tensor target, double weight, bool classifies)
    : target_(std::move(target)), weight_(weight), classifies_(classifies) {
  require(std::isfinite(weight_) && weight_ > 0, "loss: a weight of ", weight_,
          ", expected a positive number");
}

OutputLoss OutputLoss::squared_error(Tensor target, double weight) {
  require(target.dim() == 3 && target.is_floating_point(), "squared error: targets are ",
          target.scalar_type(), target.sizes(), ", expected floating point [T, N, outputs]");
  return {std::move(target), weight, false};
}

OutputLoss OutputLoss::cross_entropy(Tensor labels, double weight) {
  require(labels.dim() == 2 && labels.scalar_type() == torch::kInt64, "cross-entropy: labels are ",
          labels.scalar_type(), labels.sizes(), ", expected Long [T, N]");
  OutputLoss loss(std::move(labels), weight, true);
  if (loss.target_.numel() > 0) {
    const auto lowest = loss.target_.min().item<int64_t>();
    require(lowest >= 0, "cross-entropy: label ", lowest, ", expected 0 or above");
    loss.largest_label_ = loss.target_.max().item<int64_t>();
  }
  return loss;
}

void OutputLoss::check(const Tensor& output) const {
  require(output.dim() == 3 && output.is_floating_point(), "loss: the output is ", output.scalar_type(),
          output.sizes(), ", expected floating point [T, N, outputs]");
  if (classifies_) {
    require(output.size(0) == target_.size(0) && output.size(1) == target_.size(1), "cross-entropy: output ",
            output.sizes(), " for labels ", target_.sizes());
    require(largest_label_ < output.size(2), "cross-entropy: label ", largest_label_, " for ", output.size(2),
            " outputs, expected 0 to ", output.size(2) - 1);
  } else {
    require(output.sizes() == target_.sizes() && output.scalar_type() == target_.scalar_type(),
            "squared error: output ", output.scalar_type(), output.sizes(), " for targets ",
            target_.scalar_type(), target_.sizes());
  }
}

Tensor OutputLoss::operator()(const Tensor& output) const {
  check(output);
  if (!classifies_) return (output - target_).square().sum({1, 2}) * weight_;
  const auto log_p = torch::log_softmax(output, 2);
  return log_p.gather(2, target_.unsqueeze(2)).sum({1, 2}) * -weight_;
}

OutputLoss::At OutputLoss::at(const Tensor& output) const {
  check(output);
  const torch::NoGradGuard no_graph;
  At at;
  if (!classifies_ && output.is_contiguous() && target_.is_contiguous() && output.size(0) > 0) {
    at.loss = empty_tensor({output.size(0)}, output.scalar_type());
    at.gradient = empty_tensor(output.sizes(), output.scalar_type());
    const int64_t numbers = output.numel() / output.size(0);
    const bool done = with_type(output, [&]<class T>(const T* y) {
      const T weight = static_cast<T>(weight_);
      const T* target = static_cast<const T*>(target_.data_ptr());
      T *loss = static_cast<T*>(at.loss.data_ptr()), *gradient = static_cast<T*>(at.gradient.data_ptr());
      for (int64_t t = 0; t < output.size(0); ++t) {
        T sum = 0;
        for (int64_t i = t * numbers; i < (t + 1) * numbers; ++i) {
          const T difference = y[i] - target[i];
          sum += difference * difference;
          gradient[i] = 2 * weight * difference;
        }
        loss[t] = weight * sum;
      }
    });
    if (done) return at;
  }
  if (!classifies_) {
    const auto difference = output - target_;
    at.loss = difference.square().sum({1, 2}).mul_(weight_);
    at.gradient = difference * (2 * weight_);
    return at;
  }
  const auto labels = target_.unsqueeze(2);
  const auto log_p = torch::log_softmax(output, 2);
  at.loss = log_p.gather(2, labels).sum({1, 2}).mul_(-weight_);
  at.probabilities = log_p.exp();
  at.gradient = at.probabilities * weight_;
  at.gradient.scatter_(2, labels, -weight_, "add");
  return at;
}

std::unique_ptr<HeadAt> OutputLoss::at(const Tensor& output, const Params&) const {
  return std::make_unique<OutputLossAt>(*this, output);
}

Tensor OutputLoss::second(const At& at, const Tensor& tangent) const {
  const torch::NoGradGuard no_graph;
  require(tangent.sizes() == at.gradient.sizes(), "loss: tangent ", tangent.sizes(),
          " at an output of shape ", at.gradient.sizes());
  if (!classifies_) return scaled(2 * weight_, tangent);
  const auto weighted = at.probabilities * tangent;
  return weighted.addcmul(at.probabilities, weighted.sum(2, /*keepdim=*/true), -1).mul_(weight_);
}

}  // namespace innerloop
