// What a suite found, at its end.
//   suite.csv    one row a run: run, seed, state, metric, step, result, ci95, tasks, iterations, seconds,
//   folder;
//                in a search also the values tried
//   suite.json   the same, with the budget, the configuration files, errors and logs
//   ranking.csv  of a search: run, rank, candidate, the values tried, metric, mean, lowest, highest, ci95,
//   seeds best-NAME.ini  of a search, for each [run NAME]: the best candidate's configuration, for train
//   --config
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "runners/suites/suite_work.h"

namespace innerloop {

std::string suite_csv(const SuitePlan& plan, const SuiteOutcome& outcome);
std::string suite_json(const SuitePlan& plan, const SuiteOutcome& outcome);
void print_suite(std::ostream& out, const SuitePlan& plan, const SuiteOutcome& outcome);

// "1000 meta-iterations each", "20 CPU minutes each, ..." or "as configured".
std::string budget_text(const SuitePlan& plan);

// "0.3512 +-0.0120" or "98.70 +-0.25 %".
std::string result_text(const RunResult& result);

// One point of the search space, of one [run NAME]: its seeds together.
struct Candidate {
  std::string group, name;
  SearchPoint point;
  std::string metric;
  int64_t seeds = 0;                         // that are done
  bool whole = true;                         // all seeds are done
  double mean = 0, lowest = 0, highest = 0;  // over seeds
  std::optional<double> ci95;                // of one seed: over its tasks
  size_t run = 0;                            // place in the plan of its first seed
};

// Group after group as in the plan, in each the best first; those that are not whole last.
std::vector<Candidate> rank_candidates(const SuitePlan& plan, const SuiteOutcome& outcome);
std::string ranking_csv(const SuitePlan& plan, const std::vector<Candidate>& ranking);
void print_ranking(std::ostream& out, const SuitePlan& plan, const std::vector<Candidate>& ranking);

// The configuration of the candidate with its first seed, threads left to the machine.
std::string best_configuration(const SuitePlan& plan, const Candidate& best, size_t of);

}  // namespace innerloop
