#include "meta/policy/evolution_learner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/stopwatch.h"
#include "meta/policy/evolution_members.h"
#include "meta/policy/training_tasks.h"

namespace innerloop {
namespace {

// The smoothed objective of one iteration; its gradient is the estimate at the meta-parameters that the
// returns are of.
class EvolutionProblem : public MetaProblem {
 public:
  EvolutionProblem(double mean_return, std::function<Params()> descent)
      : mean_return_(mean_return), descent_(std::move(descent)) {}

  Value value(const Params&) override { return {.loss = -mean_return_}; }
  Params gradient(const Params&) override { return descent_(); }
  std::optional<Value> value_after(const Params&) override { return std::nullopt; }

 private:
  double mean_return_;
  std::function<Params()> descent_;
};

std::vector<double> centred_ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> out(values.size(), 0);
  const double most = static_cast<double>(values.size()) - 1;
  for (size_t first = 0; first < order.size();) {
    size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    const double rank = 0.5 * static_cast<double>(first + last);
    for (size_t i = first; i <= last; ++i) out[order[i]] = most > 0 ? rank / most - 0.5 : 0;
    first = last + 1;
  }
  return out;
}

// The inner loop's algorithm is another one: the keys of the configured algorithm are not its.
PolicyMetaConfig without_own_keys(PolicyMetaConfig config) {
  config.algorithm.own = {};
  return config;
}

}  // namespace

std::vector<double> shaped_returns(const std::vector<double>& returns, EvolutionConfig::Shaping shaping) {
  if (shaping == EvolutionConfig::Shaping::kNone) return returns;
  if (shaping == EvolutionConfig::Shaping::kRanks) return centred_ranks(returns);
  const double count = static_cast<double>(returns.size());
  const double mean = std::accumulate(returns.begin(), returns.end(), 0.0) / count;
  double variance = 0;
  for (const double value : returns) variance += (value - mean) * (value - mean) / count;
  std::vector<double> out;
  for (const double value : returns) out.push_back(variance > 0 ? (value - mean) / std::sqrt(variance) : 0);
  return out;
}

EvolutionLearner::EvolutionLearner(const PolicyMetaConfig& config, const EvolutionConfig& evolution,
                                   const Algorithm& algorithm, ThreadPool& pool)
    : PolicyMetaLearner(without_own_keys(config), algorithm, pool), evolution_(evolution) {
  config_ = config;
  check();
}

EvolutionLearner::EvolutionLearner(const PolicyMetaConfig& config, const EvolutionConfig& evolution,
                                   const Algorithm& algorithm,
                                   std::function<std::unique_ptr<Environment>()> make, ThreadPool& pool)
    : PolicyMetaLearner(without_own_keys(config), algorithm, std::move(make), pool), evolution_(evolution) {
  config_ = config;
  check();
}

void EvolutionLearner::check() const {
  const auto& optimizer = config_.optimizer;
  require_usage(
      optimizer.name != "trpo",
      "meta.optimizer: trpo found, expected adam, sgd or lars: evolution strategies have no gradient "
      "of the policies that a trust region could bound");
  require_usage(optimizer.epochs == 1, "meta.epochs: ", optimizer.epochs,
                " found, expected 1: the estimate is one at the meta-parameters that were perturbed");
  require_usage(evolution_.sigma > 0 && evolution_.adaptation_sigma > 0 && evolution_.pairs >= 1 &&
                    evolution_.adaptation_pairs >= 1,
                "evolution: sigma ", evolution_.sigma, " and ", evolution_.adaptation_sigma, ", pairs ",
                evolution_.pairs, " and ", evolution_.adaptation_pairs,
                " found, expected positive numbers and at least 1 pair");
  check_trajectories(config_.sampler.trajectories, "sampler.trajectories");
}

void EvolutionLearner::check_trajectories(int64_t trajectories, const char* key) const {
  if (evolution_.adaptation == EvolutionConfig::InnerStep::kGradient) return;
  const bool evolution = evolution_.adaptation == EvolutionConfig::InnerStep::kEvolution;
  const int64_t compared = evolution ? 2 * evolution_.adaptation_pairs : 2;
  require_usage(trajectories % compared == 0, key, ": ", trajectories, " found, expected a multiple of ",
                compared, ", the policies that an inner step compares",
                evolution ? " (twice adaptation_pairs)" : "");
}

// Song et al. 2020, Algorithm 3, with antithetic directions.
PolicyReport EvolutionLearner::iterate(int64_t iteration) {
  const torch::NoGradGuard no_graph;
  const auto tasks = training_tasks(config_, *make_(), iteration);
  std::vector<Eigen::VectorXd> of_members;
  for (const auto& task : tasks)
    of_members.insert(of_members.end(), static_cast<size_t>(evolution_.pairs), task);
  const auto count = static_cast<int64_t>(of_members.size());
  const int64_t steps = config_.inner.steps, trajectories = config_.sampler.trajectories;
  const auto names = meta_.names();
  const auto direction = [&](int64_t m) {
    return random_direction({.seed = config_.seed,
                             .purpose = Purpose::kPerturbation,
                             .iteration = static_cast<uint64_t>(iteration),
                             .task = static_cast<uint64_t>(m)},
                            meta_, names);
  };

  PolicyReport report;
  report.iteration = iteration;
  std::vector<std::vector<TaskOutcome>> outcomes(static_cast<size_t>(steps) + 1);  // by step, then task
  for (auto& of_step : outcomes) of_step.resize(tasks.size());
  std::vector<double> found;  // F of all members in one sign, then in the other
  for (const double sign : {1., -1.}) {
    EvolutionMembers members(evolution_, config_, *policy_, *method_, sampler_, executor_, of_members,
                             {.seed = config_.seed, .iteration = iteration});
    members.start([&](int64_t m) { return meta_ + sign * evolution_.sigma * direction(m); });
    for (int64_t k = 0; k < steps; ++k) members.advance(k, 1, trajectories);
    const auto last = members.sample(steps, trajectories);
    const auto returns = members.returns(last, RewardKind::kTraining);
    found.insert(found.end(), returns.begin(), returns.end());
    report.entropy += members.entropy(last) / 2;
    for (int64_t k = 0; k <= steps; ++k) {
      for (int64_t m = 0; m < count; ++m) {
        const auto task = static_cast<size_t>(m / evolution_.pairs);
        const auto& from = members.outcomes(k)[static_cast<size_t>(m)];
        auto& to = outcomes[static_cast<size_t>(k)][task];
        to.returns.insert(to.returns.end(), from.returns.begin(), from.returns.end());
        to.successes += from.successes;
        to.steps += from.steps;
        for (auto failure : from.failures) {
          failure.task = task;
          to.failures.push_back(std::move(failure));
        }
      }
    }
    auto explained = members.rollouts().explained_variance();
    explained.insert(explained.begin(), static_cast<size_t>(steps) + 1 - explained.size(),
                     std::numeric_limits<double>::quiet_NaN());  // of steps without a baseline
    if (sign > 0) report.explained_variance = explained;
    report.sampling_seconds += members.rollouts().seconds().sampling;
    report.advantage_seconds += members.rollouts().seconds().advantages;
    report.inner_step_seconds += members.rollouts().seconds().inner_steps;
  }
  for (const auto& of_step : outcomes) {
    report.returns.push_back(return_statistics(of_step));
    for (const auto& task : of_step) {
      report.environment_steps += task.steps;
      report.failures.insert(report.failures.end(), task.failures.begin(), task.failures.end());
    }
  }

  const auto weights = shaped_returns(found, evolution_.shaping);
  EvolutionProblem problem(
      std::accumulate(found.begin(), found.end(), 0.0) / static_cast<double>(found.size()), [&] {
        return executor_.sum(count, [&](int64_t m) {
          const double difference = weights[static_cast<size_t>(m)] - weights[static_cast<size_t>(count + m)];
          return -difference / (2 * static_cast<double>(count) * evolution_.sigma) * direction(m);
        });
      });
  const AddsSeconds timed(report.meta_step_seconds);
  report.meta_step = optimizer_->step(meta_, problem, {.seed = config_.seed, .iteration = iteration});
  return report;
}

PolicyEvaluation EvolutionLearner::evaluate(const PolicyEvaluationConfig& evaluation, bool keep_trajectories,
                                            const std::function<void(int64_t)>& progress,
                                            std::vector<Params>* adapted) {
  if (evolution_.adaptation == EvolutionConfig::InnerStep::kGradient)
    return PolicyMetaLearner::evaluate(evaluation, keep_trajectories, progress, adapted);
  const torch::NoGradGuard no_graph;
  const auto tasks = evaluation_tasks(evaluation);
  const auto count = static_cast<int64_t>(tasks.size());
  if (evaluation.steps > 0) check_trajectories(evaluation.trajectories, "evaluation.trajectories");
  require_room("the evaluation", count, evaluation.trajectories,
               keep_trajectories ? evaluation.steps + 1 : 1);
  PolicyEvaluation out;
  for (const auto& task : tasks) out.tasks.push_back({task, {}, {}});
  const bool all_here = keep_trajectories || adapted != nullptr;
  const Executor executor = all_here ? executor_.alone() : executor_;
  EvolutionMembers members(evolution_, config_, *policy_, *method_, sampler_, executor, tasks,
                           {.seed = evaluation.seed, .evaluation = true});
  members.start([&](int64_t) { return meta_; });
  for (int64_t k = 0; k <= evaluation.steps; ++k) {
    auto trajectories = members.sample(k, evaluation.trajectories);
    for (size_t t = 0; t < tasks.size(); ++t) {
      out.tasks[t].returns.push_back(members.outcomes(k)[t].mean_return());
      out.tasks[t].successes.push_back(members.outcomes(k)[t].success_rate());
    }
    if (keep_trajectories) out.trajectories.push_back(std::move(trajectories));
    if (k < evaluation.steps) {
      members.advance(k, k == 0 ? evaluation.first_step_scale : evaluation.later_step_scale,
                      evaluation.trajectories);
    }
    if (progress) progress(k);
  }
  if (adapted != nullptr) {
    adapted->clear();
    for (int64_t m = 0; m < count; ++m) adapted->push_back(members.parameters(m).cloned());
  }
  return out;
}

}  // namespace innerloop
