#include "meta/parameter_map.h"

#include "networks/tensors/derivatives.h"

namespace innerloop {
namespace {

TensorFunction as_function(const ParameterMap& map, const Params& p, const ParameterMap::At& at) {
  return [&map, &p, at](const Tensors& values) { return map(p.with(values), at).tensors(); };
}

class MappedLoss : public LossAt {
 public:
  MappedLoss(const ParameterMap& map, const ParameterMap::At& at, const Params& p,
             const std::function<std::unique_ptr<LossAt>(const Params&)>& loss)
      : map_(map), at_(at), p_(p.detached()), inner_(loss([&] {
          const torch::NoGradGuard no_graph;
          return map(p_, at_);
        }())) {}

  const torch::Tensor& loss() override { return inner_->loss(); }

  const Params& gradient() override {
    if (gradient_.empty()) gradient_ = map_.pullback(p_, at_, inner_->gradient());
    return gradient_;
  }

  Params hessian_product(const Params& direction) override {
    const Params curved = inner_->hessian_product(map_.pushforward(p_, at_, direction));
    return map_.pullback(p_, at_, curved) + map_.pullback_tangent(p_, at_, direction, inner_->gradient());
  }

 private:
  const ParameterMap& map_;
  ParameterMap::At at_;
  Params p_;
  std::unique_ptr<LossAt> inner_;
  Params gradient_;
};

}  // namespace

Params ParameterMap::pullback(const Params& p, const At& at, const Params& cotangent) const {
  return p.with(vjp(as_function(*this, p, at), p.tensors(), cotangent.tensors()));
}

Params ParameterMap::pushforward(const Params& p, const At& at, const Params& direction) const {
  Params names;
  {
    const torch::NoGradGuard no_graph;
    names = (*this)(p, at);
  }
  return names.with(jvp(as_function(*this, p, at), p.tensors(), direction.tensors()));
}

Params ParameterMap::pullback_tangent(const Params& p, const At& at, const Params& direction,
                                      const Params& cotangent) const {
  return p.with(
      vjp_tangent(as_function(*this, p, at), p.tensors(), cotangent.tensors(), direction.tensors()));
}

Params LinearMap::pushforward(const Params&, const At& at, const Params& direction) const {
  const torch::NoGradGuard no_graph;
  return (*this)(direction, at);
}

Params LinearMap::pullback_tangent(const Params& p, const At&, const Params&, const Params&) const {
  return p.zeros_like();
}

std::unique_ptr<LossAt> mapped_loss(const ParameterMap& map, const ParameterMap::At& at, const Params& p,
                                    const std::function<std::unique_ptr<LossAt>(const Params&)>& loss) {
  return std::make_unique<MappedLoss>(map, at, p, loss);
}

torch::Tensor MappedTask::loss(Part part, const Params& params, int64_t step) const {
  return task_.loss(part, map_(params, at(part, step)), step);
}

std::unique_ptr<LossAt> MappedTask::loss_at(Part part, const Params& params, int64_t step) const {
  return mapped_loss(map_, at(part, step), params,
                     [&](const Params& p) { return task_.loss_at(part, p, step); });
}

torch::Tensor MappedTask::value(Part part, const Params& params, int64_t step) const {
  const torch::NoGradGuard no_graph;
  return task_.value(part, map_(params, at(part, step)), step);
}

}  // namespace innerloop
