#include "meta/supervised/linear_probe.h"

#include <numeric>
#include <utility>

#include "base/error.h"
#include "networks/tensors/softmax_regression.h"

namespace innerloop {
namespace {

using torch::Tensor;

EpisodeShape probe_shape(const Dataset& dataset, const SupervisedEvaluationConfig& evaluation) {
  const auto& spec = dataset.spec();
  EpisodeShape shape{dataset.classes(evaluation.split), evaluation.shots, evaluation.queries};
  require_usage(shape.ways >= 2, "the linear probe needs classes of the test split; the data set ", spec.name,
                " has ", shape.ways);
  const int64_t each = dataset.samples_per_class(evaluation.split);
  require_usage(each >= 2 || (shape.shots > 0 && shape.queries > 0),
                "the linear probe splits the images of "
                "each class in two; the data set ",
                spec.name,
                each == 0 ? " does not say how many there are"
                            " (--shots and --queries do)"
                          : " has a class of one");
  if (shape.shots == 0 && shape.queries == 0) shape.shots = each / 2;
  if (shape.shots == 0) shape.shots = each - shape.queries;
  if (shape.queries == 0) shape.queries = each - shape.shots;
  require_usage(shape.shots >= 1 && shape.queries >= 1, "the linear probe: ", shape.shots, " and ",
                shape.queries,
                " images of each class found to train and to test on, expected at least 1 of each; "
                "the smallest class has ",
                each);
  dataset.check(evaluation.split, shape);
  return shape;
}

// A random order, of every split its own: blocks of it hold all classes.
Tensor probe_order(int64_t samples, Stream& stream) {
  std::vector<int64_t> order(static_cast<size_t>(samples));
  std::iota(order.begin(), order.end(), 0);
  for (size_t left = order.size(); left > 1; --left) std::swap(order[left - 1], order[stream.below(left)]);
  return torch::tensor(order, torch::kInt64);
}

double share_right(const SoftmaxRegression& classifier, const Tensor& x, const Tensor& y) {
  return classifier.scores(x).argmax(1).eq(y).to(torch::kFloat64).mean().item<double>();
}

}  // namespace

LinearProbe study_linear_probe(const SupervisedMetaLearner& learner,
                               const SupervisedEvaluationConfig& evaluation, double l2,
                               const std::function<void(int64_t)>& progress) {
  const torch::NoGradGuard no_graph;
  const Dataset& dataset = learner.dataset();
  const EpisodeShape shape = probe_shape(dataset, evaluation);
  LinearProbe out{shape.ways, shape.shots, shape.queries, 0, {}, {}};
  for (int64_t split = 0; split < evaluation.tasks; ++split) {
    // Streams that no evaluation task has.
    Stream stream({evaluation.seed, Purpose::kEvaluationTask, 1, static_cast<uint64_t>(split)});
    Episodes images = make_episodes(dataset.spec(), shape, 1);
    dataset.draw(evaluation.split, shape, stream, images, 0);
    const auto features = [&](Tensor& x, Tensor& y) {
      const Tensor order = probe_order(x.size(1), stream);
      y = y[0].index_select(0, order);
      x = learner.features(x.index_select(1, order))[0].to(torch::kFloat64);
    };
    features(images.support_x, images.support_y);
    features(images.query_x, images.query_y);
    const Tensor mean = images.support_x.mean(0);
    const Tensor deviation = (images.support_x - mean).square().mean(0).sqrt();
    constexpr double kConstant = 1e-8;  // of a feature that says nothing
    const auto standardised = [&](const Tensor& x) { return (x - mean) / deviation.clamp_min(kConstant); };
    const Tensor train = standardised(images.support_x);
    const auto classifier = softmax_regression(train, images.support_y, shape.ways, l2);
    out.features = train.size(1);
    out.train_accuracy.push_back(share_right(classifier, train, images.support_y));
    out.accuracy.push_back(share_right(classifier, standardised(images.query_x), images.query_y));
    if (progress) progress(split + 1);
  }
  return out;
}

}  // namespace innerloop
