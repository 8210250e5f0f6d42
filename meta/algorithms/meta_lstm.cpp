#include "meta/algorithms/meta_lstm.h"

#include <ATen/ops/log.h>
#include <ATen/ops/where.h>

#include <cmath>

#include "base/error.h"
#include "meta/gradient_algorithm.h"
#include "networks/tensors/coordinate_lstm.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct MetaLstmConfig {
  int64_t hidden = 20;
  bool divide_gradient = false;
};

const Keys<MetaLstmConfig>& meta_lstm_keys() {
  static const Keys<MetaLstmConfig> list{
      keys::whole("hidden", &MetaLstmConfig::hidden, 1, 1'000, "units of the first layer"),
      keys::truth("divide_gradient", &MetaLstmConfig::divide_gradient,
                  "by the number of support samples, as the code does")};
  return list;
}

constexpr int64_t kInputs = 4;  // prep(L), prep(g)

Tensor coordinates(const Params& params) {  // [T, P]
  std::vector<Tensor> parts;
  for (const auto& entry : params) parts.push_back(entry.value.flatten(1));
  return torch::cat(parts, 1);
}

class LstmStep : public UpdateRule {
 public:
  LstmStep(int64_t hidden, double divisor) : hidden_(hidden), divisor_(divisor) {}

  Params meta_parameters(const Params& adapted, int64_t, Stream& stream) const override {
    const auto drawn = [&](std::vector<int64_t> shape, double low, double high) {
      const Tensor out = torch::empty(shape, torch::kFloat64);
      double* to = out.data_ptr<double>();
      for (int64_t i = 0; i < out.numel(); ++i) to[i] = stream.uniform(low, high);
      return out.to(adapted.dtype());
    };
    constexpr double a = 0.01;
    return Params({{"inner.lstm.weight", drawn({1, kInputs + hidden_, 4 * hidden_}, -a, a)},
                   {"inner.lstm.bias", drawn({1, 4 * hidden_}, -a, a)},
                   {"inner.forget.weight", drawn({1, hidden_ + 2}, -a, a)},
                   {"inner.forget.bias", drawn({1, 1}, 4, 5)},
                   {"inner.input.weight", drawn({1, hidden_ + 2}, -a, a)},
                   {"inner.input.bias", drawn({1, 1}, -5, -4)}});
  }

  Params initial_state(const Params&, const Params& phi) const override {
    const int64_t tasks = phi.tasks(), count = phi.numel();
    const auto zeros = [&](std::vector<int64_t> shape) { return torch::zeros(shape, phi[0].options()); };
    return Params({{"hidden", zeros({tasks, count, hidden_})},
                   {"cell", zeros({tasks, count, hidden_})},
                   {"forget", zeros({tasks, count})},
                   {"input", zeros({tasks, count})}});
  }

  Out update(const In& in) const override {
    const auto found = lstm(in.rule).step(at(in));
    const auto& state = found.state;
    return {as_params(in.phi, found.theta),
            in.state.with({state.hidden, state.cell, state.forget, state.input})};
  }

  Cotangents pullback(const In& in, const Out& c) const override {
    CoordinateLstm::Out cotangent{coordinates(c.phi), {}};
    if (!c.state.empty()) {
      cotangent.state = {c.state.at("hidden"), c.state.at("cell"), c.state.at("forget"), c.state.at("input")};
    }
    const auto found = lstm(in.rule).pullback(at(in), cotangent);
    const auto& w = found.weights;
    return {in.rule.with({w.weight, w.bias, w.forget_weight, w.forget_bias, w.input_weight, w.input_bias}),
            as_params(in.phi, found.theta),
            c.phi.zeros_like(),
            in.state.with({found.state.hidden, found.state.cell, found.state.forget, found.state.input}),
            {}};
  }

  Out pushforward(const In&, const Tangents&) const override {
    throw Error(
        "meta_lstm: its steps have no derivative along a direction; policies, which ask for it, do not use "
        "it");
  }

 private:
  static CoordinateLstm lstm(const Params& rule) {
    return {rule.at("inner.lstm.weight"), rule.at("inner.lstm.bias"),    rule.at("inner.forget.weight"),
            rule.at("inner.forget.bias"), rule.at("inner.input.weight"), rule.at("inner.input.bias")};
  }

  CoordinateLstm::In at(const In& in) const {
    const Tensor g = coordinates(in.gradient).detach() / divisor_;
    const Tensor loss = preprocessed(in.loss.detach()).unsqueeze(1).expand({g.size(0), g.size(1), 2});
    return {coordinates(in.phi),
            g,
            torch::cat({loss, preprocessed(g)}, 2),
            {in.state.at("hidden"), in.state.at("cell"), in.state.at("forget"), in.state.at("input")},
            in.scale};
  }

  static Params as_params(const Params& like, const Tensor& row) {
    int64_t offset = 0;
    return like.map([&](const Tensor& value) {
      const int64_t count = value.numel() / value.size(0);
      const Tensor part = row.narrow(1, offset, count).reshape(value.sizes());
      offset += count;
      return part;
    });
  }

  int64_t hidden_;
  double divisor_;
};

Parts meta_lstm_parts(const MetaLstmConfig& config, const MethodContext& context) {
  require_usage(context.inner.steps >= 1,
                "inner.steps: 0 found, expected 1 or more: the LSTM is learned through inner steps");
  const auto samples = static_cast<double>(context.shape.ways * context.shape.shots);
  return {.rule = lstm_step(config.hidden, config.divide_gradient ? samples : 1)};
}

}  // namespace

Tensor preprocessed(const Tensor& v) {
  constexpr double kP = 10;
  const double least = std::exp(-kP);
  const Tensor size = v.abs(), large = size.ge(least);
  const Tensor first = torch::where(large, torch::log(size.clamp_min(least)) / kP, torch::full_like(v, -1));
  return torch::stack({first, torch::where(large, v.sign(), v / least)}, -1);
}

std::shared_ptr<const UpdateRule> lstm_step(int64_t hidden, double divisor) {
  return std::make_shared<LstmStep>(hidden, divisor);
}

Algorithm meta_lstm() {
  return gradient_algorithm(
      {.name = "meta_lstm",
       .paper = "Ravi and Larochelle 2017, section 3",
       .summary = "a learned LSTM takes the inner steps, coordinate by coordinate",
       .prescribes = {{"inner.first_order", "true"}, {"inner.step_size", "1"}, {"dataset.most_shots", "0"}},
       .exact = false},
      meta_lstm_keys(), meta_lstm_parts, Tasks::kEpisodes);
}

}  // namespace innerloop
