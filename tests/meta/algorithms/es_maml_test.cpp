#include "meta/algorithms/es_maml.h"

#include <cmath>

#include "base/error.h"
#include "envs/call_checks.h"
#include "envs/training_reward.h"
#include "meta/algorithms/maml.h"
#include "meta/policy/evolution_learner.h"
#include "meta/policy/evolution_members.h"
#include "tests/thread_processes.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using InnerStep = EvolutionConfig::InnerStep;
using Shaping = EvolutionConfig::Shaping;

namespace {

// One step: the reward is -(a - g)^2 for a task g ~ U(0.5, 1.5), and the observation 0, so that a policy
// without hidden layers is its bias.
class Shot : public Environment {
 public:
  const EnvironmentSpec& spec() const override { return spec_; }
  Eigen::VectorXd sample_task(Stream& stream) const override {
    return Eigen::VectorXd::Constant(1, stream.uniform(0.5, 1.5));
  }
  void set_task(const Eigen::VectorXd& task) override {
    checks_.set_task(spec_, task);
    goal_ = task[0];
  }
  void reset(Stream&, ObservationRef observation) override {
    checks_.reset(spec_, observation);
    observation.setZero();
  }
  StepResult step(const ActionRef& action, Stream&, ObservationRef observation) override {
    checks_.step(spec_, action, observation);
    observation.setZero();
    last_ = static_cast<double>(action[0]);
    return {.reward = -(last_ - goal_) * (last_ - goal_)};
  }

 protected:
  double goal_ = 0, last_ = 0;

 private:
  EnvironmentSpec spec_{.name = "shot",
                        .description = "one shot",
                        .observation_size = 1,
                        .action_size = 1,
                        .horizon = 1,
                        .task_parameters = {"goal"}};
  CallChecks checks_;
};

// The outer loss wants 2 g instead.
class TwofoldShot : public Shot, public TrainingReward {
 public:
  double training_reward() const override { return -(last_ - 2 * goal_) * (last_ - 2 * goal_); }
};

std::unique_ptr<Environment> shot() { return std::make_unique<Shot>(); }

PolicyMetaConfig config_of(double std = 1e-5) {
  PolicyMetaConfig config;
  config.policy = {.hidden = {}, .own = {{"initial_std", std}}};
  config.meta_batch_size = 4;
  config.sampler.trajectories = 2;
  config.inner.step_size = 1e-12;  // no adaptation to speak of
  config.optimizer = {.name = "sgd", .step_size = 0.05};
  config.seed = 3;
  return config;
}

double bias(const Params& params) { return params.at("layer0.bias").item<double>(); }

std::vector<double> goals(const PolicyMetaConfig& config, int64_t iteration) {
  std::vector<double> out;
  for (int64_t t = 0; t < config.meta_batch_size; ++t) {
    Stream stream(
        StreamKey{config.seed, Purpose::kTask, static_cast<uint64_t>(iteration), static_cast<uint64_t>(t)});
    out.push_back(Shot().sample_task(stream)[0]);
  }
  return out;
}

}  // namespace

TEST_CASE("returns are shaped by their deviation or to centred ranks, ties alike", "[meta]") {
  CHECK(shaped_returns({3, 1, 2, 2}, Shaping::kRanks) == std::vector<double>{0.5, -0.5, 0, 0});
  CHECK(shaped_returns({3, 1, 2, 2}, Shaping::kNone) == std::vector<double>{3, 1, 2, 2});
  const auto deviation = shaped_returns({3, 1, 3, 1}, Shaping::kDeviation);
  CHECK(deviation == std::vector<double>{1, -1, 1, -1});
  CHECK(shaped_returns({5, 5}, Shaping::kDeviation) == std::vector<double>{0, 0});
  CHECK(shaped_returns({5, 5}, Shaping::kRanks) == std::vector<double>{0, 0});
  CHECK(shaped_returns({5}, Shaping::kRanks) == std::vector<double>{0});
}

TEST_CASE("the meta-step is the antithetic estimate, worked out for a return that is a parabola", "[meta]") {
  const int64_t pairs = GENERATE(int64_t{1}, int64_t{3});
  const bool twofold = GENERATE(false, true);
  const auto config = config_of();
  const EvolutionConfig evolution{.sigma = 0.2, .pairs = pairs, .shaping = Shaping::kNone};
  ThreadPool pool(2, &Executor::prepare_thread);
  const auto make = [twofold]() -> std::unique_ptr<Environment> {
    if (twofold) return std::make_unique<TwofoldShot>();
    return shot();
  };
  EvolutionLearner learner(config, evolution, maml(), make, pool);
  const Params start = learner.meta_parameters().cloned();
  const auto report = learner.iterate(0);
  // (F(theta + sigma e) - F(theta - sigma e)) / (2 sigma) = -2 (b - g) e_b for F = -(b - g)^2.
  const auto tasks = goals(config, 0);
  Params expected = start;
  double mean = 0;
  const auto n = static_cast<double>(config.meta_batch_size * pairs);
  for (int64_t m = 0; m < config.meta_batch_size * pairs; ++m) {
    const double g = (twofold ? 2 : 1) * tasks[static_cast<size_t>(m / pairs)];
    const Params e = random_direction(
        {.seed = 3, .purpose = Purpose::kPerturbation, .iteration = 0, .task = static_cast<uint64_t>(m)},
        start, start.names());
    expected = expected + config.optimizer.step_size / n * -2 * (bias(start) - g) * bias(e) * e;
    const double away = bias(start) - g;
    mean -= (away * away + evolution.sigma * evolution.sigma * bias(e) * bias(e)) / n;
  }
  CHECK(bias(learner.meta_parameters()) == Approx(bias(expected)).epsilon(1e-3));
  CHECK(std::abs(bias(expected) - bias(start)) > 0.01);
  CHECK(report.meta_step.loss_before == Approx(-mean).epsilon(1e-3));
  CHECK(report.environment_steps ==
        config.meta_batch_size * pairs * 2 * 2 * 2);  // signs, steps, trajectories
  CHECK(report.returns.size() == 2);
  CHECK(report.returns[1].per_task.size() == 4);
}

TEST_CASE("both signs see the same random numbers", "[meta]") {
  // Actions have deviation 1: their noise in F, divided by sigma, would throw the parameters about.
  auto config = config_of(1);
  config.meta_batch_size = 20;
  const EvolutionConfig evolution{.sigma = 1e-4, .shaping = Shaping::kNone};
  ThreadPool pool(1, &Executor::prepare_thread);
  EvolutionLearner learner(config, evolution, maml(), shot, pool);
  const Params start = learner.meta_parameters().cloned();
  learner.iterate(0);
  CHECK(std::abs(bias(learner.meta_parameters()) - bias(start)) < 0.5);
  CHECK(bias(learner.meta_parameters()) != bias(start));
}

TEST_CASE("the ES gradient adaptation is the antithetic estimate, worked out for a parabola", "[meta]") {
  auto config = config_of();
  config.inner = {.steps = 1, .step_size = 0.1};
  const EvolutionConfig evolution{.adaptation = InnerStep::kEvolution,
                                  .shaping = Shaping::kNone,
                                  .adaptation_sigma = 0.3,
                                  .adaptation_pairs = 3};
  config.sampler.trajectories = 6;
  ThreadPool pool(2, &Executor::prepare_thread);
  EvolutionLearner learner(config, evolution, maml(), shot, pool);
  const Params start = learner.meta_parameters();
  std::vector<Params> adapted;
  const auto found =
      learner.evaluate({.steps = 1,
                        .trajectories = 6,
                        .seed = 9,
                        .given = {Eigen::VectorXd::Constant(1, 0.7), Eigen::VectorXd::Constant(1, 1.4)}},
                       false, {}, &adapted);
  REQUIRE(adapted.size() == 2);
  for (size_t m = 0; m < 2; ++m) {
    const double g = found.tasks[m].task[0];
    double step = 0;
    for (uint64_t i = 0; i < 3; ++i) {
      const Params h = random_direction(
          {.seed = 9, .purpose = Purpose::kEvaluationAlgorithm, .task = m, .trajectory = 1 + i, .step = 1},
          start, start.names());
      step += 0.1 / 3 * -2 * (bias(start) - g) * bias(h) * bias(h);
    }
    CHECK(bias(adapted[m]) - bias(start) == Approx(step).epsilon(2e-3));
    CHECK(std::abs(step) > 1e-3);
    CHECK(found.tasks[m].returns[1] > found.tasks[m].returns[0]);
    CHECK(found.tasks[m].returns[1] == Approx(-std::pow(bias(adapted[m]) - g, 2)).epsilon(1e-2));
  }
}

TEST_CASE("hill climbing takes a step that helps and leaves one that does not", "[meta]") {
  auto config = config_of();
  config.inner = {.steps = 1, .step_size = 0.2};
  const EvolutionConfig evolution{.adaptation = InnerStep::kHillClimbing};
  ThreadPool pool(1, &Executor::prepare_thread);
  EvolutionLearner learner(config, evolution, maml(), shot, pool);
  const Params start = learner.meta_parameters();
  std::vector<Eigen::VectorXd> tasks;
  for (int k = 0; k < 12; ++k) tasks.push_back(Eigen::VectorXd::Constant(1, 0.5 + 0.1 * k));
  std::vector<Params> adapted;
  const auto found =
      learner.evaluate({.steps = 1, .trajectories = 4, .seed = 9, .given = tasks}, false, {}, &adapted);
  int taken = 0;
  for (size_t m = 0; m < tasks.size(); ++m) {
    const Params h = random_direction(
        {.seed = 9, .purpose = Purpose::kEvaluationAlgorithm, .task = m, .trajectory = 1, .step = 1}, start,
        start.names());
    const double g = tasks[m][0], tried = bias(start) + 0.2 * bias(h);
    const bool better = std::abs(tried - g) < std::abs(bias(start) - g);
    CHECK(bias(adapted[m]) == Approx(better ? tried : bias(start)).margin(1e-6));
    taken += better ? 1 : 0;
  }
  CHECK(taken > 2);
  CHECK(taken < 10);
}

TEST_CASE("zero-order adaptation moves the entries that inner.adapt names alone", "[meta]") {
  auto config = config_of();
  config.inner = {.steps = 1, .step_size = 0.3, .adapt = "layer0.bias"};
  config.sampler.trajectories = 10;
  const EvolutionConfig evolution{.adaptation = InnerStep::kEvolution};
  ThreadPool pool(1, &Executor::prepare_thread);
  EvolutionLearner learner(config, evolution, maml(), shot, pool);
  std::vector<Params> adapted;
  learner.evaluate({.tasks = 1, .steps = 1, .trajectories = 10}, false, {}, &adapted);
  const Params& start = learner.meta_parameters();
  CHECK(torch::equal(adapted[0].at("log_std"), start.at("log_std")));
  CHECK(torch::equal(adapted[0].at("layer0.weight"), start.at("layer0.weight")));
  CHECK(bias(adapted[0]) != bias(start));
}

TEST_CASE("every adaptation of es_maml learns where to start, and is the same in several processes",
          "[meta]") {
  const auto adaptation = GENERATE(InnerStep::kGradient, InnerStep::kEvolution, InnerStep::kHillClimbing);
  auto config = config_of(0.1);
  config.inner = {.steps = 2, .step_size = adaptation == InnerStep::kGradient ? 1e-3 : 0.1};
  config.sampler.trajectories = 4;
  config.optimizer = {.name = "adam", .step_size = 0.05};
  const EvolutionConfig evolution{.pairs = 2, .adaptation = adaptation, .adaptation_pairs = 2};
  const auto run = [&](ThreadPool& pool, int64_t iterations) {
    EvolutionLearner learner(config, evolution, maml(), shot, pool);
    for (int64_t i = 0; i < iterations; ++i) learner.iterate(i);
    const auto found = learner.evaluate({.tasks = 5, .steps = 1, .trajectories = 4});
    double mean = 0;
    for (const auto& task : found.tasks) mean += task.returns[1] / 5;
    return std::pair{learner.meta_parameters().cloned(), mean};
  };
  ThreadPool pool(2, &Executor::prepare_thread);
  const auto untrained = run(pool, 0), trained = run(pool, 60);
  CHECK(trained.second > untrained.second + 0.05);
  CHECK(trained.second > -0.3);
  const auto three = run(pool, 3);
  for (const int ranks : {2, 3, 7}) {
    const auto all = ThreadProcesses::run(ranks, [&](Processes& processes) {
      ThreadPool own(1, &Executor::prepare_thread, processes);
      return run(own, 3);
    });
    for (const auto& one : all) {
      CHECK(identical(one.first, three.first));
      CHECK(one.second == three.second);
    }
  }
}

TEST_CASE("es_maml refuses what it cannot do", "[meta]") {
  ThreadPool pool(1, &Executor::prepare_thread);
  const auto make = [&](const PolicyMetaConfig& config, const Texts& own) {
    return es_maml().policy_learner(own, config, pool);
  };
  auto config = config_of();
  config.environment.name = "navigation_2d";
  CHECK_NOTHROW(make(config, {}));
  auto trpo = config;
  trpo.optimizer.name = "trpo";
  CHECK_THROWS_WITH(make(trpo, {}), contains("meta.optimizer: trpo found"));
  auto epochs = config;
  epochs.optimizer.epochs = 2;
  CHECK_THROWS_WITH(make(epochs, {}), contains("meta.epochs: 2 found, expected 1"));
  config.sampler.trajectories = 15;
  CHECK_THROWS_WITH(make(config, {{"adaptation", "evolution"}}),
                    contains("sampler.trajectories: 15 found, expected a multiple of 10"));
  CHECK_THROWS_WITH(make(config, {{"adaptation", "hill_climbing"}}), contains("a multiple of 2"));
  CHECK_THROWS_WITH(make(config, {{"adaptation", "hill"}}), contains("es_maml.adaptation"));
  config.sampler.trajectories = 10;
  const auto learner = make(config, {{"adaptation", "evolution"}});
  CHECK_THROWS_WITH(learner->evaluate({.tasks = 1, .steps = 1, .trajectories = 15}),
                    contains("evaluation.trajectories: 15 found"));
  CHECK_NOTHROW(learner->evaluate({.tasks = 1, .steps = 0, .trajectories = 15}));
}
