#include <cmath>
#include <limits>

#include "base/error.h"
#include "meta/conjugate_gradient.h"
#include "meta/optimizers/registry.h"
#include "meta/optimizers/schedule.h"
#include "meta/optimizers/trpo.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"
// After Catch2's macros.
#include <torch/torch.h>

using namespace innerloop;
using torch::Tensor;

namespace {

// loss = c . p, KL = (p - p0)^T F (p - p0) / 2 with F = diag(1, 4): TRPO's step is known in closed form.
class LinearProblem : public TrustRegionProblem {
 public:
  explicit LinearProblem(Params origin) : origin_(std::move(origin)) {}
  Value value(const Params& meta) override {
    const Tensor d = meta[0] - origin_[0];
    return {sign * (c_ * meta[0]).sum().item<double>(), (f_ * d * d).sum().item<double>() / 2 * kl_factor};
  }
  Params gradient(const Params& meta) override {
    return meta.with({c_.view({1, 2}).clone() * gradient_sign});
  }
  Params fisher_product(const Params& v) override { return v.with({f_ * v[0]}); }

  double kl_factor = 1, sign = 1, gradient_sign = 1;

 private:
  Params origin_;
  Tensor c_ = torch::tensor({2.0, 1.0}, torch::kFloat64), f_ = torch::tensor({1.0, 4.0}, torch::kFloat64);
};

Params origin() { return Params({{"p", torch::tensor({{0.5, -0.5}}, torch::kFloat64)}}); }

MetaOptimizerConfig exact_trpo() {
  MetaOptimizerConfig config;
  config.cg_damping = 0;
  return config;
}

}  // namespace

TEST_CASE("conjugate gradients solve a symmetric positive definite system", "[meta]") {
  const Tensor root = torch::tensor({{2.0, 1.0, 0.0}, {0.0, 1.0, 3.0}, {1.0, 0.0, 1.0}}, torch::kFloat64);
  const Tensor a = root.t().mm(root) + torch::eye(3, torch::kFloat64);
  const Tensor b = torch::tensor({1.0, -2.0, 0.5}, torch::kFloat64);
  const auto result = conjugate_gradient([&](const Tensor& v) { return a.mv(v); }, b, 10);
  CHECK(torch::allclose(a.mv(result.x), b));
  CHECK(torch::allclose(result.product, a.mv(result.x)));
  CHECK(!torch::allclose(a.mv(conjugate_gradient([&](const Tensor& v) { return a.mv(v); }, b, 1).x), b));
}

TEST_CASE("TRPO takes the natural gradient step whose KL is the trust region's", "[meta]") {
  // d = F^-1 c = (2, 1/4); d^T F d = 4.25; step = sqrt(2 delta / 4.25) d has KL = delta exactly.
  LinearProblem problem(origin());
  Params meta = origin();
  MetaOptimizerConfig config = exact_trpo();
  config.max_kl = 0.02;
  const auto report = make_meta_optimizer(config, meta)->step(meta, problem, {});
  // j = 0 has KL = 0.02 up to rounding and may fall on either side; j = 1 is 0.8 of it.
  REQUIRE(report.accepted);
  const double length = std::sqrt(2 * 0.02 / 4.25) * std::pow(0.8, static_cast<double>(report.line_search));
  CHECK(report.line_search <= 1);
  CHECK(torch::allclose(meta[0], origin()[0] - length * torch::tensor({{2.0, 0.25}}, torch::kFloat64), 1e-6));
  CHECK(report.kl_after <= 0.02);
  CHECK(report.loss_after < report.loss_before);
}

TEST_CASE("the line search backtracks until the KL fits", "[meta]") {
  LinearProblem problem(origin());
  problem.kl_factor = 3;  // the true KL is three times the quadratic model: 0.8^(2 j) * 3 < 1 at j = 3
  Params meta = origin();
  const auto report = make_meta_optimizer(exact_trpo(), meta)->step(meta, problem, {});
  CHECK(report.accepted);
  CHECK(report.line_search == 3);
}

TEST_CASE("a step that cannot improve is rejected and the meta-parameters stay", "[meta]") {
  LinearProblem problem(origin());
  problem.gradient_sign = -1;  // uphill
  Params meta = origin();
  const auto report = make_meta_optimizer(exact_trpo(), meta)->step(meta, problem, {});
  CHECK(!report.accepted);
  CHECK(report.line_search == -1);
  CHECK(identical(meta, origin()));
  CHECK(report.loss_after == report.loss_before);
}

TEST_CASE("a meta-objective that is not finite stops every optimizer and changes nothing", "[meta]") {
  const auto name = GENERATE(from_range(names_of(meta_optimizers())));
  MetaOptimizerConfig config = exact_trpo();
  config.name = name;
  Params meta = origin();
  {
    LinearProblem problem(origin());
    problem.sign = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_WITH(make_meta_optimizer(config, meta)->step(meta, problem, {}),
                      contains("meta-objective is"));
  }
  LinearProblem problem(origin());
  problem.gradient_sign = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH(make_meta_optimizer(config, meta)->step(meta, problem, {}), contains("not finite"));
  CHECK(identical(meta, origin()));
}

TEST_CASE("SGD steps along the gradient", "[meta]") {
  LinearProblem problem(origin());
  MetaOptimizerConfig config;
  config.name = "sgd";
  config.step_size = 0.1;
  Params meta = origin();
  const auto report = make_meta_optimizer(config, meta)->step(meta, problem, {});
  CHECK(torch::allclose(meta[0], torch::tensor({{0.3, -0.6}}, torch::kFloat64)));
  CHECK(report.loss_after == Approx(0.0).margin(1e-12));  // 2 * 0.3 - 0.6
}

TEST_CASE("Adam walks as LibTorch's does, and continues from its saved state", "[meta]") {
  // loss = |p|^2 / 2 + p0^3
  class Cubic : public MetaProblem {
   public:
    Value value(const Params& m) override {
      return {(m[0].pow(2).sum() / 2 + m[0][0][0].pow(3)).item<double>(), 0};
    }
    Params gradient(const Params& m) override {
      Tensor g = m[0].clone();
      g[0][0] += 3 * m[0][0][0] * m[0][0][0];
      return m.with({g});
    }
  } problem;
  MetaOptimizerConfig config;
  config.name = "adam";
  config.step_size = 0.05;
  Params meta = origin();
  Tensor reference = origin()[0].clone().requires_grad_();
  torch::optim::Adam adam({reference}, torch::optim::AdamOptions(0.05));
  auto optimizer = make_meta_optimizer(config, meta);
  for (int i = 0; i < 20; ++i) {
    if (i == 10) {  // as a resumed run
      const Params state = optimizer->state().cloned();
      optimizer = make_meta_optimizer(config, meta);
      optimizer->restore(state);
    }
    optimizer->step(meta, problem, {});
    adam.zero_grad();
    reference.mutable_grad() = problem.gradient(Params({{"p", reference.detach()}}))[0];
    adam.step();
  }
  CHECK(torch::allclose(meta[0], reference.detach(), 1e-12));
  CHECK(distance(meta, origin()) > 0.1);
  CHECK_THROWS_WITH(make_meta_optimizer(config, meta)->restore(Params()),
                    contains("unknown parameter 'adam.steps'"));
}

TEST_CASE("settings out of range and unknown optimizers are refused by name", "[meta]") {
  const Params meta = origin();
  const auto make = [&](auto change) {
    MetaOptimizerConfig config;
    change(config);
    return make_meta_optimizer(config, meta);
  };
  CHECK_THROWS_WITH(make([](auto& c) { c.name = "tpro"; }), contains("did you mean 'trpo'?"));
  CHECK_THROWS_WITH(make([](auto& c) { c.max_kl = 0; }), contains("meta.max_kl"));
  CHECK_THROWS_WITH(make([](auto& c) { c.cg_iterations = 0; }), contains("meta.cg_iterations"));
  CHECK_THROWS_WITH(make([](auto& c) { c.line_search_ratio = 1; }), contains("meta.line_search_ratio"));
  CHECK_THROWS_WITH(make([](auto& c) { c.name = "adam", c.step_size = -1; }), contains("meta.step_size"));
}

TEST_CASE("the step size follows its schedule, in stages", "[meta]") {
  MetaOptimizerConfig config{.step_size = 1e-3,
                             .schedule = "cosine",
                             .schedule_iterations = 50000,
                             .schedule_stage = 500,
                             .final_step_size = 1e-5};
  // MAML++'s epochs of 500 iterations: the numbers are those of its formula, to the digits printed.
  CHECK(scheduled_step_size(config, 0) == Approx(1e-3));
  CHECK(scheduled_step_size(config, 499) == Approx(1e-3));
  CHECK(scheduled_step_size(config, 500) == Approx(.00099975575).epsilon(1e-7));
  CHECK(scheduled_step_size(config, 25000) == Approx(.000505));
  CHECK(scheduled_step_size(config, 49999) == Approx(1.02442526e-5).epsilon(1e-7));
  CHECK(scheduled_step_size(config, 80000) == Approx(1e-5));
  config = {.step_size = 1, .schedule = "linear", .schedule_iterations = 100, .final_step_size = 0.5};
  CHECK(scheduled_step_size(config, 50) == Approx(0.75));
  config.schedule = "constant";
  CHECK(scheduled_step_size(config, 50) == 1);
  config = {.step_size = 1e-3, .schedule = "exponential", .schedule_stage = 2000, .schedule_decay = 0.5};
  CHECK(scheduled_step_size(config, 1999) == Approx(1e-3));
  CHECK(scheduled_step_size(config, 2000) == Approx(5e-4));
  CHECK(scheduled_step_size(config, 9000) == Approx(1e-3 / 16));
  config.schedule = "cosin";
  CHECK_THROWS_WITH(scheduled_step_size(config, 0), contains("did you mean 'cosine'?"));

  config = {.name = "sgd", .step_size = 1, .schedule = "linear", .schedule_iterations = 10};
  LinearProblem problem(origin());
  for (const int64_t iteration : {0, 5, 10}) {
    Params meta = origin();
    make_meta_optimizer(config, meta)->step(meta, problem, {.iteration = iteration});
    const double moved = (origin()[0] - meta[0])[0][0].item<double>();
    CHECK(moved == Approx(2.0 * (1 - static_cast<double>(iteration) / 10)).margin(1e-12));
  }
}

TEST_CASE("the step size warms up to whatever its schedule says", "[meta]") {
  MetaOptimizerConfig config{.step_size = 2, .warm_up = 4};
  CHECK(scheduled_step_size(config, 0) == 0.5);
  CHECK(scheduled_step_size(config, 2) == 1.5);
  CHECK(scheduled_step_size(config, 3) == 2);
  CHECK(scheduled_step_size(config, 4) == 2);
  config.schedule = "linear", config.schedule_iterations = 8;
  CHECK(scheduled_step_size(config, 1) == Approx(2 * 7.0 / 8 * 2.0 / 4));
  CHECK(scheduled_step_size(config, 6) == Approx(2 * 2.0 / 8));
  config.warm_up = -1;
  CHECK_THROWS_WITH(make_meta_optimizer(config = {.name = "adam", .warm_up = -1}, origin()),
                    contains("meta.warm_up"));
}

TEST_CASE("TRPO refuses a problem without policies", "[meta]") {
  class NoPolicies : public MetaProblem {
   public:
    Value value(const Params&) override { return {}; }
    Params gradient(const Params& meta) override { return meta; }
  } problem;
  Params meta = origin();
  CHECK_THROWS_WITH(make_meta_optimizer({.name = "trpo"}, meta)->step(meta, problem, {}),
                    contains("trpo needs policies"));
}
