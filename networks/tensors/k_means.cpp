#include "networks/tensors/k_means.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace innerloop {

using torch::Tensor;

namespace {

// f(first, rows) for some rows at a time in float64: all of them would take twice the memory again.
template <class F>
void by_block(const Tensor& points, const F& f) {
  constexpr int64_t kRows = 256;
  for (int64_t first = 0; first < points.size(0); first += kRows) {
    f(first, points.narrow(0, first, std::min(kRows, points.size(0) - first)).to(torch::kFloat64));
  }
}

// Of every point to its own centre of [n, D] or to the one centre [D]: [n].
Tensor squared_distances(const Tensor& points, const Tensor& centre) {
  const Tensor out = torch::empty({points.size(0)}, torch::kFloat64);
  by_block(points, [&](int64_t first, const Tensor& rows) {
    const Tensor at = centre.dim() == 1 ? centre : centre.narrow(0, first, rows.size(0));
    out.narrow(0, first, rows.size(0)).copy_((rows - at).square().sum(1));
  });
  return out;
}

// A row drawn with these weights.
int64_t drawn(const Tensor& weights, Stream& stream) {
  const Tensor sums = weights.cumsum(0).contiguous();
  const double* s = sums.data_ptr<double>();
  const int64_t n = sums.numel();
  const double at = stream.uniform() * s[n - 1];
  return std::min<int64_t>(std::upper_bound(s, s + n, at) - s, n - 1);
}

Tensor seeds(const Tensor& points, int64_t centres, Stream& stream) {
  std::vector<int64_t> rows{static_cast<int64_t>(stream.below(static_cast<uint64_t>(points.size(0))))};
  Tensor nearest = squared_distances(points, points[rows[0]]);
  while (static_cast<int64_t>(rows.size()) < centres) {
    rows.push_back(drawn(nearest, stream));
    nearest = nearest.min(squared_distances(points, points[rows.back()]));
  }
  return points.index_select(0, torch::tensor(rows));
}

// The means of the points of each centre; a centre without points stays.
Tensor means(const Tensor& points, const std::vector<int64_t>& members, const Tensor& centres) {
  const Tensor of = torch::one_hot(torch::tensor(members), centres.size(0)).to(torch::kFloat64);
  Tensor sum = torch::zeros_like(centres, torch::kFloat64);
  by_block(points, [&](int64_t first, const Tensor& rows) {
    sum += of.narrow(0, first, rows.size(0)).t().matmul(rows);
  });
  const Tensor count = of.sum(0).unsqueeze(1), taken = count.gt(0).to(torch::kFloat64);
  const Tensor mean = taken * sum / count.clamp_min(1) + (1 - taken) * centres;
  return mean.to(points.scalar_type());
}

}  // namespace

std::vector<int64_t> nearest_centres(const Tensor& points, const Tensor& centres) {
  const Tensor c = centres.to(torch::kFloat64), origin = c.mean(0);  // rows of many weights differ little
  const Tensor around = c - origin, length = around.square().sum(1);
  std::vector<int64_t> out;
  by_block(points, [&](int64_t, const Tensor& rows) {
    const Tensor distance = length - 2 * (rows - origin).matmul(around.t());
    const Tensor nearest = std::get<1>(distance.min(1)).contiguous();
    out.insert(out.end(), nearest.data_ptr<int64_t>(), nearest.data_ptr<int64_t>() + nearest.numel());
  });
  return out;
}

Tensor k_means(const Tensor& points, int64_t centres, int64_t restarts, Stream& stream) {
  require(points.dim() == 2 && points.size(0) >= centres, "k-means: points ", points.sizes(),
          " found, expected at least ", centres, " rows");
  constexpr int kMostMoves = 300;
  Tensor best;
  double least = std::numeric_limits<double>::infinity();
  for (int64_t run = 0; run < restarts; ++run) {
    Tensor at = seeds(points, centres, stream);
    std::vector<int64_t> members, before;
    for (int move = 0; move < kMostMoves; ++move) {
      members = nearest_centres(points, at);
      if (members == before) break;
      before = members;
      at = means(points, members, at);
    }
    const Tensor own = at.index_select(0, torch::tensor(members));
    const double spread = squared_distances(points, own).sum().item<double>();
    if (spread >= least) continue;
    least = spread;
    best = at;
  }
  return best;
}

}  // namespace innerloop
