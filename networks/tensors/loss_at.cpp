#include "networks/tensors/loss_at.h"

#include "base/error.h"
#include "networks/tensors/derivatives.h"

namespace innerloop {
namespace {

using torch::Tensor;

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
          gradients({graph_}, leaves_.tensors(), {torch::ones_like(loss_)}, /*create_graph=*/true);
      gradient_ = leaves_.with(gradient_graph_).detached();
    }
    return gradient_;
  }

  Params hessian_product(const Params& direction) override {
    gradient();
    return leaves_.with(gradients(gradient_graph_, leaves_.tensors(), direction.tensors())).detached();
  }

 private:
  Params leaves_;
  Tensor graph_, loss_;
  Tensors gradient_graph_;
  Params gradient_;
};

}  // namespace

std::unique_ptr<LossAt> autograd_loss(const std::function<Tensor(const Params&)>& loss,
                                      const Params& params) {
  return std::make_unique<AutogradLoss>(loss, params);
}

}  // namespace innerloop
