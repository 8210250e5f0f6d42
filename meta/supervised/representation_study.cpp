#include "meta/supervised/representation_study.h"

#include <cmath>
#include <limits>

#include "base/error.h"
#include "meta/supervised/representation_similarity.h"

namespace innerloop {
namespace {

using torch::Tensor;

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// "conv1" of {"conv1.weight", "norm1.bias"}.
std::string layer_name(const std::vector<std::string>& entries) {
  std::string first, last;
  for (const auto& entry : entries) {
    if (entry.rfind("norm", 0) == 0) continue;
    last = entry.substr(0, entry.find('.'));
    if (first.empty()) first = last;
  }
  return first == last ? first : first + "-" + last;
}

double moved(const Params& before, const Params& after, const std::vector<std::string>& entries) {
  double change = 0, size = 0;
  for (const auto& entry : entries) {
    const Tensor from = before.at(entry).to(torch::kFloat64), to = after.at(entry).to(torch::kFloat64);
    change += (to - from).square().sum().item<double>();
    size += from.square().sum().item<double>();
  }
  return size > 0 ? std::sqrt(change / size) : kUndefined;
}

std::vector<std::vector<std::string>> layers_of(const Network& network) {
  auto layers = network.layer_names();
  if (!network.head_names().empty()) layers.push_back(network.head_names());
  return layers;
}

// Of one task: cka, cca, moved of every layer, then the metric before, then with 0, 1, ... layers held.
Params of_task(const SupervisedMetaLearner& learner, const Method& method, const EpisodeTask& task,
               const Moment& now, int64_t steps) {
  const Network& network = task.network();
  const auto body = network.layer_names(), layers = layers_of(network);
  const auto metric = [&](const Tensor& output) { return task.metric(output).item<double>(); };
  const Params& meta = learner.meta_parameters();
  const Trace free = method.trace(meta, task, {.steps = steps}, now);
  const auto before = task.query_layers(free.before), after = task.query_layers(free.after);
  require(before.size() == layers.size(), "a network of ", layers.size(), " layers shows ", before.size());
  std::vector<double> out;
  for (size_t l = 0; l < layers.size(); ++l) {
    const Tensor x = as_samples(before[l]), y = as_samples(after[l]);
    out.push_back(linear_cka(x, y).value_or(kUndefined));
    out.push_back(mean_cca(x, y).value_or(kUndefined));
    out.push_back(moved(free.before, free.after, layers[l]));
  }
  out.push_back(metric(free.outputs.front()));
  out.push_back(metric(free.outputs.back()));
  Course course{.steps = steps};
  for (const auto& layer : body) {
    course.held.insert(course.held.end(), layer.begin(), layer.end());
    out.push_back(metric(method.trace(meta, task, course, now).outputs.back()));
  }
  return as_params(out);
}

}  // namespace

void require_gradient_steps(const SupervisedMetaLearner& learner,
                            const SupervisedEvaluationConfig& evaluation, const std::string& why) {
  SupervisedEvaluationConfig one = evaluation;
  one.tasks = 1;
  bool steps = false;
  learner.for_each_task(one, [&](const Method& method, const EpisodeTask& task, const Moment& now) {
    steps =
        method.trace(learner.meta_parameters(), task, {.steps = 1, .may_diverge = true}, now).outputs.size() >
        1;
    return Params();
  });
  require_usage(steps, "algorithm ", learner.config().algorithm.name,
                " adapts to a held-out task without gradient steps: ", why);
}

RepresentationStudy study_representation(const SupervisedMetaLearner& learner,
                                         const SupervisedEvaluationConfig& evaluation,
                                         const std::function<void(int64_t)>& progress) {
  require_usage(evaluation.steps >= 1, "evaluation.steps: ", evaluation.steps,
                " found, expected 1 or more: before and after adaptation are compared");
  require_gradient_steps(learner, evaluation,
                         "nothing that could be held still changes between before and after");
  const auto tasks = learner.for_each_task(
      evaluation,
      [&](const Method& method, const EpisodeTask& task, const Moment& now) {
        return of_task(learner, method, task, now, evaluation.steps);
      },
      progress, /*block=*/8);
  RepresentationStudy out;
  const Network& network = learner.network();
  const auto layers = layers_of(network);
  const size_t body = network.layer_names().size();
  for (size_t l = 0; l < layers.size(); ++l) {
    out.layers.push_back(
        {.name = layer_name(layers[l]), .head = l >= body, .cka = {}, .cca = {}, .moved = {}});
  }
  out.held.resize(body + 1);
  for (const auto& found : tasks) {
    const auto numbers = as_numbers(found);
    auto next = numbers.begin();
    for (auto& layer : out.layers) {
      for (auto* values : {&layer.cka, &layer.cca, &layer.moved}) values->push_back(*next++);
    }
    out.before.push_back(*next++);
    for (auto& row : out.held) row.push_back(*next++);
  }
  return out;
}

}  // namespace innerloop
