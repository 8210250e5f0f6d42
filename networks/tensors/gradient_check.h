// Is this the gradient of that function? Central differences of fourth order, and distances between
// parameters.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "networks/tensors/params.h"

namespace innerloop {

// d f / d params, number by number; params [1, ...] in float64.
Params finite_difference(const std::function<double(const Params&)>& f, const Params& params,
                         double epsilon = 1e-4);

// A gradient against finite differences, at the number where they are farthest apart.
struct GradientCheck {
  double absolute = 0;    // |gradient - difference| there
  double relative = 0;    // the same over the largest |difference| of all numbers
  std::string entry;      // where: the entry
  int64_t index = 0;      // and the number in it
  double gradient = 0;    // what the gradient says there
  double difference = 0;  // and what the function does
  std::string text()
      const;  // "layer0.weight[3]: gradient 0.25, by differences 0.5 (absolute 0.25, relative 0.5)"
};

// `value`: a function of parameters [1, ...] in float64; `gradient`: what claims to be its gradient, with the
// entries of `at`. A gradient that is not finite is infinitely far off.
GradientCheck check_gradient(const std::function<double(const Params&)>& value,
                             const std::function<Params(const Params&)>& gradient, const Params& at,
                             double epsilon = 1e-4);

double largest(const Params& a);                    // |number|; NaN if there is one
double distance(const Params& a, const Params& b);  // largest(a - b)
double inner_product(const Params& a, const Params& b);

// Deterministic N(0, 1) entries shaped as `like`.
Params normal_like(const Params& like, uint64_t seed);

}  // namespace innerloop
