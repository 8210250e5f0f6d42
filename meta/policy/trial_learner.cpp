#include "meta/policy/trial_learner.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/memory.h"
#include "base/permutation.h"
#include "base/stopwatch.h"
#include "envs/registry.h"
#include "envs/trial.h"
#include "meta/optimizers/registry.h"
#include "meta/policy/task_outcome.h"
#include "meta/policy/training_tasks.h"
#include "policies/recurrent_cell.h"
#include "sampling/trial_episodes.h"

namespace innerloop {
namespace {

constexpr int64_t kTrialsPerChunk =
    25;  // together in one pass: enough for matrix products, few enough to share

std::function<std::unique_ptr<Environment>()> trials_of(std::function<std::unique_ptr<Environment>()> make,
                                                        int64_t episodes) {
  return [make = std::move(make), episodes] { return std::make_unique<Trial>(make(), episodes); };
}

std::vector<std::string> policies_that_remember(ActionKind actions) {
  std::vector<std::string> names;
  for (const auto& row : policies()) {
    EnvironmentSpec any;
    any.action_kind = actions;
    any.observation_size = any.action_size = 1;
    try {
      if (make_policy({.name = row.name}, any)->cell() != nullptr) names.push_back(row.name);
    } catch (const UsageError&) {
      continue;  // for the other kind of actions
    }
  }
  return names;
}

// One minibatch as a meta-optimizer sees it. Its step asks for the value and then for the gradient at the
// same place: both come from one pass.
class PpoProblem : public MetaProblem {
 public:
  PpoProblem(const Policy& policy, const Executor& executor, const std::vector<TrialBatch>& chunks,
             const TrialConfig& config, double& seconds)
      : policy_(policy), executor_(executor), chunks_(chunks), config_(config), seconds_(seconds) {}

  Value value(const Params& meta) override {
    const AddsSeconds timed(seconds_);
    const Params sum = executor_.sum(static_cast<int64_t>(chunks_.size()), [&](int64_t c) {
      const auto found = ppo_gradient(policy_, meta, chunks_[static_cast<size_t>(c)], config_.ppo);
      return found.gradient.prefixed("gradient.").joined(as_params({found.loss, found.kl, found.steps}));
    });
    const auto numbers = as_numbers(sum);
    gradient_ = (1 / numbers[2]) * sum.part("gradient.");
    return {numbers[0] / numbers[2], numbers[1] / numbers[2]};
  }

  Params gradient(const Params&) override {
    if (config_.gradient_norm == 0) return gradient_;
    double squares = 0;
    for (const auto& entry : gradient_)
      squares += entry.value.to(torch::kFloat64).square().sum().item<double>();
    const double norm = std::sqrt(squares);
    return norm > config_.gradient_norm ? (config_.gradient_norm / norm) * gradient_ : gradient_;
  }

  std::optional<Value> value_after(const Params&) override { return std::nullopt; }

 private:
  const Policy& policy_;
  const Executor& executor_;
  const std::vector<TrialBatch>& chunks_;
  const TrialConfig& config_;
  double& seconds_;
  Params gradient_;
};

}  // namespace

TrialLearner::TrialLearner(const PolicyMetaConfig& config, const TrialConfig& trials, ThreadPool& pool)
    : TrialLearner(
          config, trials, [environment = config.environment] { return make_environment(environment); },
          pool) {}

TrialLearner::TrialLearner(const PolicyMetaConfig& config, const TrialConfig& trials,
                           std::function<std::unique_ptr<Environment>()> make, ThreadPool& pool)
    : config_(config),
      trials_(trials),
      make_(std::move(make)),
      environment_(make_()->spec()),
      pool_(pool),
      sampler_(trials_of(make_, trials.episodes), pool),
      executor_(pool) {
  require_usage(config_.meta_batch_size >= 1, "meta.batch_size: ", config_.meta_batch_size,
                " found, expected 1 or more");
  require_usage(config_.sampler.trajectories >= 1, "sampler.trajectories: ", config_.sampler.trajectories,
                " found, expected 1 or more");
  const int64_t all = config_.meta_batch_size * config_.sampler.trajectories;
  require_usage(trials_.minibatches >= 1 && trials_.minibatches <= all, config_.algorithm.name,
                ".minibatches: ", trials_.minibatches, " found, expected 1 to ", all,
                ", the trials of a meta-iteration (meta.batch_size x sampler.trajectories)");
  policy_ = make_policy(config_.policy, sampler_.spec());
  require_usage(policy_->cell() != nullptr, "policy.name: ", config_.policy.name,
                " found, which remembers nothing; algorithm ", config_.algorithm.name,
                " adapts by remembering and needs ",
                join(policies_that_remember(environment_.action_kind), " or "));
  require_usage(config_.optimizer.name != "trpo", "meta.optimizer: trpo found, but algorithm ",
                config_.algorithm.name, " knows no trust region; expected adam or sgd");
  require_room("a meta-iteration", config_.meta_batch_size, config_.sampler.trajectories, trials_.episodes);
  training_tasks(config_, *make_(), 0);  // refuses what cannot be drawn
  Stream stream(StreamKey{config_.seed, Purpose::kInitialParameters});
  meta_ = policy_->initial(stream);
  MetaOptimizerConfig once = config_.optimizer;
  once.epochs = 1;  // learn() counts them
  optimizer_ = make_meta_optimizer(once, meta_);
}

TrialLearner::~TrialLearner() = default;

double TrialLearner::step_size() const { return std::numeric_limits<double>::quiet_NaN(); }

// float32; what is counted is what there surely is.
void TrialLearner::require_room(const std::string& work, int64_t tasks, int64_t trajectories,
                                int64_t episodes) const {
  const auto& spec = sampler_.spec();
  const auto cell = policy_->cell()->size(), head = policy_->network().size();
  const double horizon = static_cast<double>(environment_.horizon) * static_cast<double>(episodes);
  const double trials = static_cast<double>(tasks) * static_cast<double>(trajectories);
  require_memory(
      work,
      {{concat("trials (", tasks, " tasks x ", trajectories, " trajectories x ", episodes,
               " episodes x horizon ", environment_.horizon, ")"),
        4 * trials * horizon * static_cast<double>(spec.observation_size + spec.action_entries() + 1)},
       {concat("activations of the policy's cell and network (", cell.activations + head.activations,
               " a step)"),
        4 * horizon * std::min(trials, static_cast<double>(kTrialsPerChunk)) *
            (cell.activations + head.activations)},
       {concat("parameters (", cell.parameters + head.parameters, " of ", config_.policy.name,
               ", and of the meta-optimizer)"),
        4 * (cell.parameters + head.parameters) * 4}},
      config_.memory);
}

Params TrialLearner::optimizer_state() const { return optimizer_->state(); }

void TrialLearner::restore(const Params& meta, const Params& optimizer_state, const Params& method_state) {
  check_fits(meta, meta_, "meta-parameters");
  check_fits(optimizer_state, optimizer_->state(), "meta-optimizer state");
  use(meta, method_state);
  optimizer_->restore(optimizer_state);
}

void TrialLearner::use(const Params& meta, const Params& method_state) {
  check_fits(meta, meta_, "meta-parameters");
  check_fits(method_state, Params(), "method state");
  meta_ = meta.cloned();
}

PolicyReport TrialLearner::iterate(int64_t iteration) {
  const torch::NoGradGuard no_graph;
  PolicyReport report;
  report.iteration = iteration;
  TrialSample sample = sample_trials(iteration, report);
  for (const auto& outcomes : episode_outcomes(executor_, sample)) {
    report.returns.push_back(return_statistics(outcomes));
    for (const auto& task : outcomes) {
      report.environment_steps += task.steps;
      report.failures.insert(report.failures.end(), task.failures.begin(), task.failures.end());
    }
  }
  {
    const AddsSeconds timed(report.advantage_seconds);
    report.explained_variance = find_advantages(executor_, sample, config_.advantage);
  }
  learn(sample, {.seed = config_.seed, .iteration = iteration}, report);
  return report;
}

TrialSample TrialLearner::sample_trials(int64_t iteration, PolicyReport& report) {
  const AddsSeconds timed(report.sampling_seconds);
  const auto tasks = training_tasks(config_, *make_(), iteration);
  TrialSample sample{.tasks = config_.meta_batch_size,
                     .per_task = config_.sampler.trajectories,
                     .episodes = trials_.episodes,
                     .tasks_per_chunk = std::max<int64_t>(1, kTrialsPerChunk / config_.sampler.trajectories)};
  const Share mine = executor_.share(sample.chunks());
  executor_.together([&] {
    if (mine.size() == 0) return;
    sample.first_task = sample.tasks_of(mine.first).first;
    const auto last = sample.tasks_of(mine.last - 1).last;
    const auto policy = policy_->sampler(meta_, 0);
    const SampleKey key{.seed = config_.seed,
                        .iteration = static_cast<uint64_t>(iteration),
                        .first_task = static_cast<uint64_t>(sample.first_task)};
    sample.trajectories = sampler_.sample({tasks.begin() + sample.first_task, tasks.begin() + last},
                                          {policy.get()}, sample.per_task, key);
  });
  return sample;
}

std::vector<TrialBatch> TrialLearner::minibatch(const TrialSample& sample, const std::vector<int64_t>& places,
                                                int64_t m) const {
  const int64_t all = sample.tasks * sample.per_task;
  std::vector<TrialBatch> chunks(static_cast<size_t>(sample.chunks()));
  executor_.each(sample.chunks(), [&](int64_t c) {
    std::vector<TrialSteps> trials;
    const Share tasks = sample.tasks_of(c);
    for (int64_t task = tasks.first; task < tasks.last; ++task) {
      for (int64_t n = 0; n < sample.per_task; ++n) {
        const auto place = static_cast<size_t>(task * sample.per_task + n);
        if (m < 0 || places[place] * trials_.minibatches / all == m) trials.push_back(sample.trial(task, n));
      }
    }
    auto& chunk = chunks[static_cast<size_t>(c)];
    chunk = batch_of(sample.trajectories, trials);
    if (chunk.steps() > 0) chunk.old_distribution = distributions_along(*policy_, meta_, chunk);
  });
  return chunks;
}

void TrialLearner::learn(const TrialSample& sample, const Moment& now, PolicyReport& report) {
  const AddsSeconds timed(report.meta_step_seconds);
  const int64_t trials = sample.tasks * sample.per_task;
  const auto whole = minibatch(sample, {}, -1);
  // Means over all steps: loss, KL, entropy.
  const auto value = [&](const Params& at) {
    const AddsSeconds timed_value(report.objective_seconds);
    auto numbers = as_numbers(executor_.sum(sample.chunks(), [&](int64_t c) {
      const auto found = ppo_value(*policy_, at, whole[static_cast<size_t>(c)], trials_.ppo);
      return as_params({found.loss, found.kl, found.entropy, found.steps});
    }));
    for (double& number : numbers) number /= numbers.back();
    return numbers;
  };
  const auto before = value(meta_);
  const Params state = optimizer_->state();
  Params moving = meta_;
  try {
    for (int64_t epoch = 0; epoch < config_.optimizer.epochs; ++epoch) {
      std::vector<int64_t> places;
      if (trials_.minibatches > 1) {
        Stream stream = now.stream(epoch);
        Permutation order(trials, stream);
        for (int64_t i = 0; i < trials; ++i) places.push_back(order.next());
      }
      for (int64_t m = 0; m < trials_.minibatches; ++m) {
        const auto part = trials_.minibatches > 1 ? minibatch(sample, places, m) : whole;
        PpoProblem problem(*policy_, executor_, part, trials_, report.meta_gradient_seconds);
        optimizer_->step(moving, problem, now);
      }
    }
    const auto after = value(moving);
    require(std::isfinite(after[0]), "the objective is ", after[0], " after the last step");
    report.meta_step = {before[0], after[0], before[1], after[1], 0, true};
  } catch (...) {
    optimizer_->restore(state);
    throw;
  }
  report.entropy = before[2];
  meta_ = std::move(moving);
}

PolicyEvaluation TrialLearner::evaluate(const PolicyEvaluationConfig& evaluation, bool keep_trajectories,
                                        const std::function<void(int64_t)>& progress,
                                        std::vector<Params>* adapted) {
  const auto given = static_cast<int64_t>(evaluation.given.size());
  const int64_t task_count = given > 0 ? given : evaluation.tasks, episodes = evaluation.steps + 1;
  require_usage(task_count >= 1 && evaluation.trajectories >= 1 && evaluation.steps >= 0,
                "evaluation: ", task_count, " tasks, ", evaluation.trajectories, " trajectories and ",
                evaluation.steps, " steps asked, expected at least 1, 1 and 0");
  const auto make = trials_of(make_, episodes);
  make();  // refuses more episodes than a trial can have
  require_room("the evaluation", task_count, evaluation.trajectories, episodes);
  const torch::NoGradGuard no_graph;
  const auto environment = make_();
  PolicyEvaluation out;
  out.of_trials = true;
  std::vector<Eigen::VectorXd> tasks = evaluation.given;
  for (int64_t t = 0; t < task_count - given; ++t) {
    Stream stream(StreamKey{evaluation.seed, Purpose::kEvaluationTask, 0, static_cast<uint64_t>(t)});
    tasks.push_back(environment->sample_task(stream));
  }
  for (const auto& task : tasks) out.tasks.push_back({task, {}, {}});
  const Executor executor = keep_trajectories ? executor_.alone() : executor_;
  const Share mine = executor.share(task_count);
  Trajectories trials;
  executor.together([&] {
    if (mine.size() == 0) return;
    Sampler sampler(make, pool_);
    const auto policy = policy_->sampler(meta_, 0);
    const SampleKey key{
        .seed = evaluation.seed, .evaluation = true, .first_task = static_cast<uint64_t>(mine.first)};
    trials = sampler.sample({tasks.begin() + mine.first, tasks.begin() + mine.last}, {policy.get()},
                            evaluation.trajectories, key);
  });
  for (int64_t k = 0; k < episodes; ++k) {
    const auto found = executor.gather(task_count, [&](int64_t t) {
      return outcome_params(episode_outcome(trials, t - mine.first, static_cast<uint64_t>(t), k));
    });
    for (size_t t = 0; t < found.size(); ++t) {
      const auto outcome = outcome_of(found[t], t);
      out.tasks[t].returns.push_back(outcome.mean_return());
      out.tasks[t].successes.push_back(outcome.success_rate());
    }
    if (progress) progress(k);
  }
  if (keep_trajectories) out.trajectories = split_episodes(trials, environment_, episodes);
  if (adapted != nullptr) adapted->clear();
  return out;
}

}  // namespace innerloop
