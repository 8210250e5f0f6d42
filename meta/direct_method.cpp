#include "meta/direct_method.h"

#include "base/error.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {

DirectMethod::DirectMethod(const MethodContext& context, int64_t outputs)
    : network_(context.network(outputs)) {}

std::unique_ptr<LossAt> DirectMethod::loss_at(const Params& meta, const EpisodeTask& tasks,
                                              const Moment& now) const {
  return autograd_loss([&](const Params& p) { return loss(p, tasks, now); }, meta);
}

Params DirectMethod::initial(Stream& stream) const { return network_->initial(stream); }

const Network& DirectMethod::network(bool) const { return *network_; }

Method::Outcome DirectMethod::pass(const Params& meta, const EpisodeTask& tasks, const Moment& now,
                                   bool with_output) const {
  const torch::NoGradGuard no_graph;
  const Params every = meta.expanded(tasks.size());
  const auto at = loss_at(every, tasks, now);
  for (int64_t t = 0; t < tasks.size(); ++t) {
    require(torch::isfinite(at->loss()[t]).item<bool>(), "the loss of task ", now.first_task + t,
            " is not finite");
  }
  Outcome out{at->loss(), at->gradient().sum_over_tasks()};
  if (with_output) out.output = query_scores(every, tasks, now);
  out.statistics = tasks.statistics(every);
  return out;
}

std::vector<torch::Tensor> DirectMethod::predict(const Params& meta, const EpisodeTask& tasks, int64_t,
                                                 const Moment& now) const {
  const torch::NoGradGuard no_graph;
  return {query_scores(meta.expanded(tasks.size()), tasks, now)};
}

}  // namespace innerloop
