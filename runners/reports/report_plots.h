// The pictures of a report, as plots to be written in any format.
#pragma once

#include <string>
#include <vector>

#include "runners/drawing/plot.h"
#include "runners/reports/report_results.h"

namespace innerloop {

struct ReportPicture {
  std::string name;     // of its files, without extension: "1_learning_sine_10-shot"
  std::string caption;  // what is to be seen, one sentence
  Plot plot;
};

// Of a problem, those for which there is something to show: learning, adaptation, tasks, profile.
// `number` of the problem, from 1, begins the names.
std::vector<ReportPicture> pictures_of(const ProblemResult& result, size_t number);
// The profile over all problems.
std::vector<ReportPicture> pictures_of(const AcrossProblems& across);

}  // namespace innerloop
