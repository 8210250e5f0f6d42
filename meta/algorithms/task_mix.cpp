#include "meta/algorithms/task_mix.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace innerloop {
namespace {

double gamma_variable(double a, Stream& stream) {
  if (a < 1) return gamma_variable(a + 1, stream) * std::pow(1 - stream.uniform(), 1 / a);
  const double d = a - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = stream.normal(), v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log(1 - stream.uniform()) < x * x / 2 + d - d * v + d * std::log(v)) return d * v;
  }
}

std::vector<int64_t> shuffled(int64_t count, Stream& stream) {
  std::vector<int64_t> out(static_cast<size_t>(count));
  std::iota(out.begin(), out.end(), 0);
  for (size_t i = out.size(); i > 1; --i) std::swap(out[i - 1], out[stream.below(i)]);
  return out;
}

// Classes in the order of `classes`, `each` samples of a class one after the other.
std::vector<int64_t> samples_of(const std::vector<int64_t>& classes, int64_t each) {
  std::vector<int64_t> out;
  for (const int64_t c : classes) {
    for (int64_t s = 0; s < each; ++s) out.push_back(c * each + s);
  }
  return out;
}

}  // namespace

double symmetric_beta(double a, Stream& stream) {
  const double x = gamma_variable(a, stream), y = gamma_variable(a, stream);
  return x + y > 0 ? x / (x + y) : 0.5;
}

CutBox cut_box(int64_t height, int64_t width, double lambda, int64_t row, int64_t column) {
  const double share = std::sqrt(1 - lambda);
  const auto sides = [share](int64_t size, int64_t centre) {
    const auto length = static_cast<int64_t>(static_cast<double>(size) * share);
    return std::pair(std::clamp<int64_t>(centre - length / 2, 0, size),
                     std::clamp<int64_t>(centre + length / 2, 0, size));
  };
  const auto [top, bottom] = sides(height, row);
  const auto [left, right] = sides(width, column);
  return {top, bottom, left, right};
}

TaskMix TaskMixer::draw(const Moment& now, int64_t task) const {
  Stream stream = now.stream(task);
  TaskMix out;
  out.partner = static_cast<int64_t>(stream.below(static_cast<uint64_t>(tasks)));
  out.layer = static_cast<int64_t>(stream.below(static_cast<uint64_t>(layers) + 1));
  out.lambda = symmetric_beta(config.beta, stream);
  if (!classes || (config.label_sharing && !config.prototypical)) {
    out.support = shuffled(shape.ways * shape.shots, stream);
    out.query = shuffled(shape.ways * shape.queries, stream);
  } else {
    std::vector<int64_t> order(static_cast<size_t>(shape.ways));
    std::iota(order.begin(), order.end(), 0);
    if (!config.label_sharing) order = shuffled(shape.ways, stream);
    out.support = samples_of(order, shape.shots);
    out.query = samples_of(order, shape.queries);
  }
  if (!config.cutmix) return out;
  const auto box = [&] {
    const auto row = stream.below(static_cast<uint64_t>(height));
    const auto column = stream.below(static_cast<uint64_t>(width));
    return cut_box(height, width, out.lambda, static_cast<int64_t>(row), static_cast<int64_t>(column));
  };
  out.support_box = box();
  out.query_box = box();
  return out;
}

}  // namespace innerloop
