#include "networks/loss_at.h"

#include "base/error.h"

namespace innerloop {
namespace {

using torch::Tensor;

// Derivatives of an entry the loss does not depend on are zero.
std::vector<Tensor> defined(std::vector<Tensor> values, const Params& like) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].defined()) values[i] = torch::zeros_like(like[i]);
  }
  return values;
}

class AutogradLoss : public LossAt {
 public:
  AutogradLoss(const std::function<Tensor(const Params&)>& loss, const Params& params)
      : leaves_(params.as_leaves()) {
    const at::AutoGradMode with_graph(true);
    graph_ = loss(leaves_);
    require(graph_.dim() == 1 && graph_.size(0) == params.tasks(), "task loss: shape ", graph_.sizes(),
            ", expected one value per task, [", params.tasks(), "]");
    loss_ = graph_.detach();
  }

  const Tensor& loss() override { return loss_; }

  const Params& gradient() override {
    if (gradient_.empty()) {
      const at::AutoGradMode with_graph(true);
      gradient_graph_ =
          torch::autograd::grad({graph_}, leaves_.tensors(), {torch::ones_like(graph_)},
                                /*retain_graph=*/true, /*create_graph=*/true, /*allow_unused=*/true);
      gradient_ = leaves_.with(defined(gradient_graph_, leaves_)).detached();
    }
    return gradient_;
  }

  Params hessian_product(const Params& direction) override {
    gradient();
    std::vector<Tensor> outputs, cotangents;
    for (size_t i = 0; i < leaves_.size(); ++i) {
      if (gradient_graph_[i].defined() && gradient_graph_[i].requires_grad()) {
        outputs.push_back(gradient_graph_[i]);
        cotangents.push_back(direction[i].expand_as(gradient_graph_[i]));
      }
    }
    if (outputs.empty()) return leaves_.zeros_like();
    const auto product = torch::autograd::grad(outputs, leaves_.tensors(), cotangents, /*retain_graph=*/true,
                                               /*create_graph=*/false, /*allow_unused=*/true);
    return leaves_.with(defined(product, leaves_)).detached();
  }

 private:
  Params leaves_;
  Tensor graph_, loss_;
  std::vector<Tensor> gradient_graph_;
  Params gradient_;
};

}  // namespace

std::unique_ptr<LossAt> autograd_loss(const std::function<Tensor(const Params&)>& loss,
                                      const Params& params) {
  return std::make_unique<AutogradLoss>(loss, params);
}

}  // namespace innerloop
