#include "meta/episode_task.h"

#include "base/error.h"

namespace innerloop {
namespace {

double sample_weight(LossReduction reduction, double shots, const torch::Tensor& target, bool classifies) {
  if (!classifies) {
    require_usage(reduction == LossReduction::kMean,
                  "inner.loss_reduction: sum_over_ways needs classes, the data set has none; expected mean");
    return 1.0 / static_cast<double>(target.size(1) * target.size(2));
  }
  return 1.0 / (reduction == LossReduction::kMean ? static_cast<double>(target.size(1)) : shots);
}

std::shared_ptr<const OutputLoss> reduced_loss(const torch::Tensor& target, double shots,
                                               LossReduction reduction) {
  const bool classifies = target.scalar_type() == torch::kInt64;
  const double weight = sample_weight(reduction, shots, target, classifies);
  return std::make_shared<OutputLoss>(classifies ? OutputLoss::cross_entropy(target, weight)
                                                 : OutputLoss::squared_error(target, weight));
}

}  // namespace

BatchNormMode parse_batch_norm_mode(const std::string& name) {
  if (name == "none") return BatchNormMode::kNone;
  if (name == "batch") return BatchNormMode::kBatch;
  if (name == "per_task_running") return BatchNormMode::kPerTaskRunning;
  if (name == "global_running") return BatchNormMode::kGlobalRunning;
  throw UsageError(unknown_name("batch-norm mode", name, kBatchNormModes));
}

EpisodeTask::EpisodeTask(const Network& network, Episodes episodes, double shots, LossReduction reduction,
                         BatchNormMode mode, const Params* running)
    : network_(network),
      episodes_(std::move(episodes)),
      shots_(shots),
      reduction_(reduction),
      mode_(mode),
      running_(running),
      support_(reduced_loss(episodes_.support_y, shots, reduction)),
      query_(reduced_loss(episodes_.query_y, shots, reduction)) {}

EpisodeTask EpisodeTask::with(Episodes episodes) const {
  return {network_, std::move(episodes), shots_, reduction_, mode_, running_};
}

torch::Tensor EpisodeTask::samples(Part part) const {
  if (part == Part::kSupport) return episodes_.support_x;
  if (part == Part::kQuery) return episodes_.query_x;
  return torch::cat({episodes_.support_x, episodes_.query_x}, 1);
}

std::shared_ptr<const OutputLoss> EpisodeTask::output_loss(Part part) const {
  if (part == Part::kSupport) return support_;
  if (part == Part::kQuery) return query_;
  return reduced_loss(torch::cat({episodes_.support_y, episodes_.query_y}, 1), shots_, reduction_);
}

Pass EpisodeTask::query_pass(const Params& params, Params& found) const {
  if (running_ != nullptr) return {.use = running_};
  if (mode_ != BatchNormMode::kPerTaskRunning) return {};
  network_.forward(params, episodes_.support_x, {.found = &found});
  return {.use = &found};
}

torch::Tensor EpisodeTask::loss(Part part, const Params& params, int64_t) const {
  return (*output_loss(part))(forward(part, params, network_), {});
}

torch::Tensor EpisodeTask::value(Part part, const Params& params, int64_t) const {
  const torch::NoGradGuard no_graph;
  return (*output_loss(part))(part == Part::kQuery ? query_output(params) : output(part, params));
}

std::unique_ptr<LossAt> EpisodeTask::loss_at(Part part, const Params& params, int64_t step) const {
  if (running_ != nullptr || per_task(part)) return Task::loss_at(part, params, step);
  return network_.loss_at(params, samples(part), output_loss(part));
}

std::unique_ptr<LossAt> EpisodeTask::loss_at(Part part, const Params& params,
                                             std::shared_ptr<const Head> head) const {
  if (per_task(part)) return compose(at(part, params, network_), std::move(head), params);
  return network_.loss_at(params, samples(part), std::move(head), {.use = running_});
}

torch::Tensor EpisodeTask::forward(Part part, const Params& params, const Network& network) const {
  Params found;
  const Pass pass = part == Part::kQuery ? query_pass(params, found) : Pass{.use = running_};
  return network.forward(params, samples(part), pass);
}

std::unique_ptr<Linearization> EpisodeTask::at(Part part, const Params& params,
                                               const Network& network) const {
  if (running_ == nullptr && !per_task(part)) {
    if (auto here = network.at(params, samples(part))) return here;
  }
  return autograd_linearization([&](const Params& p) { return forward(part, p, network); }, params);
}

torch::Tensor EpisodeTask::output(Part part, const Params& params) const {
  const torch::NoGradGuard no_graph;
  return network_.output(params, samples(part), {.use = running_});
}

torch::Tensor EpisodeTask::query_output(const Params& params) const {
  const torch::NoGradGuard no_graph;
  Params found;
  const Pass pass = query_pass(params, found);
  return network_.output(params, episodes_.query_x, pass);
}

Params EpisodeTask::query_statistics(const Params& params) const {
  const torch::NoGradGuard no_graph;
  Params found;
  const Pass pass = query_pass(params, found);
  return pass.use == nullptr ? Params() : pass.use->cloned();
}

std::vector<torch::Tensor> EpisodeTask::query_layers(const Params& params) const {
  const torch::NoGradGuard no_graph;
  Params found;
  Pass pass = query_pass(params, found);
  std::vector<torch::Tensor> out;
  pass.hidden = [&](int64_t, const torch::Tensor& h) {
    out.push_back(h);
    return h;
  };
  const torch::Tensor y = network_.forward(params, episodes_.query_x, pass);
  if (!network_.head_names().empty()) out.push_back(y);
  return out;
}

torch::Tensor EpisodeTask::metric(const torch::Tensor& query_output) const {
  const torch::NoGradGuard no_graph;
  if (classifies()) return query_output.argmax(2).eq(episodes_.query_y).to(torch::kFloat64).mean(1);
  return (query_output - episodes_.query_y).to(torch::kFloat64).square().mean({1, 2});
}

Params EpisodeTask::statistics(const Params& params) const {
  if (mode_ != BatchNormMode::kGlobalRunning) return {};
  const torch::NoGradGuard no_graph;
  Params found;
  network_.forward(params, episodes_.query_x, {.found = &found});
  return found.sum_over_tasks();
}

}  // namespace innerloop
