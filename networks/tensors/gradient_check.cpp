#include "networks/tensors/gradient_check.h"

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/random.h"

namespace innerloop {

Params finite_difference(const std::function<double(const Params&)>& f, const Params& params,
                         double epsilon) {
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

std::string GradientCheck::text() const {
  return concat(entry, "[", index, "]: gradient ", gradient, ", by differences ", difference, " (absolute ",
                absolute, ", relative ", relative, ")");
}

GradientCheck check_gradient(const std::function<double(const Params&)>& value,
                             const std::function<Params(const Params&)>& gradient, const Params& at,
                             double epsilon) {
  require(at.tasks() == 1 && at.dtype() == torch::kFloat64, "gradient check: parameters are ", at.dtype(),
          " of ", at.tasks(), " tasks, expected Double of 1");
  const Params numeric = finite_difference(value, at, epsilon), claimed = gradient(at);
  check_fits(claimed, numeric, "gradient check");
  GradientCheck worst{.absolute = -1};
  for (size_t i = 0; i < at.size(); ++i) {
    const auto found = claimed[i].contiguous(), expected = numeric[i].contiguous();
    const double *g = found.data_ptr<double>(), *d = expected.data_ptr<double>();
    for (int64_t j = 0; j < found.numel(); ++j) {
      double off = std::abs(g[j] - d[j]);
      if (std::isnan(off)) off = std::numeric_limits<double>::infinity();
      if (off > worst.absolute) worst = {off, 0, at.name(i), j, g[j], d[j]};
    }
  }
  worst.absolute = std::max(worst.absolute, 0.0);
  if (worst.absolute > 0) worst.relative = worst.absolute / largest(numeric);
  return worst;
}

double largest(const Params& a) {
  double out = 0;
  for (const auto& entry : a) {
    if (entry.value.numel() == 0) continue;
    const double here = entry.value.abs().max().item<double>();
    if (std::isnan(here)) return here;
    out = std::max(out, here);
  }
  return out;
}

double distance(const Params& a, const Params& b) { return largest(a - b); }

double inner_product(const Params& a, const Params& b) {
  double out = 0;
  for (size_t i = 0; i < a.size(); ++i) out += (a[i] * b[i]).sum().item<double>();
  return out;
}

Params normal_like(const Params& like, uint64_t seed) {
  Stream stream(StreamKey{seed, Purpose::kTest});
  Params out = like.zeros_like();
  for (const auto& entry : out) {
    auto flat = entry.value.view(-1);
    for (int64_t j = 0; j < flat.numel(); ++j) flat[j] = stream.normal();
  }
  return out;
}

}  // namespace innerloop
