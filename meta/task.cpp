#include "meta/task.h"

namespace innerloop {

std::unique_ptr<LossAt> Task::loss_at(Part part, const Params& params, int64_t step) const {
  return autograd_loss([this, part, step](const Params& p) { return loss(part, p, step); }, params);
}

torch::Tensor Task::value(Part part, const Params& params, int64_t step) const {
  const torch::NoGradGuard no_graph;
  return loss(part, params.detached(), step);
}

}  // namespace innerloop
