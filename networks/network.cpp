#include "networks/network.h"

namespace innerloop {

using torch::Tensor;

Tensor Network::output(const Params& params, const Tensor& x, const Pass& pass) const {
  const torch::NoGradGuard no_graph;
  return forward(params.detached(), x, pass);
}

std::unique_ptr<Linearization> Network::at(const Params&, const Tensor&) const { return nullptr; }

std::unique_ptr<LossAt> Network::loss_at(const Params& params, const Tensor& x,
                                         std::shared_ptr<const Head> head, const Pass& pass) const {
  if (pass.plain()) {
    if (auto here = at(params, x)) return compose(std::move(here), std::move(head), params);
  }
  return autograd_loss([&](const Params& p) { return head_loss(*head, forward(p, x, pass), p); }, params);
}

std::unique_ptr<LossAt> Network::loss_at(const Params& params, const Tensor& x, const OutputLoss& loss,
                                         const Pass& pass) const {
  return loss_at(params, x, std::make_shared<const OutputLoss>(loss), pass);
}

std::unique_ptr<Linearization> autograd_linearization(const Network& network, const Params& params,
                                                      const Tensor& x, const Pass& pass) {
  return autograd_linearization([&](const Params& p) { return network.forward(p, x, pass); }, params);
}

}  // namespace innerloop
