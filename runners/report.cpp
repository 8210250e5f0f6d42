// `innerloop report`: a page over many runs.
#include "runners/reports/report.h"

#include <iostream>

#include "base/error.h"
#include "runners/commands.h"
#include "runners/experiment/shell.h"

namespace innerloop {

CommandDescription report_description() {
  return {
      .name = "report",
      .summary = "Makes a page over many runs, finished or still training: tables, curves, films, commands.",
      .details =
          "Reads config.ini, progress.csv, validation.csv, bench.json or adapt.json and videos/ of each "
          "run.\n"
          "Runs that differ in their seed alone are one algorithm with several seeds; runs on the same data\n"
          "set or environment stand beside one another. Writes into DIR:\n\n"
          "  report.html   one page that opens from the disk, without network: results, learning curves,\n"
          "                adaptation curves, spread over tasks, films, configuration differences, commands\n"
          "  report.json   every number of it\n"
          "  report.csv    a row for each run\n"
          "  pictures/     the plots as PNG and SVG\n\n"
          "Of several seeds it says the interquartile mean with a stratified bootstrap interval, the\n"
          "probability of improvement over the baseline, and the performance profile (Agarwal et al. 2021,\n"
          "as rliable does); of the same test tasks the paired difference to the baseline. One seed is\n"
          "called one seed: its intervals are over tasks. The same runs give the same numbers, always.\n\n"
          "example: innerloop report runs/*-seed* --out report\n"
          "         innerloop report runs/maml runs/anil --out report --baseline anil",
      .options = {{"out", "DIR", "where to write; what an earlier report left there is replaced"},
                  {"baseline", "NAME",
                   "the algorithm to compare with  [maml, or else that of the first run]"},
                  {"evaluation", "NAME", "which evaluation: bench, or adapt  [bench where there is one]"},
                  {"title", "TEXT", "of the page  [Report]"}},
      .operands = "RUN..."};
}

int report(const std::vector<std::string>& arguments) {
  const CommandLine line = parse_command_line(report_description(), arguments);
  if (line.help) {
    print_help(std::cout, report_description(), line);
    return 0;
  }
  require_usage(!line.operands.empty(),
                "report: no run given, expected directories that `innerloop train` made");
  require_usage(line.has("out"), "report: --out is missing, expected the folder to write the report into");
  ReportRequest request{.runs = {line.operands.begin(), line.operands.end()},
                        .out = line.value("out"),
                        .title = line.value("title", "Report"),
                        .baseline = line.value("baseline"),
                        .evaluation = line.value("evaluation"),
                        .command = "innerloop report"};
  require_usage(request.evaluation.empty() || request.evaluation == "bench" || request.evaluation == "adapt",
                "--evaluation is '", request.evaluation, "', expected bench or adapt");
  for (const auto& argument : arguments) request.command.append(" ").append(shell_word(argument));
  for (const auto& file : write_report(request)) std::cout << "wrote " << file.string() << '\n';
  return 0;
}

}  // namespace innerloop
