#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/memory.h"
#include "runners/commands.h"
#include "runners/experiment/launch.h"
#include "runners/experiment/policy_job.h"
#include "runners/experiment/shell.h"
#include "runners/experiment/supervised_job.h"
#include "runners/training_request.h"

namespace innerloop {

CommandDescription train_description() {
  return {
      .name = "train",
      .summary = "Meta-trains a policy, or a network on a data set, on a distribution of tasks.",
      .details =
          "Makes a run directory that holds config.ini (every key as it was used), progress.csv (one row\n"
          "per meta-iteration), checkpoints/last.safetensors and log.txt. Flags override --config, which\n"
          "overrides the defaults below. The same configuration and seed give the same checkpoint, bit by\n"
          "bit, whatever the number of threads, and also after a stop, a crash or kill -9 followed by\n"
          "--resume.\n\n"
          "Ctrl-C (SIGINT), SIGTERM, a closed session (SIGHUP, unless under nohup) or a broken pipe\n"
          "(SIGPIPE) finishes the meta-iteration, saves a checkpoint and ends with exit code 130, 143, 129\n"
          "or 141. Other exit codes: 0 done, 1 failure, 2 a request that cannot be understood.\n\n"
          "`innerloop train NAME` is short for --config NAME.\n"
          "example: innerloop train --config navigation_2d --seed 2 --run-dir runs/second",
      .options = {{"config", "FILE", "INI file, or the name of an installed one (innerloop list configs)"},
                  {"run-dir", "DIR", "where to write  [runs/NAME-seedN, NAME from the configuration]"},
                  {"resume", "", "go on from the last checkpoint in the run directory, if there is one"},
                  {"video-every", "N",
                   "film a held-out task, before and after adapting, every N meta-iterations into DIR/videos",
                   "video.every"}},
      .sections = {"*"},
      .without = {"online"},
      .word = "config"};
}

int train(const std::vector<std::string>& arguments) {
  const auto description = train_description();
  const auto line = parse_command_line(description, arguments);
  if (line.help) {
    print_help(std::cout, description, line);
    return 0;
  }
  const TrainingRequest request = read_training_request(line, "train", Side::kPolicy);
  refuse_online(request);
  limit_memory(request.config.meta().memory);
  ThreadPool pool = make_pool(request.config);
  std::unique_ptr<TrainingJob> job;
  if (request.config.side == Side::kPolicy) {
    job = std::make_unique<PolicyJob>(request.config, pool);
  } else {
    job = std::make_unique<SupervisedJob>(request.config, pool);
  }
  Training training(request, *job, pool);
  const TrainingOutcome outcome = training.run();
  if (outcome.exit_code != 0 || !pool.processes().first()) return outcome.exit_code;
  const auto& directory = request.directory;
  std::cout << "\n  " << directory.last_checkpoint().string() << "\n  " << directory.progress().string()
            << "\n  " << directory.config().string() << "\n\nnext:\n"
            << job->next_commands(shell_word(directory.root().string()));
  return 0;
}

}  // namespace innerloop
