#include "networks/head.h"

#include "base/error.h"
#include "networks/head_derivatives.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {
namespace {

using torch::Tensor;

class FunctionHead final : public Head {
 public:
  FunctionHead(std::function<Tensor(const Tensor&, const Params&)> loss, std::vector<std::string> reads,
               bool separable)
      : loss_(std::move(loss)), reads_(std::move(reads)), separable_(separable) {}
  Tensor operator()(const Tensor& y, const Params& own) const override { return loss_(y, own); }
  std::vector<std::string> reads(const Params&) const override { return reads_; }
  bool separable() const override { return separable_; }

 private:
  std::function<Tensor(const Tensor&, const Params&)> loss_;
  std::vector<std::string> reads_;
  bool separable_;
};

Params entries_read(const Head& head, const Params& params) {
  const auto names = head.reads(params);
  return names.empty() ? Params() : params.select(names);
}

}  // namespace

std::vector<std::string> Head::reads(const Params&) const { return {}; }

std::unique_ptr<HeadAt> Head::at(const Tensor& y, const Params& own) const {
  return std::make_unique<HeadDerivatives>(*this, y, own);
}

std::shared_ptr<const Head> make_head(std::function<Tensor(const Tensor&, const Params&)> loss,
                                      std::vector<std::string> reads, bool separable) {
  return std::make_shared<FunctionHead>(std::move(loss), std::move(reads), separable);
}

Tensor head_loss(const Head& head, const Tensor& y, const Params& params) {
  return head(y, entries_read(head, params));
}

ComposedLoss::ComposedLoss(std::unique_ptr<Linearization> network, std::shared_ptr<const Head> head,
                           const Params& params)
    : params_(params.detached()),
      network_(std::move(network)),
      head_(std::move(head)),
      own_(entries_read(*head_, params_)),
      at_(head_->at(network_->output(), own_)) {}

const Params& ComposedLoss::gradient() {
  if (gradient_.empty()) {
    const auto& g = at_->gradient();
    gradient_ = assembled(network_->pullback(g.output), g.own);
  }
  return gradient_;
}

Params ComposedLoss::hessian_product(const Params& direction) {
  const auto change = second(direction);
  return assembled(network_->pullback_tangent(direction, at_->gradient().output, change.output), change.own);
}

Params ComposedLoss::gauss_newton_product(const Params& direction) {
  const auto change = second(direction);
  return assembled(network_->pullback(change.output), change.own);
}

HeadParts ComposedLoss::second(const Params& direction) {
  HeadParts tangent{network_->pushforward(direction), {}};
  if (!own_.empty()) {
    std::vector<Tensor> along;
    for (const auto& entry : own_) {
      const auto& value = direction.at(entry.name);
      require(value.sizes() == entry.value.sizes(), "head: direction '", entry.name, "' is ", value.sizes(),
              ", expected ", entry.value.sizes());
      along.push_back(value.detach());
    }
    tangent.own = own_.with(std::move(along));
  }
  return at_->second(tangent);
}

Params ComposedLoss::assembled(Params network_part, const Params& own_part) const {
  if (own_part.empty() && same_names(network_part, params_)) return network_part;
  std::vector<Tensor> values;
  for (const auto& entry : params_) {
    const bool network = network_part.contains(entry.name), own = own_part.contains(entry.name);
    if (network && own) {
      values.push_back(combination(1, network_part.at(entry.name), 1, own_part.at(entry.name)));
    } else if (network || own) {
      values.push_back((network ? network_part : own_part).at(entry.name));
    } else {
      values.push_back(torch::zeros_like(entry.value));
    }
  }
  return params_.with(std::move(values));
}

std::unique_ptr<ComposedLoss> compose(std::unique_ptr<Linearization> network,
                                      std::shared_ptr<const Head> head, const Params& params) {
  return std::make_unique<ComposedLoss>(std::move(network), std::move(head), params);
}

}  // namespace innerloop
