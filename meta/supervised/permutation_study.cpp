#include "meta/supervised/permutation_study.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "base/error.h"

namespace innerloop {

int64_t number_of_orders(int64_t ways) {
  int64_t product = 1;
  for (int64_t n = 2; n <= ways; ++n) {
    if (product > std::numeric_limits<int64_t>::max() / n) return std::numeric_limits<int64_t>::max();
    product *= n;
  }
  return product;
}

std::vector<std::vector<int64_t>> class_orders(int64_t ways, int64_t count, uint64_t seed, int64_t task) {
  require(ways >= 1 && count >= 1, "class_orders: ", count, " orders of ", ways,
          " ways asked, expected at least 1 of each");
  std::vector<int64_t> order(static_cast<size_t>(ways));
  std::iota(order.begin(), order.end(), 0);
  std::vector<std::vector<int64_t>> out{order};
  if (count >= number_of_orders(ways)) {
    while (std::next_permutation(order.begin(), order.end())) out.push_back(order);
    return out;
  }
  std::set<std::vector<int64_t>> known{order};
  Stream stream(StreamKey{seed, Purpose::kLabelPermutation, 0, static_cast<uint64_t>(task)});
  while (static_cast<int64_t>(out.size()) < count) {
    for (size_t left = order.size(); left > 1; --left) std::swap(order[left - 1], order[stream.below(left)]);
    if (known.insert(order).second) out.push_back(order);
  }
  return out;
}

Episodes relabelled(const Episodes& episode, const std::vector<int64_t>& order) {
  const auto ways = static_cast<int64_t>(order.size());
  const torch::Tensor classes = torch::tensor(order, torch::kInt64);
  const auto reordered = [&](const torch::Tensor& x) {  // class after class
    auto blocks = x.sizes().vec();
    blocks[1] /= ways;
    blocks.insert(blocks.begin() + 1, ways);
    return x.reshape(blocks).index_select(1, classes).reshape(x.sizes());
  };
  return {.support_x = reordered(episode.support_x),
          .query_x = reordered(episode.query_x),
          .support_y = episode.support_y,
          .query_y = episode.query_y};
}

TaskMetrics study_permutations(const SupervisedMetaLearner& learner,
                               const SupervisedEvaluationConfig& evaluation, int64_t orders,
                               const std::function<void(int64_t)>& progress) {
  const auto& spec = learner.dataset().spec();
  require_usage(spec.classification, "the study of permutations needs classes; the data set ", spec.name,
                " has none");
  const int64_t ways = learner.evaluation_shape(evaluation).ways;
  const int64_t all = number_of_orders(ways);
  require_usage(orders >= 0 && orders <= all, orders, " orders of ", ways, " classes asked, there are ", all);
  const int64_t count = orders > 0 ? orders : ways <= kMostWaysInAllOrders ? all : kOrdersOfMoreWays;
  const auto tasks = learner.for_each_task(
      evaluation,
      [&](const Method& method, const EpisodeTask& task, const Moment& now) {
        std::vector<double> accuracies;
        for (const auto& order : class_orders(ways, count, evaluation.seed, now.first_task)) {
          const EpisodeTask other = task.with(relabelled(task.episodes(), order));
          const auto outputs = method.predict(learner.meta_parameters(), other, evaluation.steps, now);
          accuracies.push_back(other.metric(outputs.back()).item<double>());
        }
        return as_params(accuracies);
      },
      progress, /*block=*/4);
  TaskMetrics out;
  for (const auto& found : tasks) out.push_back(as_numbers(found));
  return out;
}

OrderSpread spread_of(const TaskMetrics& accuracies) {
  OrderSpread out;
  for (const auto& task : accuracies) {
    const auto count = static_cast<double>(task.size());
    const auto [worst, best] = std::minmax_element(task.begin(), task.end());
    double mean = 0, squares = 0;
    for (const double accuracy : task) mean += accuracy / count;
    for (const double accuracy : task) squares += (accuracy - mean) * (accuracy - mean) / count;
    out.as_drawn.push_back(task.front());
    out.best.push_back(*best);
    out.mean.push_back(mean);
    out.worst.push_back(*worst);
    out.std.push_back(std::sqrt(squares));
  }
  return out;
}

}  // namespace innerloop
