#include "meta/supervised_meta_learner.h"

#include <cmath>
#include <limits>

#include "base/error.h"
#include "meta/meta_objective.h"
#include "networks/elementwise.h"

namespace innerloop {
namespace {

constexpr double kRunningMomentum = 0.1;  // of the batch's statistics in the averages (LibTorch's default)
constexpr const char* kRunningPrefix = "running.";

Params prefixed(const Params& params) {
  std::vector<Params::Entry> entries;
  for (const auto& entry : params) entries.push_back({kRunningPrefix + entry.name, entry.value});
  return Params(std::move(entries));
}

// Entries whose names begin with the prefix (without it), and the others.
std::pair<Params, Params> parted(const Params& state) {
  const std::string prefix = kRunningPrefix;
  std::vector<Params::Entry> running, rest;
  for (const auto& entry : state) {
    const bool is_running = entry.name.rfind(prefix, 0) == 0;
    (is_running ? running : rest)
        .push_back({is_running ? entry.name.substr(prefix.size()) : entry.name, entry.value});
  }
  return {Params(std::move(running)), Params(std::move(rest))};
}

// One iteration's meta-objective: the mean query loss of the meta-batch after adaptation. Loss and gradient
// come from one pass over the tasks, kept for the origin; each chunk draws its own episodes.
class EpisodeMetaProblem : public MetaProblem {
 public:
  struct Chunk {
    Params gradient;     // sum over the chunk's tasks
    torch::Tensor loss;  // [T]
    double metric = 0;   // sum over the chunk's tasks
    Params statistics;   // of the adapted networks' query passes, summed over tasks
  };
  using Pass = std::function<Chunk(const Params& meta, int64_t chunk)>;

  EpisodeMetaProblem(const Executor& executor, int64_t chunks, int64_t tasks, Pass pass)
      : executor_(executor), chunk_count_(chunks), tasks_(tasks), pass_(std::move(pass)) {}

  Value value(const Params& meta) override {
    run(meta);
    return {loss_, 0};
  }
  Params gradient(const Params& meta) override {
    run(meta);
    return gradient_;
  }
  std::optional<Value> value_after(const Params&) override { return std::nullopt; }
  Params fisher_product(const Params&) override {
    throw UsageError(
        "meta.optimizer: trpo needs policies, this is a supervised training; expected adam or sgd");
  }

  const std::vector<Chunk>& chunks() const { return chunks_; }
  double loss() const { return loss_; }
  double mean_metric() const {
    double sum = 0;
    for (const auto& chunk : chunks_) sum += chunk.metric;
    return sum / static_cast<double>(tasks_);
  }

 private:
  void run(const Params& meta) {
    if (!at_.empty() && at_[0].data_ptr() == meta[0].data_ptr()) return;
    at_ = meta;
    chunks_ = executor_.map<Chunk>(chunk_count_, [&](int64_t chunk) { return pass_(meta, chunk); });
    loss_ = 0;
    for (const auto& chunk : chunks_) loss_ += sum_in_double(chunk.loss);
    loss_ /= static_cast<double>(tasks_);
    Params sum = chunks_.front().gradient;
    for (size_t i = 1; i < chunks_.size(); ++i) sum = sum + chunks_[i].gradient;
    gradient_ = (1.0 / static_cast<double>(tasks_)) * sum;
  }

  const Executor& executor_;
  int64_t chunk_count_, tasks_;
  Pass pass_;
  Params at_, gradient_;
  double loss_ = 0;
  std::vector<Chunk> chunks_;
};

Purpose evaluation_purpose(Split split) {
  return split == Split::kTest ? Purpose::kEvaluationTask : Purpose::kValidationTask;
}

}  // namespace

SupervisedMetaLearner::SupervisedMetaLearner(const SupervisedMetaConfig& config, ThreadPool& pool)
    : SupervisedMetaLearner(config, make_dataset(config.dataset), pool) {}

SupervisedMetaLearner::SupervisedMetaLearner(const SupervisedMetaConfig& config,
                                             std::unique_ptr<Dataset> dataset, ThreadPool& pool)
    : config_(config),
      dataset_(std::move(dataset)),
      reduction_(parse_loss_reduction(config.loss_reduction)),
      mode_(parse_batch_norm_mode(config.network.batch_norm)),
      executor_(pool) {
  require_usage(config_.meta_batch_size >= 1, "meta.batch_size: ", config_.meta_batch_size,
                " found, expected 1 or more");
  const auto& spec = dataset_->spec();
  dataset_->check(Split::kTrain, config_.shape);
  network_ =
      make_network(config_.network, spec.input, spec.classification ? config_.shape.ways : spec.outputs);
  if (spec.classification && config_.inner.steps == 0) {
    training_network_ = make_network(config_.network, spec.input, dataset_->classes(Split::kTrain));
  }
  const Network& trained = pretrains() ? *training_network_ : *network_;
  Stream stream(StreamKey{config_.seed, Purpose::kInitialParameters});
  const Params theta = trained.initial(stream);
  inner_ = std::make_unique<InnerLoop>(config_.inner, theta);
  meta_ = inner_->meta_parameters(theta);
  optimizer_ = make_meta_optimizer(config_.optimizer, meta_);
  if (mode_ == BatchNormMode::kGlobalRunning) {  // begin as the standard normal's
    const torch::NoGradGuard no_graph;
    trained.forward(theta, training_episodes(0, 0, 1).query_x, {.found = &running_});
    std::vector<torch::Tensor> values;
    for (const auto& entry : running_) {
      const bool variance = entry.name.find("variance") != std::string::npos;
      values.push_back(variance ? torch::ones_like(entry.value) : torch::zeros_like(entry.value));
    }
    running_ = running_.with(std::move(values));
  }
}

SupervisedMetaLearner::~SupervisedMetaLearner() = default;

Params SupervisedMetaLearner::optimizer_state() const {
  return optimizer_->state().joined(prefixed(running_));
}

void SupervisedMetaLearner::restore(const Params& meta, const Params& optimizer_state) {
  check_fits(meta, meta_, "meta-parameters");
  const auto [running, rest] = parted(optimizer_state);
  check_fits(rest, optimizer_->state(), "meta-optimizer state");
  check_fits(running, running_, "running statistics");
  optimizer_->restore(rest);
  meta_ = meta.cloned();
  running_ = running.cloned();
}

Params SupervisedMetaLearner::initialisation() const {
  const Params theta = inner_->theta(meta_);
  if (!pretrains()) return theta;
  Stream stream(StreamKey{config_.seed, Purpose::kInitialParameters});
  std::vector<torch::Tensor> values;
  for (const auto& entry : network_->initial(stream)) {
    const auto& trained = theta.at(entry.name);
    values.push_back(trained.sizes() == entry.value.sizes() ? trained : torch::zeros_like(entry.value));
  }
  return theta.with(std::move(values));
}

Episodes SupervisedMetaLearner::training_episodes(int64_t iteration, int64_t first, int64_t count) const {
  const auto key = [&](int64_t t) {
    return StreamKey{config_.seed, Purpose::kTask, static_cast<uint64_t>(iteration),
                     static_cast<uint64_t>(first + t)};
  };
  if (pretrains()) {  // images of any class instead of a task's, as many as its query set
    Stream stream(key(0));
    const auto batch =
        dataset_->draw_labelled(Split::kTrain, config_.shape.ways * config_.shape.queries, stream);
    return {.support_x = batch.x, .query_x = batch.x, .support_y = batch.y, .query_y = batch.y};
  }
  Episodes episodes = make_episodes(dataset_->spec(), config_.shape, count);
  for (int64_t t = 0; t < count; ++t) {
    Stream stream(key(t));
    dataset_->draw(Split::kTrain, config_.shape, stream, episodes, t);
  }
  return episodes;
}

// Finn et al. 2017, Algorithm 2.
SupervisedReport SupervisedMetaLearner::iterate(int64_t iteration, bool with_metric) {
  const torch::NoGradGuard no_graph;
  const LastStepObjective objective;
  const Network& network = pretrains() ? *training_network_ : *network_;
  const int64_t per_chunk = pretrains() ? 1 : network.tasks_per_chunk(), tasks = config_.meta_batch_size;
  const auto pass = [&](const Params& meta, int64_t chunk) {
    const int64_t first = chunk * per_chunk, count = std::min(per_chunk, tasks - first);
    const EpisodeTask task(network, training_episodes(iteration, first, count), config_.shape, reduction_,
                           mode_);  // 3, 5, 8: tasks, their support and query sets
    Params adapted;
    auto result = meta_gradient(*inner_, objective, meta, task, first, &adapted);  // 6-7, 10
    EpisodeMetaProblem::Chunk out{std::move(result.gradient), std::move(result.loss)};
    if (with_metric) out.metric = task.query_metric(adapted).sum().item<double>();
    if (mode_ == BatchNormMode::kGlobalRunning) {
      network.forward(adapted, task.episodes().query_x, {.found = &out.statistics});
      out.statistics = out.statistics.sum_over_tasks();
    }
    return out;
  };
  EpisodeMetaProblem problem(executor_, (tasks + per_chunk - 1) / per_chunk, tasks, pass);
  optimizer_->step(meta_, problem);  // 10: update theta
  if (mode_ == BatchNormMode::kGlobalRunning) {
    Params mean = problem.chunks().front().statistics;
    for (size_t i = 1; i < problem.chunks().size(); ++i) mean = mean + problem.chunks()[i].statistics;
    running_ = (1 - kRunningMomentum) * running_ + (kRunningMomentum / static_cast<double>(tasks)) * mean;
  }
  return {iteration, problem.loss(),
          with_metric ? problem.mean_metric() : std::numeric_limits<double>::quiet_NaN()};
}

EpisodeShape SupervisedMetaLearner::evaluation_shape(const SupervisedEvaluationConfig& evaluation) const {
  EpisodeShape shape = config_.shape;
  if (evaluation.shots > 0) shape.shots = evaluation.shots;
  if (evaluation.queries > 0) shape.queries = evaluation.queries;
  return shape;
}

Episodes SupervisedMetaLearner::evaluation_episode(const SupervisedEvaluationConfig& evaluation,
                                                   int64_t task) const {
  const EpisodeShape shape = evaluation_shape(evaluation);
  Episodes episodes = make_episodes(dataset_->spec(), shape, 1);
  Stream stream(evaluation_key(evaluation, task));
  dataset_->draw(evaluation.split, shape, stream, episodes, 0);
  return episodes;
}

StreamKey SupervisedMetaLearner::evaluation_key(const SupervisedEvaluationConfig& evaluation,
                                                int64_t task) const {
  return {evaluation.seed, evaluation_purpose(evaluation.split), 0, static_cast<uint64_t>(task)};
}

TaskMetrics SupervisedMetaLearner::evaluate(const SupervisedEvaluationConfig& evaluation,
                                            const std::function<void(int64_t)>& progress) const {
  require_usage(evaluation.tasks >= 1 && evaluation.steps >= 0, "evaluation: ", evaluation.tasks,
                " tasks and ", evaluation.steps, " steps asked, expected at least 1 and 0");
  const torch::NoGradGuard no_graph;
  const EpisodeShape shape = evaluation_shape(evaluation);
  dataset_->check(evaluation.split, shape);
  const Params* running = mode_ == BatchNormMode::kGlobalRunning ? &running_ : nullptr;
  InnerLoopConfig forward_only = config_.inner;
  forward_only.checkpointing = true;  // nothing is differentiated: keep nothing
  const Params start = initialisation();
  const InnerLoop inner(forward_only, start);
  const Params meta = pretrains() ? start : meta_;
  TaskMetrics metrics(static_cast<size_t>(evaluation.tasks));
  constexpr int64_t kBlock = 50;  // tasks between two reports
  for (int64_t first = 0; first < evaluation.tasks; first += kBlock) {
    const int64_t count = std::min(kBlock, evaluation.tasks - first);
    const auto block = executor_.map<std::vector<double>>(count, [&](int64_t i) {
      const EpisodeTask task(*network_, evaluation_episode(evaluation, first + i), shape, reduction_, mode_,
                             running);
      Adaptation adaptation = inner.start(meta, 1, first + i);
      std::vector<double> row{task.query_metric(adaptation.adapted()).item<double>()};
      for (int64_t k = 0; k < evaluation.steps; ++k) {
        inner.advance(adaptation, task);
        row.push_back(task.query_metric(adaptation.adapted()).item<double>());
      }
      return row;
    });
    std::copy(block.begin(), block.end(), metrics.begin() + first);
    if (progress) progress(first + count);
  }
  return metrics;
}

std::vector<double> SupervisedMetaLearner::nearest_neighbour(const SupervisedEvaluationConfig& evaluation,
                                                             bool on_features) const {
  require_usage(dataset_->spec().classification, "nearest neighbour: the data set '", dataset_->spec().name,
                "' has no classes");
  const torch::NoGradGuard no_graph;
  dataset_->check(evaluation.split, evaluation_shape(evaluation));
  const Params theta = initialisation();
  const Params* running = mode_ == BatchNormMode::kGlobalRunning ? &running_ : nullptr;
  return executor_.map<double>(evaluation.tasks, [&](int64_t i) {
    const Episodes episode = evaluation_episode(evaluation, i);
    const auto points = [&](const torch::Tensor& x) {
      return on_features ? network_->features(theta, x, {.use = running}) : x.flatten(2);
    };
    const torch::Tensor nearest =
        torch::cdist(points(episode.query_x), points(episode.support_x)).argmin(2);  // [1, queries]
    const torch::Tensor label = episode.support_y.gather(1, nearest);
    return label.eq(episode.query_y).to(torch::kFloat64).mean().item<double>();
  });
}

}  // namespace innerloop
