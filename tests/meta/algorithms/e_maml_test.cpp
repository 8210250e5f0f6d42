#include "meta/algorithms/e_maml.h"

#include <cmath>

#include "base/error.h"
#include "meta/policy/policy_meta_learner.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/recorded_bandit.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

// x after a pull of arm `a`, which paid r_a, and a step along r_a grad log pi(a): both logits move, apart.
constexpr double kPays[] = {0.3, 1.0};
double adapted(double x, int a, double alpha) { return x + 2 * alpha * kPays[a] * (a - sigma(x)); }
double paid(double x) { return kPays[0] + (kPays[1] - kPays[0]) * sigma(x); }
double expected_return(double x, double alpha) {
  return (1 - sigma(x)) * paid(adapted(x, 0, alpha)) + sigma(x) * paid(adapted(x, 1, alpha));
}

// Minus the derivative along x of the expected loss over both pulls, each as likely as it is.
double expected_gradient(const Texts& own, double x, double alpha) {
  double sum = 0;
  for (const int a : {0, 1}) {
    RecordedBandit s(e_maml(), own, x, {.steps = 1, .step_size = alpha});
    s.record(pulls({static_cast<double>(a)}, {kPays[a]}, 0));
    s.advance();
    const double there = adapted(x, a, alpha), p = sigma(there);
    // Both arms, weighted by their probabilities: the mean over two steps is the expectation.
    s.record(pulls({0, 1}, {2 * (1 - p) * kPays[0], 2 * p * kPays[1]}, paid(there)));
    const double likely = a == 1 ? sigma(x) : 1 - sigma(x);
    sum += likely * -s.gradient(x).at("layer0.bias")[0][1].item<double>();
  }
  return sum;
}

}  // namespace

TEST_CASE("e_maml on a bandit is the derivative of the expected return after adaptation, which MAML is not",
          "[meta]") {
  const double x = std::log(3.0), alpha = GENERATE(0.4, 2.0), h = 1e-5;  // pi(1) = 3/4
  const double exact = (expected_return(x + h, alpha) - expected_return(x - h, alpha)) / (2 * h);
  CHECK(expected_gradient({}, x, alpha) == Approx(exact).epsilon(1e-7));
  CHECK(expected_gradient({{"credit", "all"}}, x, alpha) == Approx(exact).epsilon(1e-7));
  CHECK(std::abs(expected_gradient({{"weight", "0"}}, x, alpha) - exact) > 1e-3);
}

TEST_CASE("e_maml's meta-gradient equals finite differences, of every credited step", "[meta]") {
  const auto credit = GENERATE(std::string("first"), std::string("all"));
  const auto make = [](const std::string& how) {
    auto s = std::make_unique<RecordedBandit>(e_maml(), Texts{{"credit", how}, {"weight", "0.7"}}, 0.2,
                                              InnerLoopConfig{.steps = 2, .step_size = 0.5});
    s->record(pulls({1, 0, 1}, {0.4, -0.3, 1.2}, 0.1));
    s->advance();
    s->record(pulls({0, 0, 1}, {-0.6, 0.5, 0.9}, 0.2));
    s->advance();
    s->record(pulls({1, 1, 0}, {0.8, 0.1, -0.7}, 1.3));
    return s;
  };
  const auto s = make(credit);
  constexpr double h = 1e-5, x = 0.35;
  const double numeric = (s->loss(x + h) - s->loss(x - h)) / (2 * h);
  CHECK(s->gradient(x).at("layer0.bias")[0][1].item<double>() == Approx(numeric).epsilon(1e-7));
  CHECK(std::abs(make("all")->loss(x) - make("first")->loss(x)) > 1e-2);
}

TEST_CASE("rewards are adjusted over all steps of all tasks before they credit", "[meta]") {
  // Recorded by a learner on three tasks: c_i sum to about 0 when weighted by steps, and their scale is the
  // rewards' own; with another reward scale they are the same.
  PolicyMetaConfig config;
  config.environment.horizon = 12;
  config.policy.hidden = {8};
  config.meta_batch_size = 3;
  config.sampler.trajectories = 4;
  ThreadPool pool(2, &Executor::prepare_thread);
  const auto run = [&](const Texts& own) {
    auto c = config;
    c.algorithm.own = own;
    PolicyMetaLearner learner(c, e_maml(), pool);
    const auto report = learner.iterate(0);
    return std::pair{learner.meta_parameters().cloned(), report.meta_step.loss_before};
  };
  const auto with = run({}), without = run({{"weight", "0"}});
  CHECK(!identical(with.first, without.first));
  // At the origin the ratio surrogate is minus the mean of standardised advantages: 0. The rest is the
  // credit.
  CHECK(without.second == Approx(0).margin(1e-5));
  CHECK(std::abs(with.second) > 1e-3);
}

TEST_CASE("e_maml refuses what makes no sense", "[meta]") {
  ThreadPool pool(1, &Executor::prepare_thread);
  PolicyMetaConfig config;
  config.inner.steps = 0;
  CHECK_THROWS_WITH(PolicyMetaLearner(config, e_maml(), pool), contains("e_maml needs 1 or more"));
  config.inner.steps = 1;
  config.algorithm.own = {{"credit", "last"}};
  CHECK_THROWS_WITH(PolicyMetaLearner(config, e_maml(), pool), contains("e_maml.credit"));
}
