// `innerloop analyse`: studies of how what was trained on a data set adapts to held-out tasks, and of its
// features; measured, told on the terminal, kept as JSON and drawn.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/row.h"
#include "meta/supervised/linear_probe.h"
#include "meta/supervised/permutation_study.h"
#include "meta/supervised/representation_study.h"
#include "meta/supervised/step_study.h"
#include "meta/supervised/verification_study.h"
#include "runners/experiment/statistics.h"
#include "runners/experiment/supervised_evaluation.h"

namespace innerloop {

enum class Study { kRepresentation, kPermutations, kSteps, kVerification, kLinearProbe };

inline const Spellings<Study> kStudies{{"representation", Study::kRepresentation},
                                       {"permutations", Study::kPermutations},
                                       {"steps", Study::kSteps},
                                       {"verification", Study::kVerification},
                                       {"linear_probe", Study::kLinearProbe}};

struct AnalysisSettings {
  Study study = Study::kRepresentation;
  int64_t permutations = 0;                  // orders of a task's classes, 0: as study_permutations
  std::vector<double> multiples{0.5, 1, 2};  // step sizes of the study of steps, times the trained one
  int64_t pairs = kMostVerificationPairs;    // of the study of verification: impostor pairs of a domain
  double l2 = 1e-3;                          // of the linear probe
};

// What a study found; only its own part is filled.
struct Analysis {
  AnalysisSettings settings;
  bool classification = false;
  int64_t trained_steps = 0;        // inner.steps
  std::optional<double> step_size;  // on the mean loss; nothing where it is learned
  std::optional<RepresentationStudy> representation;
  TaskMetrics permutations;        // study_permutations
  std::vector<TaskMetrics> steps;  // study_steps
  std::optional<LinearProbe> probe;
};

// Of the values that are numbers; nothing where none is.
std::optional<MeanStatistics> defined_statistics(const std::vector<double>& values);
std::vector<double> task_values(const TaskMetrics& metrics, size_t k);  // of every task
std::vector<double> differences(const std::vector<double>& values, const std::vector<double>& from);
int64_t undefined(const std::vector<double>& values);  // how many are NaN

// "none", "1", "1-3": layers 1 .. count.
std::string held_text(size_t count);
// "5 splits of 100 classes, 10 images of each to train on and 10 to test on".
std::string probe_text(const LinearProbe& probe);
// "x 0.5 = 0.2", "x 0.5" where step sizes are learned.
std::string multiple_text(double multiple, const std::optional<double>& step_size);

// Measures, prints, and writes analysis.json (kept as runners/experiment/evaluation_files.h says) and
// analysis.png into the run directory; of the study of verification what
// runners/experiment/verification_report.h says.
void report_analysis(SupervisedMetaLearner& learner, const ExperimentConfig& config,
                     const RunDirectory& directory, const AnalysisSettings& settings);

}  // namespace innerloop
