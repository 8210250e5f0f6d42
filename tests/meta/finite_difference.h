// Fourth-order central differences of a scalar function of parameters, and distances between parameters.
#pragma once

#include <algorithm>
#include <functional>

#include "base/random.h"
#include "networks/params.h"

namespace innerloop {

// d f / d params, entry by entry; params [1, ...] in float64.
inline Params finite_difference(const std::function<double(const Params&)>& f, const Params& params,
                                double epsilon = 1e-4) {
  Params gradient = params.zeros_like();
  for (size_t i = 0; i < params.size(); ++i) {
    for (int64_t j = 0; j < params[i].numel(); ++j) {
      const auto at = [&](double shift) {
        const Params moved = params.cloned();
        moved[i].view(-1)[j] += shift;
        return f(moved);
      };
      gradient[i].view(-1)[j] =
          (8 * (at(epsilon) - at(-epsilon)) - (at(2 * epsilon) - at(-2 * epsilon))) / (12 * epsilon);
    }
  }
  return gradient;
}

inline double largest(const Params& a) {
  double out = 0;
  for (const auto& entry : a) {
    if (entry.value.numel() > 0) out = std::max(out, entry.value.abs().max().item<double>());
  }
  return out;
}

inline double distance(const Params& a, const Params& b) { return largest(a - b); }

inline double inner_product(const Params& a, const Params& b) {
  double out = 0;
  for (size_t i = 0; i < a.size(); ++i) out += (a[i] * b[i]).sum().item<double>();
  return out;
}

// Deterministic N(0, 1) entries shaped as `like`.
inline Params normal_like(const Params& like, uint64_t seed) {
  Stream stream(StreamKey{seed, Purpose::kTest});
  Params out = like.zeros_like();
  for (const auto& entry : out) {
    auto flat = entry.value.view(-1);
    for (int64_t j = 0; j < flat.numel(); ++j) flat[j] = stream.normal();
  }
  return out;
}

}  // namespace innerloop
