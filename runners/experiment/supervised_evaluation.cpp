#include "runners/experiment/supervised_evaluation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iomanip>
#include <iostream>

#include "base/error.h"
#include "meta/supervised/presentation_study.h"
#include "runners/experiment/checkpoint.h"
#include "runners/experiment/evaluation_files.h"
#include "runners/experiment/progress.h"
#include "runners/experiment/progress_plot.h"
#include "runners/experiment/statistics.h"
#include "runners/experiment/supervised_json.h"
#include "runners/experiment/supervised_plots.h"

namespace innerloop {
namespace {

MetricStatistics over_tasks(const std::vector<double>& values, int64_t step) {
  const MeanStatistics found = mean_statistics(values);
  return {.step = step, .mean = found.mean, .ci95 = found.ci95};
}

std::string published_text(const PublishedCell& row, bool classification) {
  const std::string half = row.interval > 0 ? " +-" + figure_text(row.interval, classification) : "";
  return concat(figure_text(row.value, classification), half, "  ", row.source);
}

void print_presentations(std::ostream& out, const std::vector<MetricStatistics>& presentations) {
  if (presentations.empty()) return;
  out << "presentation    accuracy       95 % CI   (of a class, in sequences of all samples)\n";
  for (const auto& one : presentations) {
    out << std::setw(14) << one.step << ' ' << std::setw(10) << figure_text(one.mean, true) << std::setw(14)
        << interval_text(one.ci95, true) << '\n';
  }
}

}  // namespace

std::string figure_text(double value, bool classification) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(classification ? 2 : 4) << (classification ? 100 * value : value)
       << (classification ? " %" : "");
  return text.str();
}

std::string interval_text(const std::optional<double>& half, bool classification) {
  return half ? "+-" + figure_text(*half, classification) : "-";
}

std::string metric_name(bool classification) { return classification ? "accuracy" : "mse"; }

std::vector<MetricStatistics> statistics(const TaskMetrics& metrics) {
  require(!metrics.empty(), "an evaluation without tasks has no statistics");
  std::vector<MetricStatistics> steps;
  for (size_t k = 0; k < metrics.front().size(); ++k) {
    std::vector<double> values;
    for (const auto& task : metrics) values.push_back(task.at(k));
    steps.push_back(over_tasks(values, static_cast<int64_t>(k)));
  }
  return steps;
}

SupervisedMetaConfig tested_config(const SupervisedMetaLearner& learner, const ExperimentConfig& config) {
  SupervisedMetaConfig tested = learner.config();
  tested.shape = learner.evaluation_shape(config.supervised_evaluation);
  return tested;
}

std::optional<double> effective_step_size(const SupervisedMetaConfig& config, double step_size) {
  if (std::isnan(step_size)) return std::nullopt;
  return config.loss_reduction == "sum_over_ways" ? step_size * static_cast<double>(config.shape.ways)
                                                  : step_size;
}

std::string step_size_text(const SupervisedMetaConfig& config, double step_size) {
  const auto effective = effective_step_size(config, step_size);
  if (!effective) return "learned, or none";
  if (config.loss_reduction != "sum_over_ways") return concat(*effective);
  return concat(step_size, " x ", config.shape.ways, " ways = ", *effective, " on the mean loss");
}

SupervisedResult evaluate_supervised(const SupervisedMetaLearner& learner, const ExperimentConfig& config) {
  const auto& evaluation = config.supervised_evaluation;
  const int64_t tasks = learner.task_count(evaluation);
  SupervisedResult result;
  auto shown = std::chrono::steady_clock::now();
  result.outcomes = learner.evaluate_in_full(evaluation, [&](int64_t done) {
    const auto now = std::chrono::steady_clock::now();
    if (now - shown < std::chrono::seconds(5)) return;
    shown = now;
    std::cerr << "  evaluated " << done << " of " << tasks << " test tasks\n";
  });
  result.steps = statistics(result.outcomes.metrics);
  for (const auto& step : result.steps) {
    require(std::isfinite(step.mean), "the ", metric_name(learner.dataset().spec().classification),
            " of test tasks is ", step.mean, " after ", step.step,
            " gradient steps: adaptation diverges; try fewer evaluation.steps or a "
            "smaller inner.step_size");
  }
  if (learner.dataset().spec().classification) {
    result.class_names = learner.dataset().class_names(evaluation.split);
    result.classes =
        by_class(result.outcomes, learner.evaluation_shape(evaluation).queries, result.class_names);
    result.nearest_on_pixels = over_tasks(learner.nearest_neighbour(evaluation, false), 0);
    result.nearest_on_features = over_tasks(learner.nearest_neighbour(evaluation, true), 0);
  }
  const TaskMetrics presented = presentation_accuracy(learner, evaluation);
  if (!presented.empty()) result.presentations = statistics(presented);
  for (auto& presentation : result.presentations) ++presentation.step;
  result.published = find_published(config, learner.evaluation_shape(evaluation));
  return result;
}

std::string evaluation_text(const SupervisedMetaLearner& learner, const ExperimentConfig& config) {
  const auto& evaluation = config.supervised_evaluation;
  const EpisodeShape shape = learner.evaluation_shape(evaluation);
  const std::string ways = learner.dataset().spec().classification ? concat(shape.ways, "-way ") : "";
  const int64_t tasks = learner.task_count(evaluation);
  const char* apart = evaluation.replacement ? ""
                      : tasks == 1           ? " (without replacement)"
                                             : " that share no sample";
  return concat(tasks, " test task", tasks == 1 ? "" : "s", apart, ", ", ways, shape.shots, "-shot, ",
                shape.queries, shape.queries == 1 ? " query" : " queries", ways.empty() ? "" : " per class",
                ", seed ", evaluation.seed);
}

void print_result(std::ostream& out, const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                  const SupervisedResult& result) {
  const auto& spec = learner.dataset().spec();
  const bool classification = spec.classification;
  const EpisodeShape shape = learner.evaluation_shape(config.supervised_evaluation);
  const int64_t last = result.steps.back().step;
  out << "gradient steps " << std::setw(10) << metric_name(classification) << std::setw(14) << "95 % CI"
      << (result.published.empty() ? "" : "   published") << '\n';
  for (const auto& step : result.steps) {
    out << std::setw(14) << step.step << ' ' << std::setw(10) << figure_text(step.mean, classification)
        << std::setw(14) << interval_text(step.ci95, classification);
    for (const auto& row : result.published) {
      const bool here = row.step == step.step || (row.step == kNotStated && step.step == last);
      if (here) out << "   " << published_text(row, classification);
    }
    out << '\n';
  }
  print_presentations(out, result.presentations);
  const auto baseline = [&](const char* name, const std::optional<MetricStatistics>& found) {
    if (!found) return;
    out << std::setw(25) << figure_text(found->mean, classification) << std::setw(14)
        << interval_text(found->ci95, classification) << "   nearest neighbour on " << name << '\n';
  };
  baseline("pixels", result.nearest_on_pixels);
  baseline("features of the meta-learned network", result.nearest_on_features);
  const auto published = [&](const std::string& what, const PublishedCell& row) {
    out << std::setw(39) << ""
        << "   published " << what << ": " << published_text(row, classification) << '\n';
  };
  for (const auto& row : result.published) {
    if (row.step > last) published(concat("after ", row.step, " steps"), row);
  }
  for (const auto& row : find_published_baseline(config, shape, "nearest_neighbour"))
    published("nearest neighbour", row);
  print_worst_classes(out, result.classes);

  out << "protocol: " << spec.protocol << '\n';
  if (result.published.empty()) {
    out << "no published number for " << config.algorithm() << " in this shape\n";
  } else {
    const auto& cell = result.published.front();
    out << "published with: " << published_protocol(cell) << '\n';
    out << differences_text(protocol_differences(config, cell, result.meta_iterations));
  }
}

namespace {

// The checkpoints to use: the last, the best on validation tasks, or the best evaluation.ensemble of them,
// best first.
std::vector<Checkpoint> used_checkpoints(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                                         const RunDirectory& directory) {
  const int64_t wanted = config.supervised_evaluation.ensemble;
  if (wanted == 1) {
    const bool best = std::filesystem::exists(directory.best_checkpoint());
    return {load_checkpoint(best ? directory.best_checkpoint() : directory.last_checkpoint())};
  }
  std::vector<Checkpoint> found;
  for (const auto& entry : std::filesystem::directory_iterator(directory.checkpoints())) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("best_", 0) == 0 && entry.path().extension() == ".safetensors")
      found.push_back(load_checkpoint(entry.path()));
  }
  require(static_cast<int64_t>(found.size()) >= wanted, "evaluation.ensemble is ", wanted, ", but '",
          directory.checkpoints().string(), "' holds ", found.size(),
          " of the best on validation tasks; train with validation.keep = ", wanted,
          " and as many validations");
  const double sign = learner.dataset().spec().classification ? -1 : 1;
  std::sort(found.begin(), found.end(), [sign](const Checkpoint& a, const Checkpoint& b) {
    const auto rank = [sign](const Checkpoint& c) {
      return std::pair(sign * c.job.at("validation").flatten()[0].item<double>(), c.iteration);
    };
    return rank(a) < rank(b);
  });
  found.resize(static_cast<size_t>(wanted));
  return found;
}

std::string selection_text(const std::vector<Checkpoint>& used, int64_t done, bool best) {
  if (used.size() == 1) return best ? concat(" of ", done, ", the best on validation tasks") : "";
  std::vector<std::string> others;
  for (size_t i = 1; i < used.size(); ++i) others.push_back(concat(used[i].iteration));
  return concat(" (and ", join(others), ") of ", done, ", an ensemble of the ", used.size(),
                " best on validation tasks");
}

}  // namespace

SelectedCheckpoint use_selected(SupervisedMetaLearner& learner, const ExperimentConfig& config,
                                const RunDirectory& directory) {
  const bool best = std::filesystem::exists(directory.best_checkpoint());
  const std::vector<Checkpoint> used = used_checkpoints(learner, config, directory);
  const Checkpoint& checkpoint = used.front();
  std::vector<SupervisedMetaLearner::Learned> members;
  for (const auto& one : used) members.push_back({one.meta, one.method});
  learner.use_ensemble(members);
  learner.check(config.supervised_evaluation);
  const int64_t done = best ? load_checkpoint(directory.last_checkpoint()).iteration : checkpoint.iteration;
  return {.iteration = checkpoint.iteration,
          .trained = done,
          .trained_with = checkpoint.config,
          .description = concat(learner.dataset().spec().name, ", ", config.algorithm(), " after ",
                                checkpoint.iteration, " meta-iterations", selection_text(used, done, best))};
}

void report_supervised(SupervisedMetaLearner& learner, const ExperimentConfig& config,
                       const RunDirectory& directory, const std::string& name, Processes& processes) {
  const auto& root = directory.results();
  const SelectedCheckpoint selected = use_selected(learner, config, directory);
  require_same_everywhere(processes, "what is evaluated", selected.description);
  std::cout << selected.description << '\n'
            << evaluation_text(learner, config) << ", inner step size "
            << step_size_text(tested_config(learner, config), learner.method().step_size()) << std::endl;
  SupervisedResult result = evaluate_supervised(learner, config);
  if (!processes.first()) return;
  result.overrides = find_overrides(config, selected.trained_with);
  result.meta_iterations = selected.trained;
  result.selected_iteration = selected.iteration;
  result.milliseconds = recorded_milliseconds(directory.progress());
  print_result(std::cout, learner, config, result);

  const auto wrote = [](const std::filesystem::path& file) {
    std::cout << "wrote " << file.string() << std::endl;
  };
  keep_evaluation(directory, name, evaluation_name(name, config, result.overrides, selected.iteration),
                  supervised_json(learner, config, result));
  plot_steps(learner, config, result, root / (name + ".png"));
  wrote(root / (name + ".png"));
  if (!learner.dataset().spec().classification) {
    plot_regression(learner, config, root / (name + "_tasks.png"));
    wrote(root / (name + "_tasks.png"));
  }
  if (draw_progress(config, directory)) wrote(root / "progress.png");
}

}  // namespace innerloop
