#include "networks/tensors/mann_sequence.h"

#include <torch/torch.h>

#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

constexpr int64_t kInputs = 5, kOutputs = 3, kSteps = 7, kSequences = 2;
const MannConfig kPaper{.hidden = 4, .slots = 6, .size = 3, .reads = 2};

Params weights(const MannConfig& c) {
  const int64_t r = c.reads * c.size;
  std::vector<Params::Entry> out{{"input.weight", torch::zeros({1, 4 * c.hidden, kInputs}, torch::kFloat64)}};
  const auto add = [&](const std::string& name, std::vector<int64_t> sizes) {
    sizes.insert(sizes.begin(), 1);
    out.push_back({name, torch::zeros(sizes, torch::kFloat64)});
  };
  add("read.weight", {4 * c.hidden, r});
  add("hidden.weight", {4 * c.hidden, c.hidden});
  add("input.bias", {4 * c.hidden});
  add("key.weight", {r, c.hidden});
  add("key.bias", {r});
  if (c.write_vector) add("vector.weight", {r, c.hidden}), add("vector.bias", {r});
  if (c.controller_gate) add("gate.weight", {c.reads, c.hidden});
  add("gate.bias", {c.controller_gate ? c.reads : 1});
  add("output.weight", {kOutputs, c.hidden + r});
  add("output.bias", {kOutputs});
  return 0.7 * normal_like(Params(std::move(out)), 3);
}

Tensor noise(const std::vector<int64_t>& sizes, uint64_t seed) {
  return normal_like(Params({{"x", torch::zeros(sizes, torch::kFloat64)}}), seed)[0];
}

Params entry_of(const Params& p, const std::string& name, const Tensor& value) {
  std::vector<Tensor> values = p.tensors();
  for (size_t i = 0; i < values.size(); ++i) {
    if (p.name(i) == name) values[i] = value;
  }
  return p.with(std::move(values));
}

}  // namespace

TEST_CASE("mann: without its memory a sequence is LibTorch's LSTM with a linear layer", "[mann]") {
  Params p = weights(kPaper);
  p = entry_of(p, "read.weight", torch::zeros_like(p.at("read.weight")));
  const Tensor output = p.at("output.weight").clone();
  output.narrow(2, kPaper.hidden, output.size(2) - kPaper.hidden).zero_();
  p = entry_of(p, "output.weight", output);

  torch::nn::LSTM lstm(torch::nn::LSTMOptions(kInputs, kPaper.hidden));
  lstm->to(torch::kFloat64);
  const auto theirs = [](const Tensor& rows) {  // forget, input, output, cell -> input, forget, cell, output
    const auto g = rows.chunk(4, 0);
    return torch::cat({g[1], g[0], g[3], g[2]}, 0);
  };
  const torch::NoGradGuard no_graph;
  const auto set = [&](const std::string& name, const Tensor& value) {
    lstm->named_parameters()[name].copy_(value);
  };
  set("weight_ih_l0", theirs(p.at("input.weight")[0]));
  set("weight_hh_l0", theirs(p.at("hidden.weight")[0]));
  set("bias_ih_l0", theirs(p.at("input.bias")[0]));
  set("bias_hh_l0", torch::zeros({4 * kPaper.hidden}, torch::kFloat64));

  const Tensor x = noise({kSteps, kSequences, kInputs}, 1);
  const Tensor h = std::get<0>(lstm->forward(x));
  const Tensor expected = h.matmul(output[0].narrow(1, 0, kPaper.hidden).t()) + p.at("output.bias")[0];
  const MannState start = mann_start(kPaper, kSequences, torch::kFloat64);
  CHECK(torch::allclose(MannSequence(p, kPaper).run(x, start).scores, expected, 1e-10, 1e-10));
  CHECK_FALSE(torch::allclose(MannSequence(weights(kPaper), kPaper).run(x, start).scores, expected));
}

TEST_CASE("mann: a sequence in two runs is the one in one run, and sequences do not see each other",
          "[mann]") {
  const MannSequence network(weights(kPaper), kPaper);
  const Tensor x = noise({kSteps, kSequences, kInputs}, 1);
  const MannState start = mann_start(kPaper, kSequences, torch::kFloat64);
  const auto whole = network.run(x, start), first = network.run(x.narrow(0, 0, 3), start);
  const auto second = network.run(x.narrow(0, 3, kSteps - 3), first.last);
  CHECK(torch::allclose(torch::cat({first.scores, second.scores}), whole.scores));
  const auto alone = network.run(x.narrow(1, 1, 1), mann_start(kPaper, 1, torch::kFloat64));
  CHECK(torch::allclose(alone.scores, whole.scores.narrow(1, 1, 1)));
  const auto twice = network.run(x.narrow(0, 3, 1).repeat_interleave(2, 1), first.last.repeated(2));
  CHECK(torch::allclose(twice.scores[0][3], whole.scores[3][1]));
}

TEST_CASE("mann: the gradient of a sequence is that of differences in every form of the memory", "[mann]") {
  MannConfig port = kPaper, before = kPaper, mixed = kPaper;
  port.write_vector = port.controller_gate = port.one_each = true;
  port.key_strength = 3;
  before.read_before = true;
  mixed.write_vector = true;
  for (const auto& config : {kPaper, port, before, mixed}) {
    const Tensor x = noise({kSteps, kSequences, kInputs}, 1), c = noise({kSteps, kSequences, kOutputs}, 2);
    const MannState start = mann_start(config, kSequences, torch::kFloat64);
    const auto found = check_gradient(
        [&](const Params& p) {
          return (MannSequence(p, config).run(x, start).scores * c).sum().item<double>();
        },
        [&](const Params& p) {
          const MannSequence network(p, config);
          return network.gradient(network.run(x, start), c);
        },
        weights(config), 1e-5);
    INFO(found.text());
    CHECK(found.relative < 1e-6);
  }
}

TEST_CASE("mann: float32 sequences are those of float64 to its last digits", "[mann]") {
  const Params p = weights(kPaper);
  const Tensor x = noise({kSteps, kSequences, kInputs}, 1), c = noise({kSteps, kSequences, kOutputs}, 2);
  const MannSequence one(p, kPaper), other(p.to(torch::kFloat32), kPaper);
  const auto exact = one.run(x, mann_start(kPaper, kSequences, torch::kFloat64));
  const auto single = other.run(x.to(torch::kFloat32), mann_start(kPaper, kSequences, torch::kFloat32));
  CHECK(torch::allclose(single.scores.to(torch::kFloat64), exact.scores, 1e-4, 1e-4));
  const Params a = one.gradient(exact, c), b = other.gradient(single, c.to(torch::kFloat32));
  for (const auto& entry : a) {
    INFO(entry.name);
    CHECK(torch::allclose(b.at(entry.name).to(torch::kFloat64), entry.value, 1e-3, 1e-3));
  }
}
