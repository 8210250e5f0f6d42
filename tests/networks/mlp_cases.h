// Networks, points and references for the tests of MlpLinearization and of heads.
#pragma once

#include "networks/mlp_linearization.h"
#include "tests/torch_catch.h"

namespace innerloop {

inline torch::Tensor normal(Stream& stream, at::IntArrayRef shape, double scale = 1) {
  auto out = torch::empty(shape, torch::kFloat64);
  auto* data = out.data_ptr<double>();
  for (int64_t i = 0; i < out.numel(); ++i) data[i] = scale * stream.normal();
  return out;
}

struct MlpCase {
  MlpConfig config;
  int64_t tasks = 1;
  int64_t samples = 17;
};

// One point (params, x), a direction and cotangents (c, c') there; float64.
struct MlpPoint {
  explicit MlpPoint(const MlpCase& at, uint64_t seed = 1)
      : mlp(at.config), tasks(at.tasks), samples(at.samples) {
    Stream stream(StreamKey{.seed = seed});
    const auto like = mlp.initial(stream).to(torch::kFloat64).expanded(tasks);
    // Weights of unit gain: activations are neither linear nor saturated.
    params = like.map([&](const torch::Tensor& t) {
      return normal(stream, t.sizes(), t.dim() == 3 ? 1 / std::sqrt(static_cast<double>(t.size(2))) : 0.3);
    });
    direction = like.map([&](const torch::Tensor& t) { return normal(stream, t.sizes()); });
    x = normal(stream, {tasks, samples, at.config.inputs});
    c = normal(stream, {tasks, samples, at.config.outputs});
    ct = normal(stream, {tasks, samples, at.config.outputs});
  }

  Mlp mlp;
  int64_t tasks, samples;
  Params params, direction;
  torch::Tensor x, c, ct;
};

inline double largest(const torch::Tensor& t) { return t.numel() == 0 ? 0 : t.abs().max().item<double>(); }

// max |a - b| / max(1, max |b|)
inline double error(const torch::Tensor& a, const torch::Tensor& b) {
  REQUIRE(a.sizes() == b.sizes());
  return largest(a - b) / std::max(1.0, largest(b));
}
inline double error(const Params& a, const Params& b) {
  REQUIRE(a.names() == b.names());
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, error(a[i], b[i]));
  return worst;
}

// Autograd's gradient of sum_t loss_t(params), zeros where the loss does not depend on an entry.
inline Params autograd_gradient(const torch::Tensor& loss, const Params& leaves, bool create_graph = false) {
  auto values = torch::autograd::grad({loss}, leaves.tensors(), {}, true, create_graph, true);
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].defined()) values[i] = torch::zeros_like(leaves[i].detach());
  }
  return leaves.with(values);
}

inline torch::Tensor dot(const Params& a, const Params& b) {
  auto sum = torch::zeros({}, a.dtype());
  for (size_t i = 0; i < a.size(); ++i) sum = sum + (a[i] * b[i]).sum();
  return sum;
}

// Central differences of f along `direction`.
template <class F>
auto difference(const F& f, const Params& params, const Params& direction, double step = 1e-5) {
  return (1 / (2 * step)) * (f(params + step * direction) - f(params - step * direction));
}

}  // namespace innerloop
