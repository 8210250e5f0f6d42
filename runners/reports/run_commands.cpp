#include "runners/reports/run_commands.h"

#include "base/error.h"
#include "runners/experiment/options.h"
#include "runners/experiment/run_directory.h"
#include "runners/experiment/shell.h"

namespace innerloop {
namespace {

std::vector<Setting> flags_of(const ExperimentConfig& config) {
  std::vector<Setting> flags;
  for (const auto& key : key_table(config.side).keys_of(config)) {
    const std::string value = key.get(&config);
    if (value != key.initial) flags.push_back({key.name, value, "--" + key.name});
  }
  return flags;
}

bool gives_the_same(const std::vector<Setting>& flags, const ExperimentConfig& config) {
  try {
    return format_config(make_config({}, flags, config.side)) == format_config(config);
  } catch (const UsageError&) {
    return false;
  }
}

std::string training_command(const RunSummary& run) {
  const bool bench = run.evaluation && run.evaluation->name == "bench";
  std::string text = bench ? "innerloop bench" : "innerloop train";
  const auto flags = flags_of(run.config);
  if (gives_the_same(flags, run.config)) {
    for (const auto& flag : flags) text += concat(" --", flag.key, " ", shell_word(flag.value));
  } else {
    text += " --config " + shell_word(RunDirectory(run.directory).config().string());
  }
  return text + " --run-dir " + shell_word(run.directory.string());
}

}  // namespace

std::vector<std::string> commands_of(const RunSummary& run) {
  std::vector<std::string> commands{training_command(run)};
  if (!run.evaluation || run.evaluation->name != "adapt") return commands;
  const auto& evaluation = *run.evaluation;
  std::string text =
      concat("innerloop adapt --run ", shell_word(run.directory.string()), " --evaluation.tasks ",
             evaluation.run.test.at("tasks"), " --evaluation.steps ", evaluation.per_step.size() - 1,
             " --evaluation.seed ", evaluation.run.test.at("seed"));
  for (const auto& [key, value] : evaluation.overrides) text += concat(" --", key, " ", shell_word(value));
  commands.push_back(text);
  return commands;
}

}  // namespace innerloop
