#include "runners/experiment/analysis.h"

#include <chrono>
#include <cmath>
#include <iostream>

#include "base/error.h"
#include "base/settings.h"
#include "runners/experiment/analysis_json.h"
#include "runners/experiment/analysis_plots.h"
#include "runners/experiment/analysis_tables.h"
#include "runners/experiment/evaluation_files.h"
#include "runners/experiment/verification_report.h"

namespace innerloop {
namespace {

Analysis measure(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                 const AnalysisSettings& settings) {
  const auto& evaluation = config.supervised_evaluation;
  const int64_t tasks = learner.task_count(evaluation);
  auto shown = std::chrono::steady_clock::now();
  const auto progress = [&](int64_t done) {
    const auto now = std::chrono::steady_clock::now();
    if (now - shown < std::chrono::seconds(5)) return;
    shown = now;
    if (settings.study == Study::kLinearProbe) {
      std::cerr << "  studied " << done << " of " << evaluation.tasks << " splits\n";
    } else {
      std::cerr << "  studied " << done << " of " << tasks << " test tasks\n";
    }
  };
  Analysis out{.settings = settings,
               .classification = learner.dataset().spec().classification,
               .trained_steps = learner.config().inner.steps,
               .step_size = effective_step_size(tested_config(learner, config), learner.method().step_size()),
               .representation = {},
               .permutations = {},
               .steps = {},
               .probe = {}};
  if (settings.study == Study::kRepresentation) {
    out.representation = study_representation(learner, evaluation, progress);
  } else if (settings.study == Study::kPermutations) {
    out.permutations = study_permutations(learner, evaluation, settings.permutations, progress);
  } else if (settings.study == Study::kLinearProbe) {
    out.probe = study_linear_probe(learner, evaluation, settings.l2, progress);
  } else {
    out.steps = study_steps(learner, evaluation, settings.multiples, progress);
  }
  return out;
}

// What beside the evaluation's keys determines the study.
std::string own_name(const Analysis& analysis) {
  if (!analysis.permutations.empty()) return concat("_permutations=", analysis.permutations.front().size());
  if (analysis.probe) return concat("_l2=", analysis.settings.l2);
  if (analysis.steps.empty()) return "";
  std::vector<std::string> words;
  for (const double multiple : analysis.settings.multiples) words.push_back(concat(multiple));
  return "_step-sizes=" + join(words, "+");
}

}  // namespace

std::optional<MeanStatistics> defined_statistics(const std::vector<double>& values) {
  std::vector<double> known;
  for (const double value : values) {
    if (!std::isnan(value)) known.push_back(value);
  }
  if (known.empty()) return std::nullopt;
  return mean_statistics(known);
}

std::vector<double> task_values(const TaskMetrics& metrics, size_t k) {
  std::vector<double> out;
  for (const auto& task : metrics) out.push_back(task.at(k));
  return out;
}

std::vector<double> differences(const std::vector<double>& values, const std::vector<double>& from) {
  std::vector<double> out;
  for (size_t i = 0; i < values.size(); ++i) out.push_back(values[i] - from.at(i));
  return out;
}

int64_t undefined(const std::vector<double>& values) {
  int64_t count = 0;
  for (const double value : values) count += std::isnan(value) ? 1 : 0;
  return count;
}

std::string held_text(size_t count) {
  if (count == 0) return "none";
  return count == 1 ? "1" : concat("1-", count);
}

std::string probe_text(const LinearProbe& probe) {
  const size_t splits = probe.accuracy.size();
  return concat(splits, splits == 1 ? " split of " : " splits of ", probe.classes, " test classes, ",
                probe.train, probe.train == 1 ? " image" : " images", " of each to train on and ", probe.test,
                " to test on");
}

std::string multiple_text(double multiple, const std::optional<double>& step_size) {
  return concat("x ", multiple, step_size ? concat(" = ", multiple * *step_size) : "");
}

void report_analysis(SupervisedMetaLearner& learner, const ExperimentConfig& config,
                     const RunDirectory& directory, const AnalysisSettings& settings) {
  const SelectedCheckpoint selected = use_selected(learner, config, directory);
  if (settings.study == Study::kVerification) {
    std::cout << selected.description << ", seed " << config.supervised_evaluation.seed << std::endl;
    return report_verification(learner, config, directory, selected, settings.pairs);
  }
  std::cout << selected.description << std::endl;
  if (settings.study != Study::kLinearProbe) {
    std::cout << evaluation_text(learner, config) << ", inner step size "
              << step_size_text(tested_config(learner, config), learner.method().step_size()) << ", "
              << config.supervised_evaluation.steps << " gradient step"
              << (config.supervised_evaluation.steps == 1 ? "" : "s") << std::endl;
  }
  const Analysis analysis = measure(learner, config, settings);
  print_analysis(std::cout, analysis);

  const auto overrides = find_overrides(config, selected.trained_with);
  const auto png = directory.results() / "analysis.png";
  const std::string name =
      "analysis_" + names_of(kStudies)[static_cast<size_t>(settings.study)] + own_name(analysis);
  keep_evaluation(directory, "analysis", evaluation_name(name, config, overrides, selected.iteration),
                  analysis_json(learner, config, selected, overrides, analysis));
  plot_analysis(learner, config, analysis, png);
  std::cout << "wrote " << png.string() << std::endl;
}

}  // namespace innerloop
