#include "meta/algorithms/triplet.h"

#include <ATen/ops/eye.h>
#include <ATen/ops/where.h>

#include <limits>

#include "base/error.h"
#include "base/row.h"
#include "meta/algorithms/embedding_method.h"

namespace innerloop {
namespace {

using torch::Tensor;

constexpr double kNever = std::numeric_limits<double>::infinity();

struct TripletConfig {
  int64_t embedding = 128;
  double margin = 0.2;
  bool batch_hard = false;
};

const Keys<TripletConfig>& triplet_keys() {
  using C = TripletConfig;
  constexpr keys::Interval kMargin{0, 100, false, false, "a number from 0 to 100"};
  static const Keys<C> list{
      keys::whole("embedding", &C::embedding, 1, 100'000, "numbers that a sample is embedded in"),
      keys::number("margin", &C::margin, kMargin, "of squared distances between unit-norm embeddings"),
      keys::spelled("selection", &C::batch_hard, {{"semi_hard", false}, {"batch_hard", true}},
                    "which triplets of a batch count")};
  return list;
}

class Triplet : public EmbeddingMethod {
 public:
  Triplet(const TripletConfig& config, const MethodContext& context)
      : EmbeddingMethod("triplet", config.embedding, context), config_(config) {}

  Tensor embedding_loss(const Tensor& y, const Tensor& labels, const Params&) const override {
    return triplet_loss(y, labels, config_.margin, config_.batch_hard);
  }

  Episodes draw_plain(const TaskSource& source, const Moment& now, int64_t count) const override {
    return source.tasks(now.iteration, now.first_task, count);
  }

 private:
  TripletConfig config_;
};

// For every pair (a, p) the place of its negative, [T, N, N].
Tensor semi_hard_negatives(const Tensor& distance, const Tensor& same) {
  const torch::NoGradGuard no_graph;
  const Tensor negative = distance.masked_fill(same, kNever);
  const Tensor farthest = distance.masked_fill(same, -kNever).argmax(2);  // [T, N]
  std::vector<Tensor> chosen;
  for (int64_t a = 0; a < distance.size(1); ++a) {
    const Tensor candidates = negative.select(1, a).unsqueeze(1);  // [T, 1, n]
    const Tensor from = distance.select(1, a).unsqueeze(2);        // [T, p, 1]
    const Tensor beyond = candidates.masked_fill(candidates.le(from), kNever);
    const auto nearest = beyond.min(2);
    chosen.push_back(
        torch::where(std::get<0>(nearest).isinf(), farthest.select(1, a).unsqueeze(1), std::get<1>(nearest)));
  }
  return torch::stack(chosen, 1);
}

}  // namespace

Tensor triplet_loss(const Tensor& y, const Tensor& labels, double margin, bool batch_hard) {
  const Tensor rows = unit_rows(y);
  const Tensor distance = 2 - 2 * rows.matmul(rows.transpose(1, 2));  // [T, N, N]
  const Tensor same = labels.unsqueeze(2).eq(labels.unsqueeze(1));
  const Tensor positive = same.logical_and(torch::eye(y.size(1), torch::kBool).logical_not());
  if (batch_hard) {
    const Tensor far = distance.masked_fill(positive.logical_not(), -kNever).amax(2);
    const Tensor near = distance.masked_fill(same, kNever).amin(2);
    return torch::relu(far - near + margin).mean(1);
  }
  const Tensor near = distance.gather(2, semi_hard_negatives(distance, same));
  const Tensor member = positive.to(distance.scalar_type());
  return (torch::relu(distance - near + margin) * member).sum({1, 2}) / member.sum({1, 2});
}

Algorithm triplet() {
  return {.name = "triplet",
          .paper = "Schroff et al. 2015",
          .summary = "an embedding by triplets of samples; a query's nearest support sample",
          .prescribes = {{"inner.steps", "0"}},
          .keys = triplet_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            const auto config = triplet_keys().read(own, "algorithm triplet", "triplet");
            require_usage(!context.dataset->spec().classification || context.shape.ways >= 2,
                          "dataset.ways: ", context.shape.ways,
                          " found, expected 2 or more: a triplet has a sample of another class");
            return std::make_unique<Triplet>(config, context);
          }};
}

}  // namespace innerloop
