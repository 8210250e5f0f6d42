#include "networks/network.h"

namespace innerloop {

std::unique_ptr<LossAt> Network::loss_at(const Params& params, const torch::Tensor& x,
                                         const OutputLoss& loss) const {
  return autograd_loss([this, x, loss](const Params& p) { return loss(forward(p, x)); }, params);
}

torch::Tensor Network::output(const Params& params, const torch::Tensor& x,
                              const Normalisation& normalisation) const {
  const torch::NoGradGuard no_graph;
  return forward(params.detached(), x, normalisation);
}

}  // namespace innerloop
