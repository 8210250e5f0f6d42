// Policies, parameters and differences for the tests of this room.
#pragma once

#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include "base/random.h"
#include "policies/policy.h"

namespace innerloop::testing {

inline EnvironmentSpec spec(ActionKind kind, int64_t observations, int64_t actions) {
  EnvironmentSpec out;
  out.name = "test";
  out.observation_size = observations;
  out.action_kind = kind;
  out.action_size = actions;
  out.horizon = 5;
  return out;
}

inline EnvironmentSpec continuous(int64_t observations, int64_t actions) {
  return spec(ActionKind::kContinuous, observations, actions);
}

inline EnvironmentSpec discrete(int64_t observations, int64_t choices) {
  return spec(ActionKind::kDiscrete, observations, choices);
}

inline torch::Tensor normal(torch::IntArrayRef sizes, uint64_t seed,
                            torch::ScalarType type = torch::kFloat64) {
  auto out = torch::empty(sizes, torch::kFloat64);
  Stream stream({.seed = seed});
  for (int64_t i = 0; i < out.numel(); ++i) out.data_ptr<double>()[i] = stream.normal();
  return out.to(type);
}

// Parameters of T tasks that differ, biases and log-std included.
inline Params different_tasks(const Policy& policy, int64_t tasks, uint64_t seed = 7) {
  Stream stream({.seed = seed});
  return policy.initial(stream).expanded(tasks).map(
      [&](const torch::Tensor& t) { return t + 0.3 * normal(t.sizes(), ++seed, torch::kFloat32); });
}

// d f / d x by central differences.
inline torch::Tensor finite_difference(const std::function<double(const torch::Tensor&)>& f,
                                       const torch::Tensor& x) {
  const double step = 1e-6;
  auto out = torch::empty_like(x);
  for (int64_t i = 0; i < x.numel(); ++i) {
    auto moved = x.detach().clone();
    auto* entry = moved.data_ptr<double>() + i;
    const double middle = *entry;
    *entry = middle + step;
    const double above = f(moved);
    *entry = middle - step;
    out.data_ptr<double>()[i] = (above - f(moved)) / (2 * step);
  }
  return out;
}

inline double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace innerloop::testing
