// What SupervisedMetaLearner does with held-out tasks.
#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/memory.h"
#include "meta/supervised/supervised_meta_learner.h"

namespace innerloop {
namespace {

StreamKey evaluation_key(const SupervisedEvaluationConfig& evaluation, int64_t task) {
  const bool test = evaluation.split == Split::kTest;
  return {evaluation.seed, test ? Purpose::kEvaluationTask : Purpose::kValidationTask, 0,
          static_cast<uint64_t>(task)};
}

}  // namespace

std::vector<TaskSamples> SupervisedMetaLearner::disjoint_tasks(
    const SupervisedEvaluationConfig& evaluation) const {
  if (evaluation.replacement) return {};
  Stream stream(evaluation_key(evaluation, 0));
  return dataset_->disjoint_tasks(evaluation.split, evaluation_shape(evaluation), evaluation.tasks, stream);
}

int64_t SupervisedMetaLearner::task_count(const SupervisedEvaluationConfig& evaluation) const {
  return evaluation.replacement ? evaluation.tasks : static_cast<int64_t>(disjoint_tasks(evaluation).size());
}

Episodes SupervisedMetaLearner::evaluation_episode(const SupervisedEvaluationConfig& evaluation,
                                                   int64_t task) const {
  return episode_of(evaluation, disjoint_tasks(evaluation), task);
}

Episodes SupervisedMetaLearner::episode_of(const SupervisedEvaluationConfig& evaluation,
                                           const std::vector<TaskSamples>& disjoint, int64_t task) const {
  const EpisodeShape shape = evaluation_shape(evaluation);
  Episodes episodes = make_episodes(dataset_->spec(), shape, 1);
  if (evaluation.replacement) {
    Stream stream(evaluation_key(evaluation, task));
    dataset_->draw(evaluation.split, shape, stream, episodes, 0);
  } else {
    require_usage(task < static_cast<int64_t>(disjoint.size()), "evaluation.replacement = false: task ", task,
                  " asked, the ", split_name(evaluation.split), " split has ", disjoint.size(),
                  " tasks that share no sample");
    dataset_->draw_samples(evaluation.split, shape, disjoint[static_cast<size_t>(task)], episodes, 0);
  }
  return episodes;
}

std::vector<torch::Tensor> SupervisedMetaLearner::predict(const Episodes& episode,
                                                          const SupervisedEvaluationConfig& evaluation,
                                                          int64_t task) const {
  const torch::NoGradGuard no_graph;
  return outputs(members_for(evaluation), episode, evaluation, task);
}

Params SupervisedMetaLearner::study(const Episodes& episode, const SupervisedEvaluationConfig& evaluation,
                                    const TaskStudy& f, int64_t task) const {
  const torch::NoGradGuard no_graph;
  const Member used = members_for(evaluation).front();
  return f(*used.method, task_of(used, episode, evaluation),
           {.seed = evaluation.seed, .training = false, .first_task = task});
}

TaskMetrics SupervisedMetaLearner::evaluate(const SupervisedEvaluationConfig& evaluation,
                                            const std::function<void(int64_t)>& progress) const {
  return evaluate_in_full(evaluation, progress).metrics;
}

std::vector<Params> SupervisedMetaLearner::for_each_task(const SupervisedEvaluationConfig& evaluation,
                                                         const TaskStudy& f,
                                                         const std::function<void(int64_t)>& progress,
                                                         int64_t block) const {
  require_usage(evaluation.tasks >= 1 && evaluation.steps >= 0, "evaluation: ", evaluation.tasks,
                " tasks and ", evaluation.steps, " steps asked, expected at least 1 and 0");
  const torch::NoGradGuard no_graph;
  const EpisodeShape shape = evaluation_shape(evaluation);
  dataset_->check(evaluation.split, shape);
  const auto disjoint = disjoint_tasks(evaluation);
  const int64_t tasks = evaluation.replacement ? evaluation.tasks : static_cast<int64_t>(disjoint.size());
  require_room("the evaluation", shape, std::min<int64_t>(tasks, executor_.threads()), 1,
               {"results", 8 * static_cast<double>(tasks) * static_cast<double>(evaluation.steps + 1)});
  const Member used = members_for(evaluation).front();
  std::vector<Params> out;
  const int64_t at_once = std::max<int64_t>(block, 2 * executor_.threads());
  for (int64_t first = 0; first < tasks; first += at_once) {
    const int64_t count = std::min(at_once, tasks - first);
    auto found = executor_.gather(count, [&](int64_t i) {
      const EpisodeTask task = task_of(used, episode_of(evaluation, disjoint, first + i), evaluation);
      return f(*used.method, task, {.seed = evaluation.seed, .training = false, .first_task = first + i});
    });
    std::move(found.begin(), found.end(), std::back_inserter(out));
    if (progress) progress(first + count);
  }
  return out;
}

TaskOutcomes SupervisedMetaLearner::evaluate_in_full(const SupervisedEvaluationConfig& evaluation,
                                                     const std::function<void(int64_t)>& progress) const {
  const bool labels = dataset_->spec().classification;
  const auto members = members_for(evaluation);
  const auto tasks = for_each_task(
      evaluation,
      [&](const Method&, const EpisodeTask& task, const Moment& now) {
        const auto predicted = outputs(members, task.episodes(), evaluation, now.first_task);
        std::vector<double> row;
        for (const auto& output : predicted) row.push_back(task.metric(output).item<double>());
        const Params found = as_params(row);
        if (!labels) return found;
        return found.joined(Params({{"predicted", predicted.back().argmax(2).to(torch::kFloat64)}}));
      },
      progress);
  const auto disjoint = disjoint_tasks(evaluation);
  TaskOutcomes out;
  for (const auto& found : tasks) {
    const auto i = static_cast<int64_t>(out.metrics.size());
    out.metrics.push_back(as_numbers(found));
    if (!labels) continue;
    const auto predicted = found.at("predicted").to(torch::kInt64).contiguous();
    out.predicted.emplace_back(predicted.data_ptr<int64_t>(),
                               predicted.data_ptr<int64_t>() + predicted.numel());
    if (!evaluation.replacement) {
      out.classes.push_back(disjoint[static_cast<size_t>(i)].classes);
      continue;
    }
    Stream stream(evaluation_key(evaluation, i));
    out.classes.push_back(dataset_->drawn_classes(evaluation.split, evaluation_shape(evaluation), stream));
  }
  return out;
}

torch::Tensor SupervisedMetaLearner::features(const torch::Tensor& x) const {
  constexpr int64_t kBlock = 250;
  const torch::NoGradGuard no_graph;
  const Member used{{std::shared_ptr<const Method>(), method_.get()}, meta_, running_};
  const Params theta = used.method->initialisation(used.meta);
  const int64_t samples = x.size(1), blocks = (samples + kBlock - 1) / kBlock;
  const auto found = executor_.gather(blocks, [&](int64_t block) {
    const int64_t first = samples * block / blocks, count = samples * (block + 1) / blocks - first;
    const auto part = x.narrow(1, first, count);
    return Params({{"features", used.method->network(/*training=*/false)
                                    .features(theta, part, {.use = evaluation_statistics(used)})}});
  });
  std::vector<torch::Tensor> parts;
  for (const auto& part : found) parts.push_back(part[0]);
  return torch::cat(parts, 1);
}

std::vector<double> SupervisedMetaLearner::nearest_neighbour(const SupervisedEvaluationConfig& evaluation,
                                                             bool on_features) const {
  require_usage(dataset_->spec().classification, "nearest neighbour: the data set '", dataset_->spec().name,
                "' has no classes");
  const torch::NoGradGuard no_graph;
  dataset_->check(evaluation.split, evaluation_shape(evaluation));
  const Member used = members_for(evaluation).front();
  const Params theta = used.method->initialisation(meta_);
  const auto disjoint = disjoint_tasks(evaluation);
  const int64_t tasks = evaluation.replacement ? evaluation.tasks : static_cast<int64_t>(disjoint.size());
  const auto accuracies = executor_.gather(tasks, [&](int64_t i) {
    const Episodes episode = episode_of(evaluation, disjoint, i);
    const auto points = [&](const torch::Tensor& x) {
      return on_features
                 ? used.method->network(false).features(theta, x, {.use = evaluation_statistics(used)})
                 : x.flatten(2);
    };
    const torch::Tensor nearest =
        torch::cdist(points(episode.query_x), points(episode.support_x)).argmin(2);  // [1, queries]
    const torch::Tensor label = episode.support_y.gather(1, nearest);
    return as_params({label.eq(episode.query_y).to(torch::kFloat64).mean().item<double>()});
  });
  std::vector<double> out;
  for (const auto& accuracy : accuracies) out.push_back(as_numbers(accuracy).front());
  return out;
}

}  // namespace innerloop
