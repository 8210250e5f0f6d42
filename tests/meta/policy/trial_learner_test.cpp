#include "meta/policy/trial_learner.h"

#include <cmath>

#include "base/error.h"
#include "meta/algorithms/registry.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/policy/bandit.h"
#include "tests/torch_catch.h"

namespace innerloop {
namespace {

using testing::make_bandit;

PolicyMetaConfig bandit_config(const std::string& policy = "categorical_gru") {
  PolicyMetaConfig config;
  config.algorithm.name = "rl2";
  config.policy = {.name = policy, .hidden = {}, .own = {{"units", 16}}};
  config.sampler.trajectories = 2;
  config.meta_batch_size = 30;
  config.optimizer = {.name = "adam", .step_size = 0.01, .epochs = 5};
  config.inner.steps = 0;
  config.seed = 3;
  return config;
}

PolicyMetaConfig navigation_config() {
  PolicyMetaConfig config = bandit_config("gaussian_gru");
  config.environment.horizon = 12;
  config.meta_batch_size = 7;
  config.sampler.trajectories = 5;
  return config;
}

TEST_CASE("a report has the returns of every episode of the trials", "[rl2]") {
  ThreadPool pool(2, Executor::prepare_thread);
  TrialLearner learner(bandit_config(), {.episodes = 3}, make_bandit, pool);
  CHECK(learner.steps() == 2);
  CHECK(std::isnan(learner.step_size()));
  CHECK(learner.environment().name == "bandit");
  CHECK(learner.environment().observation_size == 1);
  CHECK(learner.environment().horizon == 5);
  const auto report = learner.iterate(0);
  REQUIRE(report.returns.size() == 3);
  REQUIRE(report.explained_variance.size() == 3);
  CHECK(report.environment_steps == 30 * 2 * 3 * 5);
  for (const auto& returns : report.returns) {
    CHECK(returns.per_task.size() == 30);
    CHECK(returns.mean == Approx(2.5).margin(0.5));  // guesses
    CHECK(returns.max <= 5);
    CHECK(returns.success_rate > 0.8);
  }
  CHECK(report.returns[0].mean != report.returns[1].mean);
  CHECK(report.entropy == Approx(std::log(2.0)).margin(0.05));
  CHECK(report.meta_step.kl_before == Approx(0).margin(1e-9));
  CHECK(report.meta_step.kl_after > 0);
  CHECK(report.meta_step.loss_before == Approx(0).margin(1e-5));  // standardised advantages have mean 0
  CHECK(report.meta_step.loss_after < report.meta_step.loss_before);
  CHECK(report.meta_gradient_seconds > 0);
  CHECK(report.sampling_seconds > 0);
  CHECK(report.advantage_seconds > 0);
}

TEST_CASE("trials in minibatches have the same bits for any number of threads and across a restore",
          "[rl2][determinism]") {
  const TrialConfig trials{
      .episodes = 2, .ppo = {.entropy_weight = 0.01}, .minibatches = 4, .gradient_norm = 0.5};
  const auto run = [&](int threads, bool interrupted) {
    ThreadPool pool(threads, Executor::prepare_thread);
    auto learner = std::make_unique<TrialLearner>(navigation_config(), trials, pool);
    for (int64_t i = 0; i < 3; ++i) {
      learner->iterate(i);
      if (!interrupted) continue;
      learner->evaluate({.tasks = 2, .steps = 3, .trajectories = 2});  // disturbs nothing
      auto next = std::make_unique<TrialLearner>(navigation_config(), trials, pool);
      next->restore(learner->meta_parameters(), learner->optimizer_state(), learner->method_state());
      learner = std::move(next);
    }
    return learner->meta_parameters().cloned();
  };
  const Params meta = run(1, false);
  CHECK(identical(meta, run(2, true)));
  CHECK(identical(meta, run(7, false)));
  ThreadPool pool(2, Executor::prepare_thread);
  TrialLearner whole(navigation_config(), {.episodes = 2, .ppo = {.entropy_weight = 0.01}}, pool);
  for (int64_t i = 0; i < 3; ++i) whole.iterate(i);
  CHECK_FALSE(identical(meta, whole.meta_parameters()));
}

TEST_CASE("a gradient longer than the bound is scaled down to it", "[rl2]") {
  ThreadPool pool(1, Executor::prepare_thread);
  auto config = navigation_config();
  config.optimizer = {.name = "sgd", .step_size = 1, .epochs = 1};
  const auto moved = [&](double bound) {
    TrialLearner learner(config, {.gradient_norm = bound}, pool);
    const Params before = learner.meta_parameters().cloned();
    learner.iterate(0);
    const Params change = learner.meta_parameters() - before;
    return std::sqrt(inner_product(change, change));
  };
  const double free = moved(0);
  CHECK(free > 1e-3);
  CHECK(moved(free / 10) == Approx(free / 10).epsilon(1e-3));
  CHECK(moved(free * 10) == Approx(free).epsilon(1e-6));
}

TEST_CASE("an evaluation plays trials of one episode more than its steps, whatever the training's", "[rl2]") {
  ThreadPool pool(2, Executor::prepare_thread);
  TrialLearner learner(navigation_config(), {.episodes = 2}, pool);
  learner.iterate(0);
  const PolicyEvaluationConfig asked{.tasks = 3, .steps = 3, .trajectories = 4, .seed = 9};
  std::vector<int64_t> told;
  std::vector<Params> adapted(1);
  const auto kept = learner.evaluate(
      asked, true, [&](int64_t k) { told.push_back(k); }, &adapted);
  CHECK(told == std::vector<int64_t>{0, 1, 2, 3});
  CHECK(adapted.empty());  // it adapts by no parameters
  CHECK(kept.of_trials);
  REQUIRE(kept.trajectories.size() == 4);
  for (size_t t = 0; t < 3; ++t) {
    REQUIRE(kept.tasks[t].returns.size() == 4);
    for (size_t k = 0; k < 4; ++k) {
      const auto& episodes = kept.trajectories[k];
      CHECK(episodes.observation_size() == 2);
      CHECK(episodes.horizon() == 12);
      double sum = 0;
      for (int64_t n = 0; n < 4; ++n) sum += episodes.undiscounted_return(static_cast<int64_t>(t), n);
      CHECK(kept.tasks[t].returns[k] == Approx(sum / 4));
      CHECK(episodes.observations(static_cast<int64_t>(t), 0).col(0).isZero());  // starts at the origin
    }
    CHECK(kept.tasks[t].returns[0] != kept.tasks[t].returns[1]);
  }
  const auto again = learner.evaluate(asked);
  CHECK(again.trajectories.empty());
  for (size_t t = 0; t < 3; ++t) CHECK(again.tasks[t].returns == kept.tasks[t].returns);
  // Episodes that came before are what they were in a shorter trial.
  const auto shorter = learner.evaluate({.tasks = 3, .steps = 1, .trajectories = 4, .seed = 9});
  CHECK(shorter.tasks[2].returns[1] == kept.tasks[2].returns[1]);
  CHECK(learner.evaluate({.tasks = 1, .steps = 0, .trajectories = 1}).tasks[0].returns.size() == 1);
  CHECK_THROWS_AS(learner.evaluate({.tasks = 1, .steps = 1000, .trajectories = 1}), UsageError);
  const auto given = learner.evaluate({.steps = 0, .trajectories = 2, .given = {Eigen::Vector2d(0.1, 0.2)}});
  CHECK(given.tasks.size() == 1);
}

TEST_CASE("rl2 wants a policy that remembers, the others one that does not", "[rl2]") {
  ThreadPool pool(1, Executor::prepare_thread);
  auto config = navigation_config();
  config.policy = {.name = "gaussian_mlp"};
  CHECK_THROWS_WITH(TrialLearner(config, {}, pool), contains("gaussian_gru or gaussian_lstm"));
  CHECK_THROWS_AS(TrialLearner(config, {}, pool), UsageError);
  config = bandit_config("categorical_mlp");
  config.policy.own = {};
  CHECK_THROWS_WITH(TrialLearner(config, {}, make_bandit, pool),
                    contains("categorical_gru or categorical_lstm"));
  config = navigation_config();
  config.algorithm.name = "maml";
  CHECK_THROWS_WITH(make_policy_learner(config, find_algorithm("maml"), pool),
                    contains("policy.name: gaussian_gru") && contains("maml"));
  config = navigation_config();
  config.optimizer.name = "trpo";
  CHECK_THROWS_WITH(TrialLearner(config, {}, pool), contains("meta.optimizer"));
  config = navigation_config();
  CHECK_THROWS_WITH(TrialLearner(config, {.minibatches = 36}, pool), contains("expected 1 to 35"));
  CHECK_THROWS_AS(TrialLearner(config, {.episodes = 0}, pool), UsageError);
  config.memory = 1e-6;
  CHECK_THROWS_WITH(TrialLearner(config, {}, pool), contains("2 episodes"));
  config = navigation_config();
  TrialLearner learner(config, {}, pool);
  CHECK_THROWS_WITH(learner.use(learner.meta_parameters().first(2), {}), contains("meta-parameters"));
  CHECK_THROWS_WITH(learner.use(learner.meta_parameters(), learner.meta_parameters()),
                    contains("method state"));
}

// A bandit whose reward is no number from a point on.
class Broken : public testing::Bandit {
 public:
  explicit Broken(const bool& broken) : broken_(broken) {}
  StepResult step(const ActionRef& action, Stream& stream, ObservationRef observation) override {
    auto result = Bandit::step(action, stream, observation);
    if (broken_) result.reward = NAN;
    return result;
  }

 private:
  const bool& broken_;
};

TEST_CASE("a meta-iteration that fails leaves parameters and optimizer as they were", "[rl2]") {
  ThreadPool pool(1, Executor::prepare_thread);
  bool broken = false;
  TrialLearner learner(
      bandit_config(), {}, [&broken] { return std::make_unique<Broken>(broken); }, pool);
  learner.iterate(0);
  const Params meta = learner.meta_parameters().cloned(), state = learner.optimizer_state();
  broken = true;
  CHECK_THROWS_WITH(learner.iterate(1), contains("reward is not finite"));
  CHECK(identical(meta, learner.meta_parameters()));
  CHECK(identical(state, learner.optimizer_state()));
}

TEST_CASE("on a bandit it learns to learn: a guess, then the arm that pays, also in the next episode",
          "[rl2]") {
  ThreadPool pool(2, Executor::prepare_thread);
  const auto policy = GENERATE(std::string("categorical_gru"), std::string("categorical_lstm"));
  TrialLearner learner(bandit_config(policy), {.episodes = 2}, make_bandit, pool);
  for (int64_t i = 0; i < 60; ++i) learner.iterate(i);
  const auto found = learner.evaluate({.tasks = 50, .steps = 2, .trajectories = 4});
  double returns[3] = {};
  for (const auto& task : found.tasks) {
    for (size_t k = 0; k < 3; ++k) returns[k] += task.returns[k] / 50;
  }
  INFO(policy << ": " << returns[0] << ", " << returns[1] << ", " << returns[2]);
  CHECK(returns[0] > 4);
  CHECK(returns[0] < 4.75);  // the first pull is a guess
  CHECK(returns[1] > 4.8);
  CHECK(returns[2] > 4.8);  // beyond the episodes of its training
}

}  // namespace
}  // namespace innerloop
