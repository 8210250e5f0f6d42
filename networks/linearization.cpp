#include "networks/linearization.h"

#include "base/error.h"
#include "networks/seen.h"
#include "networks/tensors/derivatives.h"

namespace innerloop {
namespace {

using torch::Tensor;

class AutogradLinearization final : public Linearization {
 public:
  AutogradLinearization(const std::function<Tensor(const Params&)>& forward, const Params& params)
      : leaves_(params.as_leaves()) {
    const at::AutoGradMode with_graph(true);
    graph_ = forward(leaves_);
    output_ = graph_.detach();
  }

  const Tensor& output() const override { return output_; }

  Params pullback(const Tensor& c) override {
    return named(gradients({graph_}, leaves_.tensors(), {checked(c)}));
  }

  // J^T c is linear in c, so J v = d/dc <J^T c, v>, at any c.
  Tensor pushforward(const Params& v) override {
    if (pulled_.empty()) {
      const at::AutoGradMode with_graph(true);
      cotangent_ = torch::zeros_like(output_).requires_grad_();
      pulled_ = gradients({graph_}, leaves_.tensors(), {cotangent_}, /*create_graph=*/true);
    }
    return gradients(pulled_, {cotangent_}, along(v))[0].detach();
  }

  // J^T c is the gradient of <c, y>, so its derivative along v is symmetric: the gradient of <J^T c, v>.
  Params pullback_tangent(const Params& v, const Tensor& c, const Tensor& ct) override {
    if (!last_cotangent_.matches(c)) {
      const at::AutoGradMode with_graph(true);
      pulled_back_ = gradients({graph_}, leaves_.tensors(), {checked(c).detach()}, /*create_graph=*/true);
      last_cotangent_.remember(c);
    }
    return named(
        gradients(joined(pulled_back_, {graph_}), leaves_.tensors(), joined(along(v), {checked(ct)})));
  }

 private:
  const Tensor& checked(const Tensor& c) const {
    require(c.sizes() == output_.sizes(), "network: a cotangent is ", c.sizes(), ", expected ",
            output_.sizes());
    return c;
  }
  Tensors along(const Params& v) const {
    Tensors out;
    for (const auto& entry : leaves_) out.push_back(v.at(entry.name).detach());
    return out;
  }
  Params named(Tensors values) const { return leaves_.with(std::move(values)).detached(); }

  Params leaves_;
  Tensor graph_, output_;
  Tensor cotangent_;
  Tensors pulled_;       // J^T cotangent_, in the graph
  Tensors pulled_back_;  // J^T c of the last pullback_tangent, in the graph
  Seen last_cotangent_;
};

}  // namespace

std::unique_ptr<Linearization> autograd_linearization(const std::function<Tensor(const Params&)>& forward,
                                                      const Params& params) {
  return std::make_unique<AutogradLinearization>(forward, params);
}

bool fits_kernels(const Tensor& x) {
  return x.device().is_cpu() && (x.scalar_type() == torch::kFloat32 || x.scalar_type() == torch::kFloat64);
}

}  // namespace innerloop
