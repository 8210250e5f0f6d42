#include "meta/policy/trial_batch.h"

#include <cmath>

#include "envs/trial.h"
#include "networks/tensors/gradient_check.h"
#include "policies/recurrent_cell.h"
#include "sampling/sampler.h"
#include "tests/meta/policy/bandit.h"
#include "tests/torch_catch.h"

namespace innerloop {
namespace {

using torch::Tensor;

std::unique_ptr<Policy> small_policy(const std::string& name, int64_t actions = 2) {
  EnvironmentSpec spec;
  spec.name = "test";
  spec.observation_size = 3;
  spec.action_size = actions;
  if (name.starts_with("categorical")) spec.action_kind = ActionKind::kDiscrete;
  return make_policy({.name = name, .hidden = {4}, .activation = "tanh", .own = {{"units", 5}}}, spec);
}

Tensor numbers(const std::vector<int64_t>& sizes, uint64_t seed) {
  return normal_like(Params({{"x", torch::zeros(sizes, torch::kFloat64)}}), seed)[0];
}

Params somewhere(const Policy& policy, uint64_t seed) {
  Stream stream({.seed = seed});
  const Params start = policy.initial(stream).to(torch::kFloat64);
  return start + 0.3 * normal_like(start, seed);
}

// Three trials of 4, 2 and 5 steps, recorded by another policy than that of `params`.
TrialBatch recorded(const Policy& policy, bool discrete) {
  TrialBatch batch;
  batch.running = order_in_time({4, 2, 5}).running;
  batch.observations = numbers({11, 3}, 5);
  batch.actions =
      discrete ? numbers({1, 11, 1}, 6).abs().mul(2).floor().clamp_max(1) : numbers({1, 11, 2}, 6);
  batch.advantages = numbers({1, 11}, 7);
  batch.old_distribution = distributions_along(policy, somewhere(policy, 21), batch);
  return batch;
}

TEST_CASE("a ratio counts as far as it is clipped: -mean is -0.3 for ratios 1.5 and 0.5", "[ppo]") {
  const auto policy = small_policy("categorical_gru", 4);
  Stream stream({.seed = 1});
  const Params params = policy->initial(stream).to(torch::kFloat64).zeros_like();  // four choices, 1/4 each
  TrialBatch batch;
  batch.running = {1, 1};
  batch.observations = numbers({2, 3}, 1);
  batch.actions = torch::zeros({1, 2, 1}, torch::kFloat64);
  const double sixth = 1.0 / 6, half = 0.5;  // of choice 0, when recorded
  batch.old_distribution =
      torch::tensor({sixth, 5 * sixth / 3, 5 * sixth / 3, 5 * sixth / 3, half, half / 3, half / 3, half / 3},
                    torch::kFloat64)
          .log()
          .view({1, 2, 4});
  batch.advantages = torch::tensor({1.0, -1.0}, torch::kFloat64).view({1, 2});
  const PpoConfig config{.clip_ratio = 0.3};
  auto found = ppo_gradient(*policy, params, batch, config);
  CHECK(found.steps == 2);
  CHECK(found.loss / found.steps == Approx(-0.3));
  CHECK(found.entropy / found.steps == Approx(std::log(4.0)));
  // sum_k p_k log(p_k / (1/4)): of 1/6 and of 1/2
  const double kl = sixth * std::log(4 * sixth) + 5 * sixth * std::log(4 * 5 * sixth / 3) +
                    half * std::log(4 * half) + half * std::log(4 * half / 3);
  CHECK(found.kl == Approx(kl));
  CHECK(largest(found.gradient) == 0);  // both are clipped
  CHECK(ppo_value(*policy, params, batch, config).loss == Approx(found.loss));
  // The other way round nothing is: the smaller of r A and clip(r) A is r A.
  batch.advantages = -batch.advantages;
  found = ppo_gradient(*policy, params, batch, config);
  CHECK(found.loss / found.steps == Approx(-(-1.5 + 0.5) / 2));
  CHECK(largest(found.gradient) > 0.1);
  const auto with_entropy = ppo_value(*policy, params, batch, {.clip_ratio = 0.3, .entropy_weight = 0.5});
  CHECK(with_entropy.loss == Approx(found.loss - 0.5 * 2 * std::log(4.0)));
}

TEST_CASE("PPO's gradient through time is that of finite differences, in every entry", "[ppo]") {
  const auto name = GENERATE(std::string("gaussian_gru"), std::string("gaussian_lstm"),
                             std::string("categorical_gru"), std::string("categorical_lstm"));
  const auto policy = small_policy(name);
  const auto batch = recorded(*policy, name.starts_with("categorical"));
  const PpoConfig config{.clip_ratio = 0.25, .entropy_weight = 0.1};
  const Params params = somewhere(*policy, 3);
  const auto found = check_gradient(
      [&](const Params& p) { return ppo_value(*policy, p, batch, config).loss; },
      [&](const Params& p) { return ppo_gradient(*policy, p, batch, config).gradient; }, params, 1e-5);
  INFO(found.text());
  CHECK(found.relative < 1e-6);
  const auto gradient = ppo_gradient(*policy, params, batch, config).gradient;
  CHECK(same_names(gradient, params));
  for (const auto& entry : gradient) {
    INFO(entry.name);
    CHECK(entry.value.abs().max().item<double>() > 1e-3);
  }
  // Some ratios are beyond the bounds: without them the loss is another.
  CHECK(ppo_value(*policy, params, batch, {.clip_ratio = 0.99, .entropy_weight = 0.1}).loss !=
        Approx(ppo_value(*policy, params, batch, config).loss));
}

TEST_CASE("sums of parts are the sum of all, and no trials are no steps", "[ppo]") {
  const auto policy = small_policy("gaussian_lstm");
  Stream stream({.seed = 1});
  const Params params = policy->initial(stream);
  const auto nothing = ppo_gradient(*policy, params, batch_of(Trajectories(1, 1, 1, 3, 2), {}), {});
  CHECK(nothing.steps == 0);
  CHECK(nothing.loss == 0);
  CHECK(largest(nothing.gradient) == 0);
  CHECK(ppo_value(*policy, params, {}, {}).steps == 0);
}

TEST_CASE("a batch holds every step of its trials once, in the order of time", "[trials]") {
  Trajectories trajectories(2, 2, 4, 2, 1);
  std::vector<Eigen::VectorXd> advantages;
  const auto number = [](int64_t t, int64_t n, int64_t s) {
    return static_cast<float>(100 * t + 10 * n + s);
  };
  for (int64_t t = 0; t < 2; ++t) {
    for (int64_t n = 0; n < 2; ++n) {
      const int64_t length = t == 1 && n == 0 ? 4 : 2 + n;
      for (int64_t s = 0; s < length; ++s) {
        trajectories.observation_buffer(t, n).col(s) << number(t, n, s), -number(t, n, s);
        trajectories.action_buffer(t, n)(0, s) = 1000 + number(t, n, s);
      }
      trajectories.finish(t, n, length, false);
      advantages.push_back(Eigen::VectorXd::LinSpaced(length, 0, static_cast<double>(length) - 1).array() +
                           static_cast<double>(number(t, n, 0)));
    }
  }
  // Of 2, 4 and 3 steps.
  const auto batch =
      batch_of(trajectories, {{0, 0, &advantages[0]}, {1, 0, &advantages[2]}, {1, 1, &advantages[3]}});
  CHECK(batch.steps() == 9);
  CHECK(batch.running == std::vector<int64_t>{3, 3, 2, 1});
  const auto expected =
      torch::tensor({100.0, 110.0, 0.0, 101.0, 111.0, 1.0, 102.0, 112.0, 103.0}).to(torch::kFloat32);
  CHECK(torch::equal(batch.observations.select(1, 0), expected));
  CHECK(torch::equal(batch.observations.select(1, 1), -expected));
  CHECK(torch::equal(batch.actions[0].select(1, 0), expected + 1000));
  CHECK(torch::equal(batch.advantages[0], expected));
  const Eigen::VectorXd short_one(1);
  CHECK_THROWS_WITH(batch_of(trajectories, {{0, 0, &short_one}}),
                    contains("1 advantages of a trial of 2 steps"));
}

TEST_CASE("the distributions along recorded trials are those that the sampler drew from", "[trials]") {
  const auto make = [] { return std::make_unique<Trial>(testing::make_bandit(), 3); };
  ThreadPool pool(1);
  Sampler sampler(make, pool);
  const auto policy = make_policy({.name = "categorical_lstm", .hidden = {}}, sampler.spec());
  Stream start({.seed = 2});
  const Params params = policy->initial(start).map([](const auto& value) { return 4 * value; });
  const auto acting = policy->sampler(params, 0);
  const auto trials = sampler.sample({Eigen::VectorXd::Zero(1)}, {acting.get()}, 40, {.seed = 3});
  std::vector<Eigen::VectorXd> advantages(40, Eigen::VectorXd::Zero(15));
  std::vector<TrialSteps> all;
  for (int64_t n = 0; n < 40; ++n) all.push_back({0, n, &advantages[static_cast<size_t>(n)]});
  const auto batch = batch_of(trials, all);
  const auto p = torch::softmax(distributions_along(*policy, params, batch).to(torch::kFloat64), -1)[0];
  // Each choice is the draw's place among the probabilities, in the order of time: all trials are equally
  // long.
  int64_t sure = 0;
  for (int64_t n = 0; n < 40; ++n) {
    Stream stream({.seed = 3, .purpose = Purpose::kAction, .trajectory = static_cast<uint64_t>(n)});
    for (int64_t s = 0; s < 15; ++s) {
      const double first = p[s * 40 + n][0].item<double>(), u = stream.uniform();
      if (std::abs(u - first) < 1e-5) continue;
      REQUIRE(trials.actions(0, n)(0, s) == (u < first ? 0 : 1));
      ++sure;
    }
  }
  CHECK(sure > 550);
  CHECK((p.select(1, 0).max() - p.select(1, 0).min()).item<double>() > 0.1);
}

}  // namespace
}  // namespace innerloop
