#include "meta/policy/evolution_members.h"

#include <algorithm>
#include <iterator>

namespace innerloop {
namespace {

// Streams of what is sampled within an inner step stand apart from those of what is sampled after it.
constexpr int64_t kWithinStep = 1 << 16;

}  // namespace

Params random_direction(const StreamKey& key, const Params& like, const std::vector<std::string>& names) {
  Stream stream(key);
  Stream* streams[] = {&stream};
  std::vector<torch::Tensor> values;
  for (const auto& entry : like) {
    auto value = torch::zeros_like(entry.value).contiguous();
    if (std::find(names.begin(), names.end(), entry.name) != names.end())
      Stream::normals(streams, 1, value.numel(), value.data_ptr<float>(), value.numel());
    values.push_back(std::move(value));
  }
  return like.with(std::move(values));
}

EvolutionMembers::EvolutionMembers(const EvolutionConfig& evolution, const PolicyMetaConfig& config,
                                   const Policy& policy, const GradientMethod& method, Sampler& sampler,
                                   const Executor& executor, std::vector<Eigen::VectorXd> tasks,
                                   const Occasion& occasion)
    : evolution_(evolution),
      config_(config),
      method_(method),
      executor_(executor),
      tasks_(std::move(tasks)),
      occasion_(occasion),
      mine_(executor.share(static_cast<int64_t>(tasks_.size()))),
      rollouts_(policy, method, sampler, executor, config.advantage, parse_inner_estimator(config.estimator)),
      chunks_(tasks_.size()) {}

RecordedChunk EvolutionMembers::at(int64_t m, const Params& parameters) const {
  RecordedChunk chunk;
  chunk.now = {.seed = occasion_.seed,
               .iteration = occasion_.iteration,
               .training = !occasion_.evaluation,
               .first_task = m};
  chunk.adaptation = method_.inner().start(parameters, 1, chunk.now, Keep::kLast);
  return chunk;
}

void EvolutionMembers::start(const std::function<Params(int64_t)>& parameters) {
  executor_.each(size(), [&](int64_t m) { chunks_[static_cast<size_t>(m)] = at(m, parameters(m)); });
}

Params EvolutionMembers::parameters(int64_t m) const {
  return policy_parameters(method_, chunks_[static_cast<size_t>(m)]);
}

std::vector<RecordedChunk> EvolutionMembers::moved(const std::vector<Params>& directions, double by) const {
  std::vector<RecordedChunk> out(chunks_.size());
  executor_.each(size(), [&](int64_t m) {
    const auto i = static_cast<size_t>(m);
    out[i] = at(m, chunks_[i].adaptation.adapted() + by * directions[i]);
  });
  return out;
}

std::vector<Params> EvolutionMembers::directions(int64_t k, int64_t i) const {
  std::vector<Params> out(chunks_.size());
  executor_.each(size(), [&](int64_t m) {
    const StreamKey key{
        .seed = occasion_.seed,
        .purpose = occasion_.evaluation ? Purpose::kEvaluationAlgorithm : Purpose::kPerturbation,
        .iteration = static_cast<uint64_t>(occasion_.iteration),
        .task = static_cast<uint64_t>(m),
        .trajectory = static_cast<uint64_t>(1 + i),
        .step = static_cast<uint32_t>(1 + k)};
    out[static_cast<size_t>(m)] = random_direction(key, chunks_[static_cast<size_t>(m)].adaptation.adapted(),
                                                   method_.inner().adapted_names());
  });
  return out;
}

// `comparison`: which of the step's; -1: after the step.
Trajectories EvolutionMembers::sample(int64_t k, const std::vector<RecordedChunk>& chunks,
                                      int64_t trajectories, int64_t comparison) {
  const int64_t step = comparison < 0 ? k : kWithinStep + k * evolution_.adaptation_pairs + comparison;
  auto out = rollouts_.sample(tasks_, chunks, trajectories,
                              {occasion_.seed, static_cast<uint64_t>(occasion_.iteration),
                               static_cast<uint32_t>(step), occasion_.evaluation, 0});
  const auto found = rollouts_.outcomes(out, size());
  outcomes_.resize(std::max(outcomes_.size(), static_cast<size_t>(k) + 1));
  auto& all = outcomes_[static_cast<size_t>(k)];
  all.resize(found.size());
  for (size_t m = 0; m < found.size(); ++m) {
    auto& one = all[m];
    one.steps += found[m].steps;
    one.successes += found[m].successes;
    one.returns.insert(one.returns.end(), found[m].returns.begin(), found[m].returns.end());
    for (auto failure : found[m].failures) {
      failure.inner_step = static_cast<uint32_t>(k);
      one.failures.push_back(std::move(failure));
    }
  }
  return out;
}

Trajectories EvolutionMembers::sample(int64_t k, int64_t trajectories) {
  return sample(k, chunks_, trajectories, -1);
}

std::vector<double> EvolutionMembers::own_returns(const Trajectories& trajectories) const {
  std::vector<double> out(chunks_.size(), 0);
  for (int64_t m = mine_.first; m < mine_.last; ++m) {
    double sum = 0;
    for (int64_t n = 0; n < trajectories.per_task(); ++n)
      sum += trajectories.undiscounted_return(m - mine_.first, n);
    out[static_cast<size_t>(m)] = sum / static_cast<double>(trajectories.per_task());
  }
  return out;
}

std::vector<double> EvolutionMembers::returns(const Trajectories& trajectories, RewardKind kind) const {
  std::vector<double> out;
  const auto all = executor_.gather(size(), [&](int64_t m) {
    double sum = 0;
    for (int64_t n = 0; n < trajectories.per_task(); ++n)
      sum += trajectories.undiscounted_return(m - mine_.first, n, kind);
    return as_params({sum / static_cast<double>(trajectories.per_task())});
  });
  for (const auto& one : all) out.push_back(as_numbers(one).front());
  return out;
}

void EvolutionMembers::advance(int64_t k, double step_scale, int64_t trajectories) {
  const double step = step_scale * config_.inner.step_size;
  switch (evolution_.adaptation) {
    case EvolutionConfig::InnerStep::kEvolution:
      return climb_by_evolution(k, step, trajectories);
    case EvolutionConfig::InnerStep::kHillClimbing:
      return climb_by_trial(k, step, trajectories);
    case EvolutionConfig::InnerStep::kGradient:
      break;
  }
  rollouts_.record(sample(k, chunks_, trajectories, -1), chunks_, RewardKind::kTask);
  rollouts_.advance(chunks_, step_scale);
}

void EvolutionMembers::climb_by_evolution(int64_t k, double step, int64_t trajectories) {
  const int64_t pairs = evolution_.adaptation_pairs, each = trajectories / (2 * pairs);
  const double sigma = evolution_.adaptation_sigma;
  std::vector<std::vector<Params>> along;                  // by pair, then member
  std::vector<std::vector<double>> found(chunks_.size());  // by member: f(+), f(-) of every pair
  for (int64_t i = 0; i < pairs; ++i) {
    along.push_back(directions(k, i));
    for (const double sign : {1., -1.}) {
      const auto values = own_returns(sample(k, moved(along.back(), sign * sigma), each, i));
      for (size_t m = 0; m < found.size(); ++m) found[m].push_back(values[m]);
    }
  }
  executor_.each(size(), [&](int64_t m) {
    const auto own = static_cast<size_t>(m);
    const auto weights = shaped_returns(found[own], evolution_.shaping);
    Params phi = chunks_[own].adaptation.adapted();
    for (int64_t i = 0; i < pairs; ++i) {
      const auto p = static_cast<size_t>(2 * i);
      phi = phi + step * (weights[p] - weights[p + 1]) / (2 * static_cast<double>(pairs) * sigma) *
                      along[static_cast<size_t>(i)][own];
    }
    chunks_[own] = at(m, phi);
  });
}

void EvolutionMembers::climb_by_trial(int64_t k, double step, int64_t trajectories) {
  const auto along = directions(k, 0);
  auto tried = moved(along, step);
  const auto before = own_returns(sample(k, chunks_, trajectories / 2, 0));
  const auto after = own_returns(sample(k, tried, trajectories / 2, 0));
  executor_.each(size(), [&](int64_t m) {
    const auto own = static_cast<size_t>(m);
    if (after[own] > before[own]) chunks_[own] = std::move(tried[own]);
  });
}

double EvolutionMembers::entropy(const Trajectories& trajectories) {
  rollouts_.record(trajectories, chunks_, RewardKind::kTraining);
  const int64_t last = static_cast<int64_t>(rollouts_.explained_variance().size()) - 1;
  const auto sums = as_numbers(executor_.sum(size(), [&](int64_t m) {
    const auto& task = *chunks_[static_cast<size_t>(m)].task;
    return as_params({task.entropy_sum(last), task.data(last).steps.sum().item<double>()});
  }));
  return sums[0] / sums[1];
}

}  // namespace innerloop
