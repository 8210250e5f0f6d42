#include "meta/meta_optimizer.h"

#include <cmath>
#include <limits>

#include "base/error.h"
#include "meta/trpo.h"
#include "tests/meta/finite_difference.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// loss = c . p, KL = (p - p0)^T F (p - p0) / 2 with F = diag(1, 4): TRPO's step is known in closed form.
class LinearProblem : public MetaProblem {
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
  const auto report = make_meta_optimizer(config, meta)->step(meta, problem);
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
  const auto report = make_meta_optimizer(exact_trpo(), meta)->step(meta, problem);
  CHECK(report.accepted);
  CHECK(report.line_search == 3);
}

TEST_CASE("a step that cannot improve is rejected and the meta-parameters stay", "[meta]") {
  LinearProblem problem(origin());
  problem.gradient_sign = -1;  // uphill
  Params meta = origin();
  const auto report = make_meta_optimizer(exact_trpo(), meta)->step(meta, problem);
  CHECK(!report.accepted);
  CHECK(report.line_search == -1);
  CHECK(identical(meta, origin()));
  CHECK(report.loss_after == report.loss_before);
}

TEST_CASE("a meta-objective that is not finite stops every optimizer and changes nothing", "[meta]") {
  const auto name = GENERATE(from_range(meta_optimizer_names()));
  MetaOptimizerConfig config = exact_trpo();
  config.name = name;
  Params meta = origin();
  {
    LinearProblem problem(origin());
    problem.sign = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_WITH(make_meta_optimizer(config, meta)->step(meta, problem), contains("meta-objective is"));
  }
  LinearProblem problem(origin());
  problem.gradient_sign = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH(make_meta_optimizer(config, meta)->step(meta, problem), contains("not finite"));
  CHECK(identical(meta, origin()));
}

TEST_CASE("SGD steps along the gradient", "[meta]") {
  LinearProblem problem(origin());
  MetaOptimizerConfig config;
  config.name = "sgd";
  config.step_size = 0.1;
  Params meta = origin();
  const auto report = make_meta_optimizer(config, meta)->step(meta, problem);
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
    Params fisher_product(const Params& v) override { return v; }
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
    optimizer->step(meta, problem);
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
