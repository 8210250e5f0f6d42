#include "meta/supervised/online_learner.h"

#include <algorithm>

#include "base/error.h"
#include "meta/gradient_method.h"
#include "meta/optimizers/registry.h"
#include "meta/supervised/episode_meta_problem.h"

namespace innerloop {
namespace {

// Without inner steps: the loss itself is descended; `adapt` is a choice of fine-tuning, or of the algorithm.
MethodContext without_inner_steps(MethodContext context, const Algorithm& algorithm) {
  context.inner.steps = 0;
  for (const auto& [key, value] : algorithm.prescribes) {
    if (key == "inner.adapt") context.inner.adapt = "all";
  }
  return context;
}

std::unique_ptr<Method> make_method(const OnlineRule& rule, const SupervisedMetaConfig& config,
                                    const Algorithm& algorithm, const Dataset& dataset) {
  const auto& spec = dataset.spec();
  const MethodContext context{
      .inner = config.inner,
      .network = [network = config.network,
                  input = spec.input](int64_t outputs) { return make_network(network, input, outputs); },
      .outputs = spec.classification ? config.shape.ways : spec.outputs,
      .dataset = &dataset,
      .shape = config.shape,
      .tasks = config.meta_batch_size};
  if (!rule.meta) return std::make_unique<GradientMethod>(Parts{}, without_inner_steps(context, algorithm));
  require_usage(algorithm.supervised(), "online: algorithm ", algorithm.name,
                " is one of policies; it does not know data sets");
  auto method = algorithm.method(config.algorithm.own, context);
  require_usage(dynamic_cast<const GradientMethod*>(method.get()) != nullptr, "online: algorithm ",
                algorithm.name, " does not adapt by gradient steps, ", rule.name,
                " needs one that does, such as maml");
  return method;
}

// Support and query samples as one set.
Episodes together(const Episodes& parts) {
  const auto x = torch::cat({parts.support_x, parts.query_x}, 1);
  const auto y = torch::cat({parts.support_y, parts.query_y}, 1);
  return {x, x, y, y};
}

}  // namespace

OnlineLearner::OnlineLearner(const OnlineRule& rule, const SupervisedMetaConfig& config,
                             const Algorithm& algorithm, const Dataset& dataset, const Executor& executor)
    : rule_(rule),
      config_(config),
      reduction_(parse_loss_reduction(config.loss_reduction)),
      mode_(parse_batch_norm_mode(config.network.batch_norm)),
      executor_(executor) {
  require_usage(mode_ != BatchNormMode::kGlobalRunning,
                "network.batch_norm: global_running averages over training tasks, which here change with "
                "every round; online knows none, batch and per_task_running");
  method_ = make_method(rule, config, algorithm, dataset);
  begin_round(0);
}

OnlineLearner::~OnlineLearner() = default;

void OnlineLearner::begin_round(int64_t round) {
  if (round > 0 && !rule_.fresh) return;
  Stream stream(StreamKey{config_.seed, Purpose::kInitialParameters, static_cast<uint64_t>(round)});
  meta_ = method_->initial(stream);
  optimizer_ = make_meta_optimizer(config_.optimizer, meta_);
}

double OnlineLearner::update(const OnlineStream& stream, const OnlineStream::Now& now, int64_t number) {
  const torch::NoGradGuard no_graph;
  const Network& network = method_->network(/*training=*/true);
  const int64_t per_chunk = method_->tasks_per_chunk(), tasks = config_.meta_batch_size;
  EpisodeShape shape = config_.shape;
  if (!rule_.meta) shape.shots = shape.queries = config_.shape.shots + config_.shape.queries;
  const auto pass = [&](const Params& meta, int64_t chunk) {
    const int64_t first = chunk * per_chunk, count = std::min(per_chunk, tasks - first);
    const Moment moment{.seed = config_.seed, .iteration = number, .first_task = first};
    const Episodes drawn = stream.draw(rule_.tasks, now, number, first, count);
    const EpisodeTask task(network, rule_.meta ? drawn : together(drawn), shape, reduction_, mode_);
    return EpisodeMetaProblem::Chunk{method_->pass(meta, task, moment, /*with_output=*/false)};
  };
  EpisodeMetaProblem problem(executor_, (tasks + per_chunk - 1) / per_chunk, tasks, pass);
  const Moment moment{.seed = config_.seed, .iteration = number};
  optimizer_->step(meta_, problem, moment);
  method_->absorb(problem.found(), tasks, moment);
  return problem.loss();
}

double OnlineLearner::judge(const OnlineStream& stream, const OnlineStream::Now& now, int64_t steps) const {
  const torch::NoGradGuard no_graph;
  const EpisodeTask task(method_->network(/*training=*/false), stream.held_out(now),
                         stream.held_out_shape(now), reduction_, mode_);
  const Moment moment{.seed = config_.seed, .iteration = now.round, .training = false};
  const auto outputs = method_->predict(meta_, task, rule_.adapts ? steps : 0, moment);
  return task.metric(outputs.back()).item<double>();
}

void OnlineLearner::restore(const Params& parameters, const Params& optimizer_state,
                            const Params& method_state) {
  check_fits(parameters, meta_, "parameters");
  check_fits(optimizer_state, optimizer_->state(), "optimizer state");
  method_->restore(method_state);
  meta_ = parameters.cloned();
  optimizer_->restore(optimizer_state);
}

}  // namespace innerloop
