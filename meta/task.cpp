#include "meta/task.h"

namespace innerloop {

std::unique_ptr<LossAt> Task::support_at(const Params& params, int64_t step) const {
  return autograd_loss([this, step](const Params& p) { return support_loss(p, step); }, params);
}

std::unique_ptr<LossAt> Task::query_at(const Params& params, int64_t step) const {
  return autograd_loss([this, step](const Params& p) { return query_loss(p, step); }, params);
}

}  // namespace innerloop
