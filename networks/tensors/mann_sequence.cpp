#include "networks/tensors/mann_sequence.h"

#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "networks/tensors/products.h"

namespace innerloop {
namespace {

using torch::Tensor;

// x w^T, a^T b and a w of matrices.
Tensor mann_nt(const Tensor& x, const Tensor& w) {
  return product_nt(x.unsqueeze(0), w.unsqueeze(0)).squeeze(0);
}
Tensor mann_tn(const Tensor& a, const Tensor& b) {
  return product_tn(a.unsqueeze(0), b.unsqueeze(0)).squeeze(0);
}
Tensor mann_nn(const Tensor& a, const Tensor& w) {
  return product(a.unsqueeze(0), w.unsqueeze(0)).squeeze(0);
}

// All steps and sequences as rows.
Tensor mann_flat(const Tensor& x) { return x.flatten(0, 1); }

// [steps + 1, B, ...] whose first is `first`.
Tensor mann_record(const Tensor& first, int64_t steps) {
  std::vector<int64_t> sizes = first.sizes().vec();
  sizes.insert(sizes.begin(), steps + 1);
  Tensor out = torch::empty(sizes, first.options());
  out[0].copy_(first);
  return out;
}

// Sequence b of x [B, ...].
template <class T>
T* mann_at(const Tensor& x, int64_t b) {
  return x.data_ptr<T>() + b * x.stride(0);
}

template <class T>
MannMemory<T> mann_memory(const MannSequence::Run& run, int64_t t, int64_t b) {
  return {mann_at<T>(run.rows[t], b), mann_at<T>(run.read[t], b), mann_at<T>(run.used[t], b)};
}
template <class T>
MannMemory<const T> mann_const_memory(const MannSequence::Run& run, int64_t t, int64_t b) {
  const auto found = mann_memory<T>(run, t, b);
  return {found.rows, found.read, found.used};
}

// The parts of a step's heads: keys, vectors of their own, gates.
struct MannHeads {
  int64_t keys, written, gate;  // where they begin; gate -1: one for all
};
MannHeads mann_heads(const MannConfig& c) {
  const int64_t r = c.reads * c.size, written = c.write_vector ? r : 0;
  return {0, written, c.controller_gate ? written + r : -1};
}

template <class T>
MannAccess<T> mann_access_of(const MannHeads& at, const Tensor& heads, const Tensor& shared, int64_t b) {
  const T* row = mann_at<T>(heads, b);
  return {row + at.keys, row + at.written, at.gate < 0 ? shared.data_ptr<T>() : row + at.gate};
}

template <class T>
void mann_access_step(const MannConfig& config, const MannSequence::Run& run, int64_t t,
                      const Tensor& shared) {
  for (int64_t b = 0; b < run.c.size(1); ++b) {
    mann_access<T>(
        config, mann_const_memory<T>(run, t, b),
        mann_access_of<T>(mann_heads(config), run.heads[t], shared, b), mann_memory<T>(run, t + 1, b),
        {mann_at<T>(run.write[t], b), mann_at<T>(run.cosines[t], b), mann_at<int64_t>(run.least[t], b)},
        mann_at<T>(run.h[t + 1], b) + config.hidden);
  }
}

// Derivatives carried from step to step.
struct MannCarried {
  Tensor h, c, rows, read;  // of the loss in the state after a step
  Tensor heads;             // in the step's heads after their tanh and sigmoid, [B, heads]
  Tensor gate;              // in one gate for all, summed, [reads]
};

template <class T>
void mann_access_back(const MannConfig& config, const MannSequence::Run& run, int64_t t, const Tensor& shared,
                      MannCarried& d) {
  const auto at = mann_heads(config);
  std::vector<T> written(static_cast<size_t>(config.reads * config.size)),
      gate(static_cast<size_t>(config.reads));
  for (int64_t b = 0; b < run.c.size(1); ++b) {
    T* heads = mann_at<T>(d.heads, b);
    mann_access_gradient<T>(
        config, mann_const_memory<T>(run, t, b), mann_access_of<T>(at, run.heads[t], shared, b),
        mann_const_memory<T>(run, t + 1, b),
        {mann_at<T>(run.write[t], b), mann_at<T>(run.cosines[t], b), mann_at<int64_t>(run.least[t], b)},
        mann_at<T>(d.h, b) + config.hidden, mann_at<T>(d.rows, b), mann_at<T>(d.read, b), heads + at.keys,
        written.data(), gate.data());
    for (size_t i = 0; i < written.size(); ++i) {
      T& to = heads[at.written + static_cast<int64_t>(i)];
      to = at.written == at.keys ? to + written[i] : written[i];
    }
    T* gates = at.gate < 0 ? d.gate.data_ptr<T>() : heads + at.gate;
    for (size_t i = 0; i < gate.size(); ++i) gates[i] = at.gate < 0 ? gates[i] + gate[i] : gate[i];
  }
}

}  // namespace

MannState MannState::repeated(int64_t times) const {
  const auto each = [times](const Tensor& x) { return x.repeat_interleave(times, 0); };
  return {each(h), each(c), each(rows), each(read), each(used)};
}

MannState mann_start(const MannConfig& c, int64_t sequences, torch::ScalarType dtype) {
  const auto zeros = [&](std::vector<int64_t> sizes) {
    sizes.insert(sizes.begin(), sequences);
    return torch::zeros(sizes, dtype);
  };
  MannState out{zeros({c.hidden + c.reads * c.size}), zeros({c.hidden}), zeros({c.size, c.slots}),
                zeros({c.reads, c.slots}), zeros({c.slots})};
  out.rows.fill_(1e-6);
  out.read.select(2, 0).fill_(1);
  out.used.select(1, 0).fill_(1);
  return out;
}

MannSequence::MannSequence(const Params& weights, const MannConfig& config)
    : weights_(weights.map([](const Tensor& value) { return value.squeeze(0).contiguous(); })),
      config_(config) {
  recurrent_ = torch::cat({weights_.at("hidden.weight"), weights_.at("read.weight")}, 1);
  head_names_ = {"key"};
  if (config.write_vector) head_names_.push_back("vector");
  if (config.controller_gate) head_names_.push_back("gate");
  std::vector<Tensor> weight, bias;
  for (const auto& name : head_names_) {
    weight.push_back(weights_.at(name + ".weight"));
    bias.push_back(weights_.at(name + ".bias"));
  }
  head_weight_ = torch::cat(weight);
  head_bias_ = torch::cat(bias);
  if (!config.controller_gate) {
    shared_gate_ = weights_.at("gate.bias").sigmoid().expand({config.reads}).contiguous();
  }
}

MannSequence::Run MannSequence::run(const Tensor& inputs, const MannState& from) const {
  const int64_t steps = inputs.size(0), batch = inputs.size(1);
  Run out;
  out.inputs = inputs.contiguous();
  out.h = mann_record(from.h, steps);
  out.c = mann_record(from.c, steps);
  out.rows = mann_record(from.rows, steps);
  out.read = mann_record(from.read, steps);
  out.used = mann_record(from.used, steps);
  out.gates = (mann_nt(mann_flat(out.inputs), weights_.at("input.weight")) + weights_.at("input.bias"))
                  .view({steps, batch, -1});
  out.heads = torch::empty({steps, batch, head_bias_.size(0)}, inputs.options());
  out.write = torch::empty({steps, batch, config_.reads, config_.slots}, inputs.options());
  out.cosines = torch::empty_like(out.write);
  out.least = torch::empty({steps, batch, config_.reads}, torch::kInt64);
  for (int64_t t = 0; t < steps; ++t) step(out, t);
  out.scores = (mann_nt(mann_flat(out.h.narrow(0, 1, steps)), weights_.at("output.weight")) +
                weights_.at("output.bias"))
                   .view({steps, batch, -1});
  out.last = {out.h[steps], out.c[steps], out.rows[steps], out.read[steps], out.used[steps]};
  return out;
}

void MannSequence::step(Run& run, int64_t t) const {
  const int64_t n = config_.hidden;
  Tensor gates = run.gates[t], heads = run.heads[t];
  gates += mann_nt(run.h[t], recurrent_);
  gates.narrow(1, 0, 3 * n).sigmoid_();
  const Tensor cell = gates.narrow(1, 3 * n, n).tanh_();
  run.c[t + 1].copy_(gates.narrow(1, 0, n) * run.c[t] + gates.narrow(1, n, n) * cell);
  const Tensor h = gates.narrow(1, 2 * n, n) * run.c[t + 1].tanh();
  run.h[t + 1].narrow(1, 0, n).copy_(h);

  heads.copy_(mann_nt(h, head_weight_) + head_bias_);
  const int64_t tanhs = heads.size(1) - (config_.controller_gate ? config_.reads : 0);
  heads.narrow(1, 0, tanhs).tanh_();
  heads.narrow(1, tanhs, heads.size(1) - tanhs).sigmoid_();
  if (heads.scalar_type() == torch::kFloat32) {
    mann_access_step<float>(config_, run, t, shared_gate_);
  } else {
    mann_access_step<double>(config_, run, t, shared_gate_);
  }
}

Params MannSequence::gradient(const Run& run, const Tensor& d_scores) const {
  const int64_t steps = run.gates.size(0), batch = run.gates.size(1), n = config_.hidden;
  const Tensor states = mann_flat(run.h.narrow(0, 1, steps)), d_output = mann_flat(d_scores.contiguous());
  const Tensor d_states = mann_nn(d_output, weights_.at("output.weight")).view({steps, batch, -1});
  const Tensor d_gates = torch::empty_like(run.gates), d_heads = torch::empty_like(run.heads);
  const int64_t tanhs = run.heads.size(2) - (config_.controller_gate ? config_.reads : 0);
  MannCarried d{torch::zeros_like(run.h[0]),
                torch::zeros_like(run.c[0]),
                torch::zeros_like(run.rows[0]),
                torch::zeros_like(run.read[0]),
                {},
                torch::zeros({config_.reads}, run.h.options())};
  for (int64_t t = steps - 1; t >= 0; --t) {
    d.h += d_states[t];
    d.heads = d_heads[t];
    if (d.h.scalar_type() == torch::kFloat32) {
      mann_access_back<float>(config_, run, t, shared_gate_, d);
    } else {
      mann_access_back<double>(config_, run, t, shared_gate_, d);
    }
    const Tensor heads = run.heads[t], bent = heads.narrow(1, 0, tanhs);
    d.heads.narrow(1, 0, tanhs).mul_(1 - bent * bent);
    if (config_.controller_gate) {
      const Tensor gate = heads.narrow(1, tanhs, config_.reads);
      d.heads.narrow(1, tanhs, config_.reads).mul_(gate * (1 - gate));
    }
    const Tensor dh = d.h.narrow(1, 0, n) + mann_nn(d.heads, head_weight_);

    const auto gate = [&](int64_t i) { return run.gates[t].narrow(1, i * n, n); };
    const auto d_gate = [&](int64_t i) { return d_gates[t].narrow(1, i * n, n); };
    const auto slope = [&](int64_t i) { return gate(i) * (1 - gate(i)); };
    const Tensor bent_c = run.c[t + 1].tanh();
    d.c += dh * gate(2) * (1 - bent_c * bent_c);
    d_gate(0).copy_(d.c * run.c[t] * slope(0));
    d_gate(1).copy_(d.c * gate(3) * slope(1));
    d_gate(2).copy_(dh * bent_c * slope(2));
    d_gate(3).copy_(d.c * gate(1) * (1 - gate(3) * gate(3)));
    d.c *= gate(0);
    d.h = mann_nn(d_gates[t], recurrent_);
  }

  std::vector<std::pair<std::string, Tensor>> found;
  const Tensor of_gates = mann_flat(d_gates), of_heads = mann_flat(d_heads);
  const Tensor recurrent = mann_tn(of_gates, mann_flat(run.h.narrow(0, 0, steps)));
  found.emplace_back("input.weight", mann_tn(of_gates, mann_flat(run.inputs)));
  found.emplace_back("input.bias", of_gates.sum(0));
  found.emplace_back("hidden.weight", recurrent.narrow(1, 0, n));
  found.emplace_back("read.weight", recurrent.narrow(1, n, recurrent.size(1) - n));
  found.emplace_back("output.weight", mann_tn(d_output, states));
  found.emplace_back("output.bias", d_output.sum(0));
  const Tensor heads = mann_tn(of_heads, states.narrow(1, 0, n).contiguous()), biases = of_heads.sum(0);
  int64_t first = 0;
  for (const auto& name : head_names_) {
    const int64_t rows = weights_.at(name + ".bias").size(0);
    found.emplace_back(name + ".weight", heads.narrow(0, first, rows));
    found.emplace_back(name + ".bias", biases.narrow(0, first, rows));
    first += rows;
  }
  if (!config_.controller_gate) {
    const Tensor& gate = shared_gate_;
    found.emplace_back("gate.bias", (d.gate * gate * (1 - gate)).sum(0, true));
  }
  std::vector<Tensor> values;
  for (const auto& name : weights_.names()) {
    const auto at =
        std::find_if(found.begin(), found.end(), [&](const auto& one) { return one.first == name; });
    require(at != found.end(), "mann: no derivative in ", name);
    values.push_back(at->second.contiguous().unsqueeze(0));
  }
  return weights_.with(std::move(values));
}

}  // namespace innerloop
