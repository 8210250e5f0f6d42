#include "meta/policy_meta_learner.h"

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/stopwatch.h"
#include "envs/registry.h"
#include "meta/meta_objective.h"
#include "meta/policy_gradient_task.h"
#include "meta/policy_meta_problem.h"

namespace innerloop {
namespace {

// The steps of task t as tensors with T = 1, trajectory after trajectory.
RecordedSteps pack(const Trajectories& trajectories, int64_t t, const Eigen::VectorXd& advantages) {
  const int64_t steps = trajectories.steps(t);
  RecordedSteps data;
  data.observations = torch::empty({1, steps, trajectories.observation_size()});
  data.actions = torch::empty({1, steps, trajectories.action_entries()});
  data.advantages = torch::empty({1, steps});
  data.steps = torch::full({1}, static_cast<double>(steps), torch::kFloat32);
  auto* observations = data.observations.data_ptr<float>();
  auto* actions = data.actions.data_ptr<float>();
  const auto append = [](float*& to, const Trajectories::ConstMatrix& from) {
    std::memcpy(to, from.data(), static_cast<size_t>(from.size()) * sizeof(float));
    to += from.size();
  };
  for (int64_t n = 0; n < trajectories.per_task(); ++n) {
    append(observations, trajectories.observations(t, n));
    append(actions, trajectories.actions(t, n));
  }
  Eigen::Map<Eigen::VectorXf>(data.advantages.data_ptr<float>(), steps) = advantages.cast<float>();
  return data;
}

ReturnStatistics return_statistics(const Trajectories& trajectories) {
  ReturnStatistics out;
  double sum = 0, squares = 0, successes = 0;
  out.min = std::numeric_limits<double>::infinity();
  out.max = -out.min;
  for (int64_t t = 0; t < trajectories.tasks(); ++t) {
    for (int64_t n = 0; n < trajectories.per_task(); ++n) {
      const double value = trajectories.undiscounted_return(t, n);
      sum += value;
      squares += value * value;
      successes += trajectories.success(t, n) ? 1 : 0;
      out.min = std::min(out.min, value);
      out.max = std::max(out.max, value);
    }
  }
  const auto count = static_cast<double>(trajectories.tasks() * trajectories.per_task());
  out.mean = sum / count;
  out.std = std::sqrt(std::max(0.0, squares / count - out.mean * out.mean));
  out.success_rate = successes / count;
  return out;
}

// Samples T tasks step by step while they adapt: what training and evaluation share.
class Rollouts {
 public:
  Rollouts(const Policy& policy, Sampler& sampler, const Executor& executor, const AdvantageConfig& advantage,
           InnerEstimator estimator)
      : policy_(policy),
        sampler_(sampler),
        executor_(executor),
        advantage_(advantage),
        estimator_(estimator) {}

  double sampling_seconds = 0, advantage_seconds = 0, inner_step_seconds = 0;
  std::vector<double> explained_variance;  // per recorded inner step, mean over tasks

  // Samples with every chunk's adapted policy and records the result as the data of the next inner step.
  Trajectories sample_and_record(const std::vector<Eigen::VectorXd>& tasks,
                                 std::vector<RecordedChunk>& chunks, int64_t per_task, const SampleKey& key) {
    Trajectories trajectories = sample(tasks, chunks, per_task, key);
    const AddsSeconds timed(advantage_seconds);
    const auto explained = executor_.map<double>(static_cast<int64_t>(chunks.size()), [&](int64_t t) {
      auto& chunk = chunks[static_cast<size_t>(t)];
      const auto computed = advantages(trajectories, t, advantage_);
      if (!chunk.task) chunk.task = std::make_unique<PolicyGradientTask>(policy_, estimator_);
      chunk.task->record(pack(trajectories, t, computed.values), chunk.adaptation.adapted());
      return computed.baseline_explained_variance;
    });
    double sum = 0;
    for (const double value : explained) sum += value;
    explained_variance.push_back(sum / static_cast<double>(explained.size()));
    return trajectories;
  }

  Trajectories sample(const std::vector<Eigen::VectorXd>& tasks, const std::vector<RecordedChunk>& chunks,
                      int64_t per_task, const SampleKey& key) {
    const AddsSeconds timed(sampling_seconds);
    std::vector<std::unique_ptr<ActionSampler>> owned;
    std::vector<const ActionSampler*> samplers;
    for (const auto& chunk : chunks) {
      owned.push_back(policy_.sampler(chunk.adaptation.adapted(), 0));
      samplers.push_back(owned.back().get());
    }
    try {
      return sampler_.sample(tasks, samplers, per_task, key);
    } catch (const Error& error) {
      throw Error(concat("inner step ", key.step, ": ", error.what()));
    }
  }

  // One inner step on the data recorded last.
  void advance(const InnerLoop& inner, std::vector<RecordedChunk>& chunks, double step_scale) {
    const AddsSeconds timed(inner_step_seconds);
    executor_.map<bool>(static_cast<int64_t>(chunks.size()), [&](int64_t t) {
      auto& chunk = chunks[static_cast<size_t>(t)];
      inner.advance(chunk.adaptation, *chunk.task, step_scale);
      return true;
    });
  }

 private:
  const Policy& policy_;
  Sampler& sampler_;
  const Executor& executor_;
  const AdvantageConfig& advantage_;
  InnerEstimator estimator_;
};

std::vector<RecordedChunk> start_chunks(const InnerLoop& inner, const Params& meta, size_t tasks) {
  std::vector<RecordedChunk> chunks(tasks);
  for (size_t t = 0; t < tasks; ++t) {
    chunks[t].adaptation = inner.start(meta, 1, static_cast<int64_t>(t));
  }
  return chunks;
}

}  // namespace

PolicyMetaLearner::PolicyMetaLearner(const PolicyMetaConfig& config, ThreadPool& pool)
    : config_(config),
      sampler_([environment = config.environment] { return make_environment(environment); }, pool),
      executor_(pool) {
  require_usage(config_.meta_batch_size >= 1, "meta.batch_size: ", config_.meta_batch_size,
                " found, expected 1 or more");
  require_usage(config_.sampler.trajectories >= 1, "sampler.trajectories: ", config_.sampler.trajectories,
                " found, expected 1 or more");
  parse_inner_estimator(config_.estimator);
  policy_ = make_policy(config_.policy, sampler_.spec());
  Stream stream(StreamKey{config_.seed, Purpose::kInitialParameters});
  const Params theta = policy_->initial(stream);
  inner_ = std::make_unique<InnerLoop>(config_.inner, theta);
  meta_ = inner_->meta_parameters(theta);
  optimizer_ = make_meta_optimizer(config_.optimizer, meta_);
}

PolicyMetaLearner::~PolicyMetaLearner() = default;

const EnvironmentSpec& PolicyMetaLearner::environment() const { return sampler_.spec(); }

Params PolicyMetaLearner::optimizer_state() const { return optimizer_->state(); }

void PolicyMetaLearner::restore(const Params& meta, const Params& optimizer_state) {
  check_fits(meta, meta_, "meta-parameters");
  check_fits(optimizer_state, optimizer_->state(), "meta-optimizer state");
  optimizer_->restore(optimizer_state);
  meta_ = meta.cloned();
}

// Finn et al. 2017, Algorithm 3.
IterationReport PolicyMetaLearner::iterate(int64_t iteration) {
  const torch::NoGradGuard no_graph;
  IterationReport report;
  report.iteration = iteration;
  const auto make = make_environment(config_.environment);
  std::vector<Eigen::VectorXd> tasks;  // 3: sample a batch of tasks T_i ~ p(T)
  for (int64_t t = 0; t < config_.meta_batch_size; ++t) {
    Stream stream(
        StreamKey{config_.seed, Purpose::kTask, static_cast<uint64_t>(iteration), static_cast<uint64_t>(t)});
    tasks.push_back(make->sample_task(stream));
  }

  Rollouts rollouts(*policy_, sampler_, executor_, config_.advantage,
                    parse_inner_estimator(config_.estimator));
  auto chunks = start_chunks(*inner_, meta_, tasks.size());
  for (int64_t k = 0; k <= config_.inner.steps; ++k) {  // 4-9: for all T_i
    // 5, 8: sample trajectories D_i with the policy adapted so far
    const auto trajectories = rollouts.sample_and_record(
        tasks, chunks, config_.sampler.trajectories,
        {config_.seed, static_cast<uint64_t>(iteration), static_cast<uint32_t>(k), /*evaluation=*/false, 0});
    report.environment_steps += trajectories.total_steps();
    report.returns.push_back(return_statistics(trajectories));
    const auto& failures = trajectories.failures();
    report.failures.insert(report.failures.end(), failures.begin(), failures.end());
    // 6-7: phi_{k+1} = phi_k - alpha grad L(phi_k; D_i)
    if (k < config_.inner.steps) rollouts.advance(*inner_, chunks, 1);
  }
  // 10: update theta with the trajectories of the adapted policies
  const LastStepObjective objective;
  PolicyMetaProblem problem(*inner_, objective, executor_, meta_, chunks);
  {
    const AddsSeconds timed(report.meta_step_seconds);
    report.meta_step = optimizer_->step(meta_, problem);
  }
  report.entropy = problem.entropy();
  report.explained_variance = rollouts.explained_variance;
  report.sampling_seconds = rollouts.sampling_seconds;
  report.advantage_seconds = rollouts.advantage_seconds;
  report.inner_step_seconds = rollouts.inner_step_seconds;
  report.meta_gradient_seconds = problem.seconds().gradient;
  report.curvature_seconds = problem.seconds().curvature;
  report.objective_seconds = problem.seconds().value;
  return report;
}

Evaluation PolicyMetaLearner::evaluate(const EvaluationConfig& evaluation, bool keep_trajectories,
                                       const std::function<void(int64_t)>& progress) {
  require_usage(evaluation.tasks >= 1 && evaluation.trajectories >= 1 && evaluation.steps >= 0,
                "evaluation: ", evaluation.tasks, " tasks, ", evaluation.trajectories, " trajectories and ",
                evaluation.steps, " steps asked, expected at least 1, 1 and 0");
  const torch::NoGradGuard no_graph;
  Evaluation out;
  const auto make = make_environment(config_.environment);
  std::vector<Eigen::VectorXd> tasks;
  for (int64_t t = 0; t < evaluation.tasks; ++t) {
    Stream stream(StreamKey{evaluation.seed, Purpose::kEvaluationTask, 0, static_cast<uint64_t>(t)});
    tasks.push_back(make->sample_task(stream));
    out.tasks.push_back({tasks.back(), {}, {}});
  }
  Rollouts rollouts(*policy_, sampler_, executor_, config_.advantage,
                    parse_inner_estimator(config_.estimator));
  auto chunks = start_chunks(*inner_, meta_, tasks.size());
  for (int64_t k = 0; k <= evaluation.steps; ++k) {
    const SampleKey key{evaluation.seed, 0, static_cast<uint32_t>(k), /*evaluation=*/true, 0};
    const bool last = k == evaluation.steps;
    auto trajectories = last ? rollouts.sample(tasks, chunks, evaluation.trajectories, key)
                             : rollouts.sample_and_record(tasks, chunks, evaluation.trajectories, key);
    for (int64_t t = 0; t < evaluation.tasks; ++t) {
      double sum = 0, successes = 0;
      for (int64_t n = 0; n < evaluation.trajectories; ++n) {
        sum += trajectories.undiscounted_return(t, n);
        successes += trajectories.success(t, n) ? 1 : 0;
      }
      auto& task = out.tasks[static_cast<size_t>(t)];
      task.returns.push_back(sum / static_cast<double>(evaluation.trajectories));
      task.successes.push_back(successes / static_cast<double>(evaluation.trajectories));
    }
    if (keep_trajectories) out.trajectories.push_back(std::move(trajectories));
    if (!last) {
      rollouts.advance(*inner_, chunks, k == 0 ? evaluation.first_step_scale : evaluation.later_step_scale);
    }
    if (progress) progress(k);
  }
  return out;
}

}  // namespace innerloop
