#include "meta/supervised/supervised_meta_learner.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/memory.h"
#include "meta/optimizers/registry.h"
#include "meta/supervised/episode_meta_problem.h"

namespace innerloop {
namespace {

constexpr double kRunningMomentum = 0.1;  // of the batch's statistics in the averages (LibTorch's default)
constexpr const char* kRunningPrefix = "running.";

std::unique_ptr<Method> make_method(const SupervisedMetaConfig& config, const Algorithm& algorithm,
                                    const Dataset& dataset) {
  require_usage(algorithm.supervised(), "algorithm ", algorithm.name,
                " is one of policies; it does not know data sets");
  const auto& spec = dataset.spec();
  MethodContext context{.inner = config.inner,
                        .network = [network = config.network, input = spec.input](
                                       int64_t outputs) { return make_network(network, input, outputs); },
                        .outputs = spec.classification ? config.shape.ways : spec.outputs,
                        .dataset = &dataset,
                        .shape = config.shape,
                        .tasks = config.meta_batch_size};
  return algorithm.method(config.algorithm.own, context);
}

// The shape of iteration `iteration`'s tasks; its stream is that of a task that no meta-batch has.
EpisodeShape drawn_shape(const SupervisedMetaConfig& config, int64_t iteration) {
  EpisodeShape shape = config.shape;
  if (config.most_shots == 0) return shape;
  Stream stream(StreamKey{config.seed, Purpose::kTask, static_cast<uint64_t>(iteration),
                          std::numeric_limits<uint64_t>::max()});
  const int64_t samples = shape.shots + shape.queries;
  shape.shots +=
      static_cast<int64_t>(stream.below(static_cast<uint64_t>(config.most_shots - shape.shots + 1)));
  shape.queries = samples - shape.shots;
  return shape;
}

void check_most_shots(const SupervisedMetaConfig& config) {
  const auto& shape = config.shape;
  const int64_t samples = shape.shots + shape.queries;
  require_usage(config.most_shots == 0 || (config.most_shots >= shape.shots && config.most_shots < samples),
                "dataset.most_shots: ", config.most_shots, " found, expected 0, or from dataset.shots, ",
                shape.shots, ", to ", samples - 1, ": of ", samples,
                " samples of a class (dataset.shots + dataset.queries) "
                "at least one is a query");
}

// The network without what the algorithm makes of it.
std::unique_ptr<Network> plain_network(const SupervisedMetaConfig& config, const DatasetSpec& spec) {
  return make_network(config.network, spec.input, spec.classification ? config.shape.ways : spec.outputs);
}

}  // namespace

SupervisedMetaLearner::SupervisedMetaLearner(const SupervisedMetaConfig& config, const Algorithm& algorithm,
                                             ThreadPool& pool)
    : SupervisedMetaLearner(config, algorithm, make_dataset(config.dataset), pool) {}

SupervisedMetaLearner::SupervisedMetaLearner(const SupervisedMetaConfig& config, const Algorithm& algorithm,
                                             std::unique_ptr<Dataset> dataset, ThreadPool& pool)
    : config_(config),
      algorithm_(algorithm),
      dataset_(std::move(dataset)),
      reduction_(parse_loss_reduction(config.loss_reduction)),
      mode_(parse_batch_norm_mode(config.network.batch_norm)),
      executor_(pool) {
  config_.algorithm.name = algorithm.name;
  require_usage(config_.meta_batch_size >= 1, "meta.batch_size: ", config_.meta_batch_size,
                " found, expected 1 or more");
  dataset_->check(Split::kTrain, config_.shape);
  check_most_shots(config_);
  EpisodeShape largest =
      config_.shape;  // support and query samples are as many, but those are kept for every step
  largest.shots = std::max(largest.shots, config_.most_shots);
  const auto network = plain_network(config_, dataset_->spec());
  const int64_t chunk = network->tasks_per_chunk(), tasks = config_.meta_batch_size;
  require_room("a meta-iteration", largest, std::min(tasks, chunk * executor_.threads()), config_.inner.steps,
               {concat("gradients (meta.batch_size ", tasks, ")"),
                4 * static_cast<double>((tasks + chunk - 1) / chunk) * network->size().parameters});
  method_ = make_method(config_, algorithm, *dataset_);
  Stream stream(StreamKey{config_.seed, Purpose::kInitialParameters});
  meta_ = method_->initial(stream);
  optimizer_ = make_meta_optimizer(config_.optimizer, meta_);
  if (mode_ == BatchNormMode::kGlobalRunning) running_ = method_->network(/*training=*/true).statistics();
}

SupervisedMetaLearner::~SupervisedMetaLearner() = default;

// float32; what is counted is what there surely is.
void SupervisedMetaLearner::require_room(const std::string& work, const EpisodeShape& shape,
                                         int64_t at_a_time, int64_t steps, const MemoryNeed& results) const {
  const auto& spec = dataset_->spec();
  const auto size = plain_network(config_, spec)->size();
  const auto tasks = static_cast<double>(at_a_time), kept = static_cast<double>(steps);
  const auto support = static_cast<double>(shape.ways) * static_cast<double>(shape.shots);
  const auto query = static_cast<double>(shape.ways) * static_cast<double>(shape.queries);
  double input = 1;
  for (const auto n : spec.input) input *= static_cast<double>(n);
  const double passes = config_.inner.first_order || config_.inner.checkpointing ? std::min(kept, 1.0) : kept;
  require_memory(
      work,
      {{concat("parameters (", size.parameters, " of ", config_.network.name, ", after each of ", steps,
               " inner steps, ", at_a_time, " tasks at a time, and of the meta-optimizer)"),
        4 * size.parameters * (3 + tasks * (1 + kept))},
       {concat("samples (", shape.ways, " ways, ", shape.shots, " shots, ", shape.queries, " queries)"),
        4 * tasks * (support + query) * input},
       {concat("activations of the network (", size.activations, " a sample)"),
        4 * tasks * (passes * support + query) * size.activations},
       results},
      config_.memory);
}

Params SupervisedMetaLearner::optimizer_state() const { return optimizer_->state(); }

Params SupervisedMetaLearner::method_state() const {
  return running_.prefixed(kRunningPrefix).joined(method_->state());
}

void SupervisedMetaLearner::restore(const Params& meta, const Params& optimizer_state,
                                    const Params& method_state) {
  check_fits(meta, meta_, "meta-parameters");
  check_fits(optimizer_state, optimizer_->state(), "meta-optimizer state");
  use(meta, method_state);
  optimizer_->restore(optimizer_state);
}

void SupervisedMetaLearner::use(const Params& meta, const Params& method_state) {
  check_fits(meta, meta_, "meta-parameters");
  const Params running = method_state.part(kRunningPrefix);
  check_fits(running, running_, "running statistics");
  method_->restore(method_state.without(kRunningPrefix));
  meta_ = meta.cloned();
  running_ = running.cloned();
  others_.clear();
}

void SupervisedMetaLearner::use_ensemble(const std::vector<Learned>& members) {
  require(!members.empty(), "an ensemble of 0 found, expected 1 or more");
  use(members.front().meta, members.front().method_state);
  for (size_t i = 1; i < members.size(); ++i) {
    check_fits(members[i].meta, meta_, "meta-parameters");
    const Params running = members[i].method_state.part(kRunningPrefix);
    check_fits(running, running_, "running statistics");
    auto method = make_method(config_, algorithm_, *dataset_);
    method->restore(members[i].method_state.without(kRunningPrefix));
    others_.push_back({std::move(method), members[i].meta.cloned(), running.cloned()});
  }
}

// Finn et al. 2017, Algorithm 2.
SupervisedReport SupervisedMetaLearner::iterate(int64_t iteration, bool with_metric) {
  const torch::NoGradGuard no_graph;
  const EpisodeShape shape = drawn_shape(config_, iteration);
  const TaskSource source(*dataset_, shape, config_.seed);
  const Network& network = method_->network(/*training=*/true);
  const int64_t per_chunk = method_->tasks_per_chunk(), tasks = config_.meta_batch_size;
  const Moment now{.seed = config_.seed, .iteration = iteration};
  const auto as_tasks = [&](Episodes episodes) {
    return EpisodeTask(network, std::move(episodes), shape, reduction_, mode_);
  };
  meta_ = method_->prepare(meta_, {source, executor_, as_tasks}, now);
  const auto pass = [&](const Params& meta, int64_t chunk) {
    const int64_t first = chunk * per_chunk, count = std::min(per_chunk, tasks - first);
    const Moment here{.seed = config_.seed, .iteration = iteration, .first_task = first};
    const EpisodeTask task = as_tasks(method_->draw(source, here, count));  // 3, 5, 8: tasks, their sets
    EpisodeMetaProblem::Chunk out{method_->pass(meta, task, here, with_metric)};  // 6-7, 10
    if (with_metric) out.metric = task.metric(out.outcome.output).sum().item<double>();
    return out;
  };
  EpisodeMetaProblem problem(executor_, (tasks + per_chunk - 1) / per_chunk, tasks, pass);
  optimizer_->step(meta_, problem, now);  // 10: update theta
  if (mode_ == BatchNormMode::kGlobalRunning) {
    running_ = (1 - kRunningMomentum) * running_ +
               (kRunningMomentum / static_cast<double>(tasks)) * problem.statistics();
  }
  method_->absorb(problem.found(), tasks, now);
  return {iteration, problem.loss(),
          with_metric ? problem.metric() : std::numeric_limits<double>::quiet_NaN()};
}

EpisodeShape SupervisedMetaLearner::evaluation_shape(const SupervisedEvaluationConfig& evaluation) const {
  EpisodeShape shape = config_.shape;
  if (evaluation.ways > 0) shape.ways = evaluation.ways;
  if (evaluation.shots > 0) shape.shots = evaluation.shots;
  if (evaluation.queries > 0) shape.queries = evaluation.queries;
  return shape;
}

void SupervisedMetaLearner::check(const SupervisedEvaluationConfig& evaluation) const {
  dataset_->check(evaluation.split, evaluation_shape(evaluation));
  members_for(evaluation);
}

std::vector<SupervisedMetaLearner::Member> SupervisedMetaLearner::members_for(
    const SupervisedEvaluationConfig& evaluation) const {
  std::vector<Member> out{
      member_for(evaluation, {{std::shared_ptr<const Method>(), method_.get()}, meta_, running_})};
  for (const auto& other : others_) out.push_back(member_for(evaluation, other));
  return out;
}

SupervisedMetaLearner::Member SupervisedMetaLearner::member_for(const SupervisedEvaluationConfig& evaluation,
                                                                Member trained) const {
  const int64_t ways = evaluation_shape(evaluation).ways;
  if (ways == config_.shape.ways) return trained;
  SupervisedMetaConfig other = config_;
  other.shape.ways = ways;
  std::shared_ptr<Method> method = make_method(other, algorithm_, *dataset_);
  Stream any(StreamKey{.purpose = Purpose::kInitialParameters});  // names and shapes alone matter
  const Params expected = method->initial(any);
  for (const auto& entry : expected) {
    const auto learned = trained.meta.contains(entry.name) ? trained.meta.at(entry.name) : torch::Tensor();
    if (learned.defined() && learned.sizes() == entry.value.sizes()) continue;
    throw UsageError(concat("evaluation.ways is ", ways, ", but algorithm ", algorithm_.name, " learned for ",
                            config_.shape.ways, " ways: its ", entry.name, " has the shape ",
                            learned.defined() ? concat(learned.sizes()) : "none", ", ", ways, " ways need ",
                            entry.value.sizes(), "; train with dataset.ways = ", ways,
                            ", or by an algorithm that learns no head for each class, as prototypical"));
  }
  method->restore(trained.method->state());
  trained.method = std::move(method);
  return trained;
}

const Params* SupervisedMetaLearner::evaluation_statistics(const Member& member) const {
  return mode_ == BatchNormMode::kGlobalRunning ? &member.running : nullptr;
}

EpisodeTask SupervisedMetaLearner::task_of(const Member& member, const Episodes& episode,
                                           const SupervisedEvaluationConfig& evaluation) const {
  const double ways = static_cast<double>(evaluation_shape(evaluation).ways);
  return {member.method->network(/*training=*/false),
          episode,
          static_cast<double>(episode.support_y.size(1)) / ways,
          reduction_,
          mode_,
          evaluation_statistics(member)};
}

std::vector<torch::Tensor> SupervisedMetaLearner::outputs(const std::vector<Member>& members,
                                                          const Episodes& episode,
                                                          const SupervisedEvaluationConfig& evaluation,
                                                          int64_t task) const {
  const Moment now{.seed = evaluation.seed, .training = false, .first_task = task};
  const auto predicted = [&](const Member& member) {
    return member.method->predict(member.meta, task_of(member, episode, evaluation), evaluation.steps, now);
  };
  if (members.size() == 1) return predicted(members.front());
  const bool classes = dataset_->spec().classification;
  std::vector<torch::Tensor> mean;
  for (const auto& member : members) {
    const auto found = predicted(member);
    mean.resize(found.size());
    for (size_t k = 0; k < found.size(); ++k) {
      const auto share =
          (classes ? torch::log_softmax(found[k], 2).exp() : found[k]) / static_cast<double>(members.size());
      mean[k] = mean[k].defined() ? mean[k] + share : share;
    }
  }
  if (classes) {
    for (auto& output : mean) output = output.clamp_min(1e-30).log();
  }
  return mean;
}

}  // namespace innerloop
