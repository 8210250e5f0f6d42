// `innerloop compare`: trainings side by side, tested on the same tasks.
#include <iostream>

#include "base/error.h"
#include "base/files.h"
#include "base/named_description.h"
#include "meta/algorithms/registry.h"
#include "runners/commands.h"
#include "runners/experiment/comparison.h"

namespace innerloop {

CommandDescription compare_description() {
  return {
      .name = "compare",
      .summary =
          "Puts evaluations of several runs on the same test tasks side by side, in pairs with a baseline.",
      .details =
          "Reads RUN/bench.json of each run, which must have been tested on the same tasks (data set, ways,\n"
          "shots, queries, number and seed of the tasks). Runs of one algorithm are its training seeds: "
          "their\n"
          "mean on every task counts. Prints, best first, the result after the last gradient step, where "
          "its\n"
          "seeds lie, and the difference to the baseline on the same tasks, which is known much better than "
          "the\n"
          "two results are. Paired differences are over tasks; of training seeds only the range is told.\n\n"
          "example: innerloop compare runs/league_strokes/*-seed*",
      .options =
          {{"baseline", "NAME", "the algorithm to compare with  [maml]", {}, names_of(algorithms())},
           {"evaluation", "NAME", "which evaluation: bench, or adapt  [bench]", {}, {"bench", "adapt"}},
           {"json", "FILE", "write the comparison there as well"}},
      .operands = "RUN..."};
}

int compare(const std::vector<std::string>& arguments) {
  const CommandLine line = parse_command_line(compare_description(), arguments);
  if (line.help) {
    print_help(std::cout, compare_description(), line);
    return 0;
  }
  require_usage(!line.operands.empty(), "compare: no run given, expected the directories of evaluated runs");
  const std::string name = line.value("evaluation", "bench"), baseline = line.value("baseline", "maml");
  require_usage(name == "bench" || name == "adapt", "--evaluation is '", name, "', expected bench or adapt");
  std::vector<EvaluatedRun> runs;
  for (const auto& run : line.operands) runs.push_back(read_evaluated_run(run, name));
  const auto rows = compare(std::move(runs), baseline);
  print_comparison(std::cout, rows, baseline);
  if (!line.has("json")) return 0;
  write_file_atomically(line.value("json"), comparison_json(rows, baseline));
  std::cout << "wrote " << line.value("json") << std::endl;
  return 0;
}

}  // namespace innerloop
