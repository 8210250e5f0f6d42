#include "meta/episode_task.h"

#include "base/error.h"

namespace innerloop {
namespace {

double sample_weight(LossReduction reduction, const EpisodeShape& shape, const torch::Tensor& target,
                     bool classifies) {
  if (!classifies) {
    require_usage(reduction == LossReduction::kMean,
                  "inner.loss_reduction: sum_over_ways needs classes, the data set has none; expected mean");
    return 1.0 / static_cast<double>(target.size(1) * target.size(2));
  }
  return 1.0 / static_cast<double>(reduction == LossReduction::kMean ? target.size(1) : shape.shots);
}

OutputLoss output_loss(const torch::Tensor& target, const EpisodeShape& shape, LossReduction reduction) {
  const bool classifies = target.scalar_type() == torch::kInt64;
  const double weight = sample_weight(reduction, shape, target, classifies);
  return classifies ? OutputLoss::cross_entropy(target, weight) : OutputLoss::squared_error(target, weight);
}

}  // namespace

LossReduction parse_loss_reduction(const std::string& name) {
  if (name == "mean") return LossReduction::kMean;
  if (name == "sum_over_ways") return LossReduction::kSumOverWays;
  throw UsageError(unknown_name("loss reduction", name, {"mean", "sum_over_ways"}));
}

BatchNormMode parse_batch_norm_mode(const std::string& name) {
  if (name == "none") return BatchNormMode::kNone;
  if (name == "batch") return BatchNormMode::kBatch;
  if (name == "per_task_running") return BatchNormMode::kPerTaskRunning;
  if (name == "global_running") return BatchNormMode::kGlobalRunning;
  throw UsageError(
      unknown_name("batch-norm mode", name, {"none", "batch", "per_task_running", "global_running"}));
}

EpisodeTask::EpisodeTask(const Network& network, Episodes episodes, const EpisodeShape& shape,
                         LossReduction reduction, BatchNormMode mode, const Params* running)
    : network_(network),
      episodes_(std::move(episodes)),
      mode_(mode),
      running_(running),
      support_(output_loss(episodes_.support_y, shape, reduction)),
      query_(output_loss(episodes_.query_y, shape, reduction)) {}

Normalisation EpisodeTask::query_normalisation(const Params& params, Params& found) const {
  if (running_ != nullptr) return {.use = running_};
  if (mode_ != BatchNormMode::kPerTaskRunning) return {};
  network_.forward(params, episodes_.support_x, {.found = &found});
  return {.use = &found};
}

torch::Tensor EpisodeTask::support_loss(const Params& params, int64_t) const {
  return support_(network_.forward(params, episodes_.support_x, {.use = running_}));
}

torch::Tensor EpisodeTask::query_loss(const Params& params, int64_t) const {
  Params found;
  const Normalisation normalisation = query_normalisation(params, found);
  return query_(network_.forward(params, episodes_.query_x, normalisation));
}

std::unique_ptr<LossAt> EpisodeTask::support_at(const Params& params, int64_t step) const {
  if (running_ != nullptr) return Task::support_at(params, step);
  return network_.loss_at(params, episodes_.support_x, support_);
}

std::unique_ptr<LossAt> EpisodeTask::query_at(const Params& params, int64_t step) const {
  if (running_ != nullptr || mode_ == BatchNormMode::kPerTaskRunning) return Task::query_at(params, step);
  return network_.loss_at(params, episodes_.query_x, query_);
}

torch::Tensor EpisodeTask::query_output(const Params& params) const {
  const torch::NoGradGuard no_graph;
  Params found;
  const Normalisation normalisation = query_normalisation(params, found);
  return network_.output(params, episodes_.query_x, normalisation);
}

torch::Tensor EpisodeTask::query_metric(const Params& params) const {
  const torch::NoGradGuard no_graph;
  const torch::Tensor output = query_output(params);
  if (query_.classifies()) {
    return output.argmax(2).eq(episodes_.query_y).to(torch::kFloat64).mean(1);
  }
  return (output - episodes_.query_y).to(torch::kFloat64).square().mean({1, 2});
}

}  // namespace innerloop
