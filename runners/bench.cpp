// `innerloop bench`: supervised meta-learning trained, evaluated and set beside the published number.
#include <iostream>

#include "base/error.h"
#include "base/memory.h"
#include "runners/commands.h"
#include "runners/experiment/launch.h"
#include "runners/experiment/supervised_evaluation.h"
#include "runners/experiment/supervised_job.h"
#include "runners/training_request.h"

namespace innerloop {

CommandDescription bench_description() {
  return {
      .name = "bench",
      .summary = "Trains on a data set, evaluates and prints the result beside the published number.",
      .details =
          "Trains as `innerloop train` does, with the same promises (a seed gives the same bits; --resume "
          "after a\n"
          "stop, a crash or kill -9), then adapts to tasks of the test split and writes bench.json, "
          "bench.png,\n"
          "bench_tasks.png (regression) and progress.png into the run directory, and a copy of bench.json "
          "that\n"
          "stays into evaluations/, named by what determines it. A finished run is only evaluated again.\n"
          "--dataset.path finds a data set that was moved since. With validation.every, the meta-parameters "
          "that are best on validation tasks\n"
          "are evaluated (checkpoints/best.safetensors, validation.csv); the test split has no part in any\n"
          "choice. Data sets in files are looked for at dataset.path, also under the folder\n"
          "INNERLOOP_DATA.\n\n"
          "example: innerloop bench --config sine_10shot\n"
          "         innerloop bench --config strokes_5way_1shot --run-dir runs/strokes",
      .options = {{"config", "FILE", "INI file, or the name of an installed one (innerloop list configs)"},
                  {"run-dir", "DIR", "where to write  [runs/NAME-seedN, NAME from the configuration]"},
                  {"resume", "", "go on from the last checkpoint in the run directory, if there is one"}},
      .sections = {"*"},
      .without = {"online"},
      .side = Side::kSupervised,
      .word = "config"};
}

int bench(const std::vector<std::string>& arguments) {
  const auto description = bench_description();
  const auto line = parse_command_line(description, arguments);
  if (line.help) {
    print_help(std::cout, description, line);
    return 0;
  }
  const TrainingRequest request = read_training_request(line, "bench", Side::kSupervised);
  require_usage(request.config.side == Side::kSupervised, "bench is for ", side_name(Side::kSupervised),
                " (dataset.*, network.*), this configuration is one of ", side_name(Side::kPolicy),
                " (environment.name = ", request.config.tasks(),
                "): innerloop train trains it, innerloop adapt evaluates it");
  refuse_online(request);
  limit_memory(request.config.meta().memory);
  ThreadPool pool = make_pool(request.config);
  SupervisedJob job(request.config, pool);
  Training training(request, job, pool);
  const TrainingOutcome outcome = training.run();
  if (outcome.exit_code != 0) return outcome.exit_code;
  std::cout << '\n';
  report_supervised(job.learner(), request.config, request.directory, "bench", pool.processes());
  const auto& times = outcome.milliseconds;
  if (!times.empty()) std::cout << milliseconds_text(times) << '\n';
  return 0;
}

}  // namespace innerloop
