#include "runners/experiment/chosen_task.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/settings.h"
#include "envs/registry.h"

namespace innerloop {
namespace {

constexpr keys::Interval kAnyParameter{-1e12, 1e12, false, false, "a number"};

std::vector<std::string> assignments(const std::string& text) {
  std::vector<std::string> out;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    out.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

Eigen::VectorXd drawn_task(const Environment& environment, uint64_t seed, uint64_t number) {
  Stream stream(StreamKey{seed, Purpose::kEvaluationTask, 0, number});
  return environment.sample_task(stream);
}

Eigen::VectorXd named_task(const EnvironmentSpec& spec, const std::string& text) {
  const auto& names = spec.task_parameters;
  Eigen::VectorXd task(spec.task_size());
  std::vector<bool> given(names.size());
  for (const auto& assignment : assignments(text)) {
    const size_t equals = assignment.find('=');
    require_usage(equals != std::string::npos, "--task: '", shortened(assignment),
                  "', expected NAME=NUMBER, of ", join(names), "; or random alone");
    const std::string name = assignment.substr(0, equals), value = assignment.substr(equals + 1);
    const auto found = std::find(names.begin(), names.end(), name);
    require_usage(found != names.end(),
                  "--task: ", unknown_name("task parameter of " + spec.name, name, names));
    const auto i = static_cast<size_t>(found - names.begin());
    require_usage(!given[i], "--task: ", name, " is given twice");
    given[i] = true;
    require_usage(keys::read_number(value, kAnyParameter, task[static_cast<Eigen::Index>(i)]),
                  "--task: ", name, " is '", shortened(value), "', expected a number");
  }
  std::vector<std::string> missing;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!given[i]) missing.push_back(names[i]);
  }
  require_usage(missing.empty(), "--task: ", join(missing), missing.size() == 1 ? " is" : " are",
                " missing; a task of ", spec.name, " is ", join(names));
  return task;
}

}  // namespace

Eigen::VectorXd chosen_task(const EnvironmentConfig& config, const std::string& text, uint64_t seed) {
  const auto environment = make_environment(config);
  const auto task =
      text == "random" ? drawn_task(*environment, seed, 0) : named_task(environment->spec(), text);
  try {
    environment->set_task(task);
  } catch (const Error& error) {
    throw UsageError(concat("--task ", shortened(text), ": ", error.what()));
  }
  return task;
}

std::string task_setting(const EnvironmentSpec& environment, const Eigen::VectorXd& task) {
  std::vector<std::string> words;
  for (int64_t i = 0; i < environment.task_size(); ++i)
    words.push_back(environment.task_parameters[static_cast<size_t>(i)] + "=" + format_number(task[i]));
  return join(words, ",");
}

std::string unusual_about(const EnvironmentConfig& config, const Eigen::VectorXd& task) {
  constexpr uint64_t kDrawn = 1000;
  constexpr double kBeyond = 0.02;  // of the range drawn, by which the true one may be larger
  const auto environment = make_environment(config);
  const auto finite = environment->finite_tasks();
  if (!finite.empty()) {
    if (std::find(finite.begin(), finite.end(), task) != finite.end()) return "";
    std::vector<std::string> known;
    for (const auto& one : finite) known.push_back(environment->task_text(one));
    return concat(environment->task_text(task), " (tasks: ", join(known), ")");
  }
  Eigen::VectorXd low = task, high = task;
  for (uint64_t i = 0; i < kDrawn; ++i) {
    const auto drawn = drawn_task(*environment, 1, i);
    low = i == 0 ? drawn : low.cwiseMin(drawn);
    high = i == 0 ? drawn : high.cwiseMax(drawn);
  }
  std::vector<std::string> words;
  for (Eigen::Index i = 0; i < task.size(); ++i) {
    const double room = kBeyond * (high[i] - low[i]);
    if (task[i] >= low[i] - room && task[i] <= high[i] + room) continue;
    words.push_back(concat(environment->spec().task_parameters[static_cast<size_t>(i)], " = ", task[i],
                           " (tasks: ", two_digits(low[i]), " to ", two_digits(high[i]), ")"));
  }
  return join(words);
}

}  // namespace innerloop
