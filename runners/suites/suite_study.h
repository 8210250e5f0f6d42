// What `suite.study` found of the runs: of `verification` the figures of DIR/NAME-seedN/verification.json
// (runners/experiment/verification_report.h).
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "runners/suites/suite_work.h"

namespace innerloop {

// By name in the file's order: rank1, tar_at_0.1, ..., auc, eer. Error if it is missing or damaged.
using StudyFigures = std::vector<std::pair<std::string, double>>;
StudyFigures read_study(const std::filesystem::path& run, const std::string& study);

// verification.csv: run, seed, and the figures, of the runs that are done.
std::string study_csv(const SuitePlan& plan, const SuiteOutcome& outcome);

// A row a name: the mean over seeds in %, with the half-width of its 95 % interval (Student's t).
void print_study(std::ostream& out, const SuitePlan& plan, const SuiteOutcome& outcome);

}  // namespace innerloop
