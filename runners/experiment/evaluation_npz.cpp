#include "runners/experiment/evaluation_npz.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "runners/experiment/npz.h"

namespace innerloop {
namespace {

template <class Value>
struct Table {
  std::vector<int64_t> shape;
  std::vector<Value> values;
};

// Rows of one length, one after the other.
template <class Value, class Rows>
Table<Value> table_of(const Rows& rows) {
  Table<Value> out{{static_cast<int64_t>(rows.size()), static_cast<int64_t>(rows.front().size())}, {}};
  for (const auto& row : rows) {
    require(static_cast<int64_t>(row.size()) == out.shape[1], "npz: a row of ", row.size(),
            " values, expected ", out.shape[1]);
    out.values.insert(out.values.end(), row.begin(), row.end());
  }
  return out;
}

void add_trajectories(NpzFile& npz, const std::string& prefix, const Trajectories& all) {
  const int64_t tasks = all.tasks(), each = all.per_task(), horizon = all.horizon();
  const auto cells = [&](int64_t numbers) {
    return std::vector<float>(static_cast<size_t>(tasks * each * horizon * numbers), 0.0F);
  };
  auto observations = cells(all.observation_size()), actions = cells(all.action_entries()),
       rewards = cells(1);
  std::vector<int64_t> lengths;
  std::vector<bool> success;
  const auto place = [&](const auto& from, int64_t trajectory, int64_t numbers, std::vector<float>& to) {
    std::copy_n(from.data(), from.size(), to.begin() + trajectory * horizon * numbers);
  };
  for (int64_t t = 0; t < tasks; ++t) {
    for (int64_t n = 0; n < each; ++n) {
      place(all.observations(t, n), t * each + n, all.observation_size(), observations);
      place(all.actions(t, n), t * each + n, all.action_entries(), actions);
      place(all.rewards(t, n), t * each + n, 1, rewards);
      lengths.push_back(all.length(t, n));
      success.push_back(all.success(t, n));
    }
  }
  npz.add(prefix + "observations", {tasks, each, horizon, all.observation_size()}, observations);
  npz.add(prefix + "actions", {tasks, each, horizon, all.action_entries()}, actions);
  npz.add(prefix + "rewards", {tasks, each, horizon}, rewards);
  npz.add(prefix + "lengths", {tasks, each}, lengths);
  npz.add(prefix + "success", {tasks, each}, success);
}

}  // namespace

void write_supervised_npz(const std::filesystem::path& file, const SupervisedMetaLearner& learner,
                          const ExperimentConfig& config, const TaskOutcomes& outcomes, const About& about) {
  const bool classification = learner.dataset().spec().classification;
  NpzFile npz(file);
  npz.add("about", nlohmann::json(about).dump());
  const auto metrics = table_of<double>(outcomes.metrics);
  npz.add(metric_name(classification), metrics.shape, metrics.values);
  if (classification) {
    const EpisodeShape shape = learner.evaluation_shape(config.supervised_evaluation);
    const auto predicted = table_of<int64_t>(outcomes.predicted);
    npz.add("predicted", predicted.shape, predicted.values);
    std::vector<int64_t> truth;
    for (int64_t label = 0; label < shape.ways; ++label)
      truth.insert(truth.end(), static_cast<size_t>(shape.queries), label);
    npz.add("truth", {static_cast<int64_t>(truth.size())}, truth);
    if (!outcomes.classes.front().empty()) {
      const auto classes = table_of<int64_t>(outcomes.classes);
      npz.add("classes", classes.shape, classes.values);
      npz.add("class_names", learner.dataset().class_names(config.supervised_evaluation.split));
    }
  }
  npz.finish();
}

void write_policy_npz(const std::filesystem::path& file, const EnvironmentSpec& environment,
                      PolicyEvaluation result, const About& about) {
  NpzFile npz(file);
  npz.add("about", nlohmann::json(about).dump());
  std::vector<std::vector<double>> task, returns, successes;
  for (const auto& one : result.tasks) {
    task.emplace_back(one.task.data(), one.task.data() + one.task.size());
    returns.push_back(one.returns);
    successes.push_back(one.successes);
  }
  const auto add = [&](const char* name, const std::vector<std::vector<double>>& rows) {
    const auto table = table_of<double>(rows);
    npz.add(name, table.shape, table.values);
  };
  add("task", task);
  add("returns", returns);
  if (environment.defines_success) add("success_rates", successes);
  for (size_t k = 0; k < result.trajectories.size(); ++k) {
    add_trajectories(npz, concat("step_", k, "_"), result.trajectories[k]);
    result.trajectories[k] = Trajectories();
  }
  npz.finish();
}

}  // namespace innerloop
