#include "meta/policy/policy_meta_learner.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/stopwatch.h"
#include "envs/registry.h"
#include "meta/optimizers/registry.h"
#include "meta/policy/policy_meta_problem.h"
#include "meta/policy/rollouts.h"
#include "meta/policy/training_tasks.h"

namespace innerloop {
namespace {

std::unique_ptr<GradientMethod> make_method(const PolicyMetaConfig& config, const Algorithm& algorithm,
                                            const Policy& policy) {
  require_usage(static_cast<bool>(algorithm.policy_method), "algorithm ", algorithm.name,
                " is one of data sets; it does not know policies");
  const MethodContext context{.inner = config.inner,
                              .initial = [&policy](Stream& stream) { return policy.initial(stream); },
                              .head = policy.network().head_names()};
  return algorithm.policy_method(config.algorithm.own, context);
}

}  // namespace

PolicyMetaLearner::PolicyMetaLearner(const PolicyMetaConfig& config, const Algorithm& algorithm,
                                     ThreadPool& pool)
    : PolicyMetaLearner(
          config, algorithm, [environment = config.environment] { return make_environment(environment); },
          pool) {}

PolicyMetaLearner::PolicyMetaLearner(const PolicyMetaConfig& config, const Algorithm& algorithm,
                                     std::function<std::unique_ptr<Environment>()> make, ThreadPool& pool)
    : config_(config), make_(std::move(make)), sampler_(make_, pool), executor_(pool) {
  require_usage(config_.meta_batch_size >= 1, "meta.batch_size: ", config_.meta_batch_size,
                " found, expected 1 or more");
  require_usage(config_.sampler.trajectories >= 1, "sampler.trajectories: ", config_.sampler.trajectories,
                " found, expected 1 or more");
  parse_inner_estimator(config_.estimator);
  policy_ = make_policy(config_.policy, sampler_.spec());
  require_usage(policy_->cell() == nullptr, "policy.name: ", config_.policy.name,
                " found, which remembers a trajectory; algorithm ", algorithm.name,
                " adapts policies without a memory by gradient steps, and rl2 those that remember");
  require_room("a meta-iteration", config_.meta_batch_size, config_.sampler.trajectories,
               config_.inner.steps + 1);
  training_tasks(config_, *make_(), 0);  // refuses what cannot be drawn
  method_ = make_method(config_, algorithm, *policy_);
  Stream stream(StreamKey{config_.seed, Purpose::kInitialParameters});
  meta_ = method_->initial(stream);
  optimizer_ = make_meta_optimizer(config_.optimizer, meta_);
}

PolicyMetaLearner::~PolicyMetaLearner() = default;

// float32; what is counted is what there surely is.
void PolicyMetaLearner::require_room(const std::string& work, int64_t tasks, int64_t trajectories,
                                     int64_t kept) const {
  const auto& spec = sampler_.spec();
  const auto size = policy_->network().size();
  const auto& mlp = policy_->network().config();
  const double steps = static_cast<double>(tasks) * static_cast<double>(trajectories) *
                       static_cast<double>(spec.horizon) * static_cast<double>(kept);
  const double activations = config_.inner.first_order || config_.inner.checkpointing ? 0 : size.activations;
  require_memory(work,
                 {{concat("trajectories (", tasks, " tasks x ", trajectories, " trajectories x horizon ",
                          spec.horizon, ", at ", kept, " inner steps)"),
                   4 * steps * static_cast<double>(mlp.inputs + mlp.outputs)},
                  {concat("activations of the policy's network (", size.activations, " a step)"),
                   4 * steps * activations},
                  {concat("parameters (", size.parameters, " of ", config_.policy.name, ", ", kept,
                          " copies for each of ", tasks, " tasks, and of the meta-optimizer)"),
                   4 * size.parameters * (3 + static_cast<double>(tasks) * static_cast<double>(kept))}},
                 config_.memory);
}

Params PolicyMetaLearner::optimizer_state() const { return optimizer_->state(); }

Params PolicyMetaLearner::method_state() const { return method_->state(); }

void PolicyMetaLearner::restore(const Params& meta, const Params& optimizer_state,
                                const Params& method_state) {
  check_fits(meta, meta_, "meta-parameters");
  check_fits(optimizer_state, optimizer_->state(), "meta-optimizer state");
  use(meta, method_state);
  optimizer_->restore(optimizer_state);
}

void PolicyMetaLearner::use(const Params& meta, const Params& method_state) {
  check_fits(meta, meta_, "meta-parameters");
  method_->restore(method_state);
  meta_ = meta.cloned();
}

std::vector<Eigen::VectorXd> PolicyMetaLearner::evaluation_tasks(
    const PolicyEvaluationConfig& evaluation) const {
  const auto given = static_cast<int64_t>(evaluation.given.size());
  const int64_t count = given > 0 ? given : evaluation.tasks;
  require_usage(count >= 1 && evaluation.trajectories >= 1 && evaluation.steps >= 0, "evaluation: ", count,
                " tasks, ", evaluation.trajectories, " trajectories and ", evaluation.steps,
                " steps asked, expected at least 1, 1 and 0");
  const auto environment = make_();
  std::vector<Eigen::VectorXd> tasks = evaluation.given;
  for (int64_t t = 0; t < count - given; ++t) {
    Stream stream(StreamKey{evaluation.seed, Purpose::kEvaluationTask, 0, static_cast<uint64_t>(t)});
    tasks.push_back(environment->sample_task(stream));
  }
  return tasks;
}

// Finn et al. 2017, Algorithm 3.
PolicyReport PolicyMetaLearner::iterate(int64_t iteration) {
  const torch::NoGradGuard no_graph;
  PolicyReport report;
  report.iteration = iteration;
  const Moment now{.seed = config_.seed, .iteration = iteration};
  const auto tasks = training_tasks(config_, *make_(), iteration);  // 3: sample a batch of tasks T_i ~ p(T)

  Rollouts rollouts(*policy_, *method_, sampler_, executor_, config_.advantage,
                    parse_inner_estimator(config_.estimator));
  auto chunks = start_chunks(*method_, meta_, config_.meta_batch_size, now,
                             config_.inner.checkpointing ? Keep::kParameters : Keep::kAll);
  for (int64_t k = 0; k <= config_.inner.steps; ++k) {  // 4-9: for all T_i
    // 5, 8: sample trajectories D_i with the policy adapted so far
    const auto trajectories = rollouts.sample(
        tasks, chunks, config_.sampler.trajectories,
        {config_.seed, static_cast<uint64_t>(iteration), static_cast<uint32_t>(k), /*evaluation=*/false, 0});
    rollouts.record(trajectories, chunks,
                    k < config_.inner.steps ? RewardKind::kTask : RewardKind::kTraining);
    const auto outcomes = rollouts.outcomes(trajectories, config_.meta_batch_size);
    report.returns.push_back(return_statistics(outcomes));
    for (const auto& task : outcomes) {
      report.environment_steps += task.steps;
      report.failures.insert(report.failures.end(), task.failures.begin(), task.failures.end());
    }
    // 6-7: phi_{k+1} = phi_k - alpha grad L(phi_k; D_i)
    if (k < config_.inner.steps) rollouts.advance(chunks, 1);
  }
  // 10: update theta with the trajectories of the adapted policies
  PolicyMetaProblem problem(*method_, executor_, meta_, chunks);
  {
    const AddsSeconds timed(report.meta_step_seconds);
    report.meta_step = optimizer_->step(meta_, problem, now);
    if (const Params found = problem.found(meta_); !found.empty())
      method_->absorb(found, config_.meta_batch_size, now);
  }
  report.entropy = problem.entropy();
  report.explained_variance = rollouts.explained_variance();
  report.sampling_seconds = rollouts.seconds().sampling;
  report.advantage_seconds = rollouts.seconds().advantages;
  report.inner_step_seconds = rollouts.seconds().inner_steps;
  report.meta_gradient_seconds = problem.seconds().gradient;
  report.curvature_seconds = problem.seconds().curvature;
  report.objective_seconds = problem.seconds().value;
  return report;
}

PolicyEvaluation PolicyMetaLearner::evaluate(const PolicyEvaluationConfig& evaluation, bool keep_trajectories,
                                             const std::function<void(int64_t)>& progress,
                                             std::vector<Params>* adapted) {
  const auto tasks = evaluation_tasks(evaluation);
  const auto task_count = static_cast<int64_t>(tasks.size());
  require_room("the evaluation", task_count, evaluation.trajectories,
               keep_trajectories ? evaluation.steps + 1 : 1);
  const torch::NoGradGuard no_graph;
  PolicyEvaluation out;
  for (const auto& task : tasks) out.tasks.push_back({task, {}, {}});
  // Trajectories and what adapts to them stay where they are sampled: whoever wants them samples all.
  const bool all_here = keep_trajectories || adapted != nullptr;
  const Executor executor = all_here ? executor_.alone() : executor_;
  Rollouts rollouts(*policy_, *method_, sampler_, executor, config_.advantage,
                    parse_inner_estimator(config_.estimator));
  auto chunks =
      start_chunks(*method_, meta_, task_count, {.seed = evaluation.seed, .training = false}, Keep::kLast);
  for (int64_t k = 0; k <= evaluation.steps; ++k) {
    const SampleKey key{evaluation.seed, 0, static_cast<uint32_t>(k), /*evaluation=*/true, 0};
    auto trajectories = rollouts.sample(tasks, chunks, evaluation.trajectories, key);
    const auto outcomes = rollouts.outcomes(trajectories, task_count);
    for (size_t t = 0; t < outcomes.size(); ++t) {
      out.tasks[t].returns.push_back(outcomes[t].mean_return());
      out.tasks[t].successes.push_back(outcomes[t].success_rate());
    }
    if (k < evaluation.steps) {
      rollouts.record(trajectories, chunks, RewardKind::kTask);
      rollouts.advance(chunks, k == 0 ? evaluation.first_step_scale : evaluation.later_step_scale);
    }
    if (keep_trajectories) out.trajectories.push_back(std::move(trajectories));
    if (progress) progress(k);
  }
  if (adapted != nullptr) {
    adapted->clear();
    for (const auto& chunk : chunks) adapted->push_back(policy_parameters(*method_, chunk).cloned());
  }
  return out;
}

}  // namespace innerloop
