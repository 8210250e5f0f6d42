#include "meta/supervised/step_study.h"

#include <cmath>
#include <limits>

#include "base/error.h"
#include "meta/supervised/representation_study.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {

std::vector<TaskMetrics> study_steps(const SupervisedMetaLearner& learner,
                                     const SupervisedEvaluationConfig& evaluation,
                                     const std::vector<double>& multiples,
                                     const std::function<void(int64_t)>& progress) {
  require_usage(evaluation.steps >= 1, "evaluation.steps: ", evaluation.steps,
                " found, expected 1 or more: the number of steps is what is studied");
  require_usage(!multiples.empty(), "no step sizes given, expected at least one multiple of the trained one");
  for (const double multiple : multiples) {
    require_usage(std::isfinite(multiple) && multiple > 0, "step size multiple ", multiple,
                  " found, expected a positive number");
  }
  require_gradient_steps(learner, evaluation, "there is no number of steps to study");
  const auto columns = static_cast<size_t>(evaluation.steps) + 1;
  const auto tasks = learner.for_each_task(
      evaluation,
      [&](const Method& method, const EpisodeTask& task, const Moment& now) {
        std::vector<double> values(multiples.size() * columns, std::numeric_limits<double>::quiet_NaN());
        for (size_t i = 0; i < multiples.size(); ++i) {
          const Course course{.steps = evaluation.steps, .step_scale = multiples[i], .may_diverge = true};
          const auto outputs = method.trace(learner.meta_parameters(), task, course, now).outputs;
          for (size_t k = 0; k < outputs.size() && finite(outputs[k]); ++k)
            values[i * columns + k] = task.metric(outputs[k]).item<double>();
        }
        return as_params(values);
      },
      progress, /*block=*/8);
  std::vector<TaskMetrics> out(multiples.size());
  for (const auto& found : tasks) {
    const auto numbers = as_numbers(found);
    for (size_t i = 0; i < multiples.size(); ++i) {
      const auto from = numbers.begin() + static_cast<std::ptrdiff_t>(i * columns);
      out[i].emplace_back(from, from + static_cast<std::ptrdiff_t>(columns));
    }
  }
  return out;
}

}  // namespace innerloop
