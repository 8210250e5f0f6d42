// `innerloop online`: tasks arrive one after another, and learners are compared by what they make of it.
#include <iostream>

#include "base/error.h"
#include "base/memory.h"
#include "runners/commands.h"
#include "runners/experiment/launch.h"
#include "runners/experiment/online_job.h"
#include "runners/experiment/online_report.h"
#include "runners/training_request.h"

namespace innerloop {

CommandDescription online_description() {
  return {
      .name = "online",
      .summary = "Lets tasks arrive one after another and compares what learners make of them.",
      .details =
          "Each round brings a task, its data batch by batch (Finn et al. 2019, \"Online meta-learning\").\n"
          "After every batch each learner makes online.steps updates and is judged on held-out samples of\n"
          "the task (evaluation.queries of each class). All see the same data and start alike:\n\n"
          "  ftml     follow the meta leader: meta-learns (--algorithm) from all tasks so far, then adapts\n"
          "  toe      trains on everything so far, does not adapt\n"
          "  scratch  trains on the current task alone, anew in each round\n"
          "  joint    trains on all tasks before, then fine-tunes\n\n"
          "ftml and joint take evaluation.steps gradient steps of size inner.step_size on the task's data\n"
          "before they are judged. Prints a table by round and writes online.json, online.csv and\n"
          "online.png (what was reached, and how many samples it took to reach online.level) beside\n"
          "progress.csv, config.ini and a checkpoint after every round. A seed gives the same bits, for any\n"
          "number of threads and with --resume after a stop, a crash or kill -9. A finished run is only\n"
          "reported again.\n\n"
          "example: innerloop online --config online_sine\n"
          "         innerloop online --config online_rainbow_strokes --seed 2 --online.learners ftml,toe",
      .options = {{"config", "FILE", "INI file, or the name of an installed one (innerloop list configs)"},
                  {"run-dir", "DIR", "where to write  [runs/NAME-seedN, NAME from the configuration]"},
                  {"resume", "", "go on from the last checkpoint in the run directory, if there is one"}},
      .sections = {"*"},
      .without = {"checkpoint", "progress.every", "validation", "meta.iterations", "meta.start",
                  "evaluation.tasks", "evaluation.ways", "evaluation.shots", "evaluation.seed"},
      .side = Side::kSupervised,
      .word = "config"};
}

int online(const std::vector<std::string>& arguments) {
  const auto description = online_description();
  const auto line = parse_command_line(description, arguments);
  if (line.help) {
    print_help(std::cout, description, line);
    return 0;
  }
  TrainingRequest request = read_training_request(line, "online", Side::kSupervised);
  require_usage(request.config.side == Side::kSupervised, "online is for ", side_name(Side::kSupervised),
                " (dataset.*, network.*), this configuration is one of ", side_name(Side::kPolicy),
                " (environment.name = ", request.config.tasks(), ")");
  request.config = online_training(request.config);
  limit_memory(request.config.meta().memory);
  ThreadPool pool = make_pool(request.config);
  OnlineJob job(request.config, pool);
  Training training(request, job, pool);
  const TrainingOutcome outcome = training.run();
  if (outcome.exit_code != 0 || !pool.processes().first()) return outcome.exit_code;
  std::cout << '\n';
  report_online(std::cout, job, request.config, request.directory);
  return 0;
}

}  // namespace innerloop
