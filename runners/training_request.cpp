#include "runners/training_request.h"

#include "base/error.h"

namespace innerloop {

TrainingRequest read_training_request(const CommandLine& line, const std::string& command, Side otherwise) {
  const bool resume = line.has("resume");
  std::filesystem::path file, directory = line.value("run-dir");
  require_usage(!line.has("run-dir") || !directory.empty(), "--run-dir is empty, expected a folder");
  if (line.has("config")) {
    file = find_config(line.value("config"));
  } else if (resume) {
    require_usage(!directory.empty(), command,
                  ": --resume needs --run-dir DIR, or the --config the run was started with");
    file = RunDirectory(directory).config();
    std::error_code ignored;
    require(std::filesystem::exists(file, ignored), "cannot resume: '", directory.string(),
            "' holds no config.ini; start it with --config");
  }
  auto config =
      make_config(file.empty() ? std::vector<Setting>{} : read_settings(file), line.settings, otherwise);
  if (directory.empty()) {
    const bool named = std::filesystem::is_regular_file(file);
    const std::string name = named ? file.stem().string() : config.tasks();
    directory = std::filesystem::path("runs") / concat(name, "-seed", config.meta().seed);
  }
  return {command, config, RunDirectory(directory), resume};
}

void refuse_online(const TrainingRequest& request) {
  const int64_t rounds = request.config.online.rounds;
  require_usage(rounds == 0, request.command,
                ": this configuration is one of online learning (online.rounds = ", rounds,
                "), which innerloop online runs");
}

}  // namespace innerloop
