#include "meta/supervised/presentation_study.h"

#include "base/error.h"

namespace innerloop {

std::vector<double> accuracy_by_presentation(const torch::Tensor& scores, const torch::Tensor& labels,
                                             int64_t ways) {
  const int64_t steps = labels.size(0);
  require(steps > 0 && steps % ways == 0 && scores.size(0) == steps, "a sequence of ", steps, " steps and ",
          scores.size(0), " scores for ", ways, " classes");
  std::vector<double> right(static_cast<size_t>(steps / ways));
  std::vector<size_t> seen(static_cast<size_t>(ways));
  const torch::Tensor said = scores.argmax(1).to(torch::kInt64).contiguous(), is = labels.contiguous();
  for (int64_t t = 0; t < steps; ++t) {
    const int64_t label = is.data_ptr<int64_t>()[t];
    const size_t presentation = seen.at(static_cast<size_t>(label))++;
    require(presentation < right.size(), "class ", label, " has more steps of the sequence than others");
    if (said.data_ptr<int64_t>()[t] == label) right[presentation] += 1 / static_cast<double>(ways);
  }
  return right;
}

TaskMetrics presentation_accuracy(const SupervisedMetaLearner& learner,
                                  const SupervisedEvaluationConfig& evaluation) {
  if (dynamic_cast<const ReadsSequences*>(&learner.method()) == nullptr) return {};
  const int64_t ways = learner.evaluation_shape(evaluation).ways;
  const auto found = learner.for_each_task(evaluation, [&](const Method& method, const EpisodeTask& task,
                                                           const Moment& now) {
    const auto read = dynamic_cast<const ReadsSequences&>(method).read(learner.meta_parameters(), task, now);
    return as_params(accuracy_by_presentation(read.scores.select(1, 0), read.labels.select(1, 0), ways));
  });
  TaskMetrics out;
  for (const auto& task : found) out.push_back(as_numbers(task));
  return out;
}

}  // namespace innerloop
