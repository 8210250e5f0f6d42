#include "meta/algorithms/meta_lstm.h"

#include <cmath>

#include "meta/gradient_method.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/scalar_task.h"

using namespace innerloop;
using torch::Tensor;

namespace {

Tensor number(double value) { return torch::full({1, 1}, value, torch::kFloat64); }
Params phi_of(double value) { return Params({{"p", number(value)}}); }

std::pair<double, double> prep(double value) {
  const Tensor out = preprocessed(torch::full({1}, value, torch::kFloat64));
  return {out[0][0].item<double>(), out[0][1].item<double>()};
}

// A rule whose first layer says nothing; the second's weights on theta, and on the gate of the step before.
struct Gates {
  std::shared_ptr<const UpdateRule> rule;
  Params own;

  explicit Gates(double divisor = 1) : rule(lstm_step(20, divisor)) {
    Stream stream(StreamKey{});
    own =
        rule->meta_parameters(phi_of(0), 1, stream).map([](const Tensor& t) { return torch::zeros_like(t); });
    own.at("inner.forget.bias").fill_(4.5);
    own.at("inner.input.bias").fill_(-4.5);
    for (const char* name : {"inner.forget.weight", "inner.input.weight"}) {
      own.at(name)[0][20] = 0.2;
      own.at(name)[0][21] = 0.1;
    }
  }
  UpdateRule::Out step(const Params& phi, const Params& state, double g, int64_t k) const {
    const Tensor loss = torch::full({1}, 0.7, torch::kFloat64);
    return rule->update({own, phi, phi_of(g), state, loss, k, 1});
  }
};

// The support gradient is what it says wherever phi is, so that leaving out its derivative leaves out
// nothing.
class ConstantGradient : public Task {
 public:
  int64_t size() const override { return 2; }
  Tensor loss(Part part, const Params& p, int64_t step) const override {
    Tensor sum;
    for (const auto& entry : p) {
      const Tensor flat = entry.value.flatten(1);
      const Tensor along = part == Part::kSupport
                               ? (0.3 + 0.1 * static_cast<double>(step)) * (flat - flat.detach())
                               : flat.square();
      const Tensor term = along.sum(1);
      sum = sum.defined() ? sum + term : term;
    }
    return sum;
  }
};

}  // namespace

TEST_CASE("meta_lstm: losses and gradients are preprocessed as worked out by hand", "[meta]") {
  CHECK(prep(2.3).first == Approx(.08329091));
  CHECK(prep(2.3).second == 1);
  CHECK(prep(-.2).first == Approx(-.16094379));
  CHECK(prep(-.2).second == -1);
  CHECK(prep(1e-5).first == -1);
  CHECK(prep(1e-5).second == Approx(.22026466));
  CHECK(prep(0) == std::pair<double, double>(-1, 0));
}

// sigma(4.5) = .98901306, sigma(-4.5) = .01098694. With weights .2 on theta and .1 on the gate before, theta
// = .5 and g = .2 first without them: .49230914; then g = -.1: f = 5.04846183, i = -4.85153817, .48994464.
// (Were the gates fed back after the sigmoid: .48907252.)
TEST_CASE("meta_lstm: two steps of the gates are those worked out by hand", "[meta]") {
  const Gates gates;
  Gates plain;
  for (const char* name : {"inner.forget.weight", "inner.input.weight"}) plain.own.at(name).zero_();
  const auto first = plain.step(phi_of(.5), plain.rule->initial_state(plain.own, phi_of(.5)), .2, 0);
  CHECK(first.phi[0].item<double>() == Approx(.49230914));
  const auto second = gates.step(first.phi, first.state, -.1, 1);
  CHECK(second.state.at("forget").item<double>() == Approx(5.04846183));
  CHECK(second.state.at("input").item<double>() == Approx(-4.85153817));
  CHECK(second.phi[0].item<double>() == Approx(.48994464));
  CHECK(std::abs(second.phi[0].item<double>() - .48907252) > 1e-4);
  Gates divided(2);
  for (const char* name : {"inner.forget.weight", "inner.input.weight"}) divided.own.at(name).zero_();
  CHECK(divided.step(phi_of(.5), first.state.zeros_like(), .4, 0).phi[0].item<double>() == Approx(.49230914));
}

// One unit, all weights and biases 0 but the candidate's on sign g, 1: c = .5 tanh(1), h = .5 tanh(c).
TEST_CASE("meta_lstm: the first layer is an LSTM over gates in the order input, forget, output, candidate",
          "[meta]") {
  const auto rule = lstm_step(1, 1);
  Stream stream(StreamKey{});
  const Params own =
      rule->meta_parameters(phi_of(0), 1, stream).map([](const Tensor& t) { return torch::zeros_like(t); });
  CHECK(own.at("inner.lstm.weight").sizes() == std::vector<int64_t>{1, 5, 4});
  own.at("inner.lstm.weight")[0][3][3] = 1;
  own.at("inner.lstm.bias")[0][1] = 2;  // of the forget gate, which meets a cell of 0 at first
  const Tensor loss = torch::full({1}, 0.7, torch::kFloat64);
  const auto first =
      rule->update({own, phi_of(1), phi_of(.5), rule->initial_state(own, phi_of(1)), loss, 0, 1});
  const double cell = 0.5 * std::tanh(1.0);
  CHECK(first.state.at("cell").item<double>() == Approx(cell));
  CHECK(first.state.at("hidden").item<double>() == Approx(0.5 * std::tanh(cell)));
  const auto second = rule->update({own, first.phi, phi_of(-.5), first.state, loss, 1, 1});
  CHECK(second.state.at("cell").item<double>() == Approx(cell / (1 + std::exp(-2.0)) - cell));
}

TEST_CASE("meta_lstm: its parameters start with long memory and short steps", "[meta]") {
  const auto rule = lstm_step(20, 1);
  const Params phi({{"a", torch::zeros({1, 3, 2})}, {"b", torch::zeros({1, 4})}});
  Stream stream(StreamKey{2});
  const Params own = rule->meta_parameters(phi, 1, stream);
  CHECK(own.numel() == 24 * 80 + 80 + 2 * (22 + 1));
  const double forget = own.at("inner.forget.bias").item<double>(),
               input = own.at("inner.input.bias").item<double>();
  CHECK((forget >= 4 && forget <= 5));
  CHECK((input >= -5 && input <= -4));
  CHECK(largest(own.part("inner.lstm.")) <= 0.01);
  CHECK(largest(own.part("inner.lstm.")) > 0.009);
  CHECK(rule->initial_state(own, phi.expanded(3)).at("hidden").sizes() == std::vector<int64_t>{3, 10, 20});
}

TEST_CASE("meta_lstm: where gradients are constants its meta-gradient is exact", "[meta]") {
  const auto rule = lstm_step(3, 1);
  const Params initial(
      {{"a", torch::tensor({{{.4, -.2}}}, torch::kFloat64)}, {"b", torch::tensor({{.1}}, torch::kFloat64)}});
  const InnerLoop inner({.steps = 3, .step_size = 1, .first_order = true}, initial, {.rule = rule});
  Stream stream(StreamKey{2});
  Params meta = inner.meta_parameters(initial, stream);
  meta = meta + 0.3 * normal_like(meta, 4);
  const ConstantGradient task;
  const LastStepObjective objective;
  const auto gradient = [&](const Params& p) {
    const auto adaptation = inner.adapt(p, task);
    return meta_gradient(objective.at(adaptation, task, {}), adaptation);
  };
  const auto found = check_gradient(
      [&](const Params& p) { return objective.value(inner.adapt(p, task), task, {}).sum().item<double>(); },
      gradient, meta);
  INFO(found.text());
  CHECK(found.relative < 1e-8);
  CHECK(largest(gradient(meta).part("inner.forget.")) > 1e-3);
}

TEST_CASE("meta_lstm: a gradient of exactly zero has finite derivatives", "[meta]") {
  const Gates gates;
  const Tensor loss = torch::zeros({1}, torch::kFloat64);
  const Params phi = phi_of(.5), zero = phi_of(0), state = gates.rule->initial_state(gates.own, phi);
  const auto found = gates.rule->pullback({gates.own, phi, zero, state, loss, 0, 1}, {phi_of(1), {}});
  CHECK(all_finite(found.rule));
  CHECK(all_finite(found.phi));
  CHECK(all_finite(found.gradient));
  CHECK(largest(found.phi) > 0.9);
}
