// `innerloop suite`: many trainings from one file, started, resumed, skipped, tabled.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "runners/commands.h"
#include "runners/experiment/comparison.h"
#include "runners/experiment/launch.h"
#include "runners/experiment/shell.h"
#include "runners/suites/suite_file.h"
#include "runners/suites/suite_plan.h"
#include "runners/suites/suite_study.h"
#include "runners/suites/suite_summary.h"
#include "runners/suites/suite_work.h"

namespace innerloop {
namespace {

std::vector<std::string> words_between_commas(const std::string& text) {
  std::vector<std::string> words;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) words.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return words;
}

double parse_minutes(const std::string& text) {
  double value = 0;
  constexpr keys::Interval kMinutes{0, 1e6, true, false, ""};
  require_usage(keys::read_number(text, kMinutes, value), "--minutes is '", shortened(text),
                "', expected a number above 0 and at most 1e6");
  return value;
}

SuiteRequest read_request(const CommandLine& line, const std::string& name) {
  SuiteRequest request;
  require_usage(!line.has("out") || !line.value("out").empty(), "--out is empty, expected a folder");
  request.directory = line.value("out", (std::filesystem::path("runs") / name).string());
  if (line.has("seeds")) request.seeds = parse_integers("seeds", line.value("seeds"), 0, INT64_MAX);
  request.runs = words_between_commas(line.value("runs"));
  require_usage(!line.has("runs") || !request.runs.empty(), "--runs is empty, expected names of runs");
  request.config = line.value("config");
  request.settings = line.settings;
  require_usage(!line.has("iterations") || !line.has("minutes"),
                "suite: --iterations and --minutes are both given, expected one budget");
  if (line.has("iterations"))
    request.iterations = parse_integer("iterations", line.value("iterations"), 1, 1'000'000'000);
  if (line.has("minutes")) request.minutes = parse_minutes(line.value("minutes"));
  if (line.has("jobs")) request.jobs = parse_integer("jobs", line.value("jobs"), 1, 10'000);
  if (line.has("part")) request.part = parse_part(line.value("part"));
  if (const LaunchPlace place = launch_place();
      place.size > 1) {  // each of its own share, as the runs do not meet
    require_usage(!line.has("part"), "--part is '", line.value("part"), "', but ", place.launcher,
                  " started ", place.size,
                  " processes, each of which does its own part; expected one of the two");
    request.part = {place.rank + 1, place.size};
    forget_launch();
  }
  return request;
}

// "2 threads", or "1 to 2 threads" where runs have numbers of their own.
std::string threads_text(const SuitePlan& plan) {
  std::set<int64_t> counts;
  for (const auto& run : plan.runs) counts.insert(thread_count(run.config));
  const int64_t least = *counts.begin(), most = *counts.rbegin();
  return concat(least == most ? concat(least) : concat(least, " to ", most),
                most == 1 ? " thread" : " threads");
}

void print_head(const SuitePlan& plan, const SuiteOutcome& found) {
  const auto in = [&](RunState state) {
    return std::count_if(found.runs.begin(), found.runs.end(),
                         [&](const auto& r) { return r.state == state; });
  };
  std::cout << plan.name << (plan.description.empty() ? "" : ": ") << plan.description << '\n'
            << "  " << plan.runs.size() << (plan.runs.size() == 1 ? " run" : " runs") << " in "
            << plan.directory.string() << ", " << in(RunState::kDoneBefore) << " done before";
  if (plan.part.count > 1)
    std::cout << ", " << in(RunState::kNotDone) << " for part " << plan.part.index << "/" << plan.part.count;
  std::cout << "; " << plan.jobs << " at a time, " << threads_text(plan)
            << " each; budget: " << budget_text(plan) << '\n';
  if (plan.searches())
    std::cout << "  " << plan.settings.search << " search; validation tasks judge, no test task is touched\n";
}

void print_plan(const SuitePlan& plan, const SuiteOutcome& found) {
  const SuiteFolder folder{plan.directory};
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    const auto& run = plan.runs[i];
    std::error_code ignored;
    const bool begun = std::filesystem::exists(folder.run(run) / "config.ini", ignored);
    const bool todo = found.runs[i].state == RunState::kNotDone;
    std::vector<std::string> words{program_word()};
    for (const auto& word : training_arguments(run, folder.run(run))) words.push_back(shell_word(word));
    std::cout << run.id << ": " << (todo ? begun ? "to go on" : "to do" : state_name(found.runs[i].state))
              << (run.after.empty() ? "" : concat(", after ", run.after)) << "\n  " << join(words, " ")
              << '\n';
  }
}

void say_wrote(const std::filesystem::path& file) { std::cout << "wrote " << file.string() << '\n'; }

void report_search(const SuitePlan& plan, const SuiteOutcome& outcome) {
  const auto ranking = rank_candidates(plan, outcome);
  print_ranking(std::cout, plan, ranking);
  write_file_atomically(plan.directory / "ranking.csv", ranking_csv(plan, ranking));
  std::cout << '\n';
  say_wrote(plan.directory / "ranking.csv");
  std::string group;
  for (const auto& candidate : ranking) {
    const bool best = candidate.group != group;
    group = candidate.group;
    if (!best || !candidate.whole) continue;
    const auto of = std::count_if(ranking.begin(), ranking.end(),
                                  [&](const Candidate& c) { return c.group == group && c.whole; });
    const auto file = plan.directory / concat("best-", group, ".ini");
    write_file_atomically(file, best_configuration(plan, candidate, static_cast<size_t>(of)));
    const bool policy = plan.runs[candidate.run].config.side == Side::kPolicy;
    std::cout << "wrote " << file.string() << "    " << program_word() << " " << (policy ? "train" : "bench")
              << " --config " << shell_word(file.string()) << '\n';
  }
}

// In pairs with the baseline, once it and another are done.
void report_comparison(const SuitePlan& plan, const SuiteOutcome& outcome) {
  const auto& baseline = plan.settings.baseline;
  std::vector<EvaluatedRun> runs;
  bool has_baseline = false;
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    if (!outcome.runs[i].result) continue;
    runs.push_back(read_evaluated_run(SuiteFolder{plan.directory}.run(plan.runs[i]), "bench"));
    has_baseline = has_baseline || runs.back().algorithm == baseline;
  }
  if (!has_baseline || runs.size() < 2) return;
  const auto rows = compare(std::move(runs), baseline);
  std::cout << '\n';
  print_comparison(std::cout, rows, baseline);
  write_file_atomically(plan.directory / "comparison.json", comparison_json(rows, baseline));
  say_wrote(plan.directory / "comparison.json");
}

int conclude(const SuitePlan& plan, SuiteOutcome outcome) {
  const SuiteWriting writing({plan.directory});
  SuitePlan again = plan;  // what other parts have done in the meantime
  std::vector<std::string> ignored;
  const auto now = look_at_disk(again, ignored);
  for (size_t i = 0; i < now.runs.size(); ++i) {
    if (!plan.runs[i].here) outcome.runs[i] = now.runs[i];
  }
  std::cout << '\n';
  print_suite(std::cout, plan, outcome);
  write_file_atomically(plan.directory / "suite.csv", suite_csv(plan, outcome));
  write_file_atomically(plan.directory / "suite.json", suite_json(plan, outcome));
  say_wrote(plan.directory / "suite.csv");
  say_wrote(plan.directory / "suite.json");
  if (plan.searches()) report_search(plan, outcome);
  if (plan.settings.study != "none") {
    print_study(std::cout, plan, outcome);
    const auto file = plan.directory / (plan.settings.study + ".csv");
    write_file_atomically(file, study_csv(plan, outcome));
    say_wrote(file);
  }
  if (!plan.settings.baseline.empty()) report_comparison(plan, outcome);
  std::vector<std::string> failed;
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    if (outcome.runs[i].state == RunState::kFailed) failed.push_back(plan.runs[i].id);
  }
  if (outcome.signal != 0) {
    std::cout << "stopped by signal " << outcome.signal << "; the same command goes on\n";
    return 128 + outcome.signal;
  }
  require(failed.empty(), "suite: ", failed.size(), failed.size() == 1 ? " run" : " runs",
          " failed: ", join(failed), "; the same command tries again");
  return 0;
}

}  // namespace

CommandDescription suite_description() {
  return {
      .name = "suite",
      .summary =
          "Trains and evaluates all that one file lists, several at a time; searches; tables at the end.",
      .details =
          "FILE is a file or the name of an installed one (innerloop list suites).\n"
          "It names runs, each a configuration and what it overrides (docs/suites.md):\n"
          "  [suite]             seeds = 1,2,3; a budget: iterations = N or minutes = N (of CPU time)\n"
          "  [base]              config = NAME and keys of all runs\n"
          "  [run NAME]          config and keys of one\n"
          "  [search]            with suite.search = grid or random: inner.step_size = 0.1, 0.03\n"
          "Every run has its directory DIR/NAME-seedN and is a process of its own: innerloop bench, "
          "innerloop\n"
          "train and adapt (policies) or innerloop online. The same command again goes on with what was\n"
          "interrupted, with the bits of an uninterrupted suite, and leaves what is done as it is. One run "
          "that\n"
          "fails stops no other; the exit code is then 1. Ctrl-C and SIGTERM let all runs save and stop; if "
          "the\n"
          "suite itself is killed, its runs end with it.\n\n"
          "Writes DIR/suite.csv and suite.json; with suite.study = verification DIR/verification.csv; with\n"
          "suite.baseline a comparison in pairs on the same test tasks; of a search ranking.csv and "
          "best-NAME.ini. A search judges on validation tasks alone.\n\n"
          "Keys after the name count for every run: --checkpoint.every 100.\n"
          "example: innerloop suite league_sine --minutes 1 --runs maml,fomaml,cavia\n"
          "         innerloop suite my.ini --dry-run\n"
          "         innerloop suite my.ini --part slurm     (in a job array)",
      .options = {{"out", "DIR", "where to write  [runs/NAME]"},
                  {"seeds", "N,N,..", "a run for each, in the place of suite.seeds"},
                  {"jobs", "N", "runs at a time; each has cores / N threads  [one per core]"},
                  {"runs", "NAME,..", "these runs of the file alone"},
                  {"config", "FILE", "in the place of the runs' configuration, where they have the same"},
                  {"iterations", "N", "budget: meta-iterations of every run"},
                  {"minutes", "N", "budget: CPU minutes of every run, measured and turned into iterations"},
                  {"part", "I/N", "do the I-th of N shares of the runs; `slurm`: this task of a job array"},
                  {"dry-run", "", "say what would be done, do nothing"}},
      .sections = {"*"},
      .without = {"seed"},
      .operands = "FILE"};
}

int suite(const std::vector<std::string>& arguments) {
  const auto description = suite_description();
  const auto line = parse_command_line(description, arguments);
  if (line.help) {
    print_help(std::cout, description, line);
    return 0;
  }
  require_usage(line.operands.size() == 1, "suite: found ", line.operands.size(),
                " names, expected one: a file, or an installed suite (innerloop list suites)");
  const auto file = find_suite(line.operands.front());
  const std::string source = read_ini(file);
  const Suite read = parse_suite(source, file.string());
  SuitePlan plan = plan_suite(read, read_request(line, read.name));
  require_suite_folder(plan.directory);
  std::vector<std::string> notes;
  SuiteOutcome outcome = look_at_disk(plan, notes);
  print_head(plan, outcome);
  for (const auto& note : notes) std::cout << "  " << note << '\n';
  if (line.has("dry-run")) {
    print_plan(plan, outcome);
    return 0;
  }
  std::cout << std::flush;
  {
    SuiteDisplay display(stdout);
    carry_out(plan, source, display, outcome);
  }
  return conclude(plan, std::move(outcome));
}

}  // namespace innerloop
