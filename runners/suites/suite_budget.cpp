#include "runners/suites/suite_budget.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"

namespace innerloop {
namespace {

constexpr int64_t kShort = 5, kFirstLong = 20, kLonger = 6, kMostIterations = 1'000'000'000;
constexpr double kEnoughSeconds = 2;

struct Measurement {
  SuiteRun run;
  SuiteFolder folder;
  std::filesystem::path scratch;
  int64_t count = 0;  // of the training that runs
  double before = 0;  // CPU seconds of the short one
};

void remove_scratch(const Measurement& measurement) {
  std::error_code ignored;
  std::filesystem::remove_all(measurement.scratch, ignored);
}

// A training of `count` iterations from the start, which does nothing else.
std::vector<std::string> timed_training(const Measurement& measurement) {
  SuiteRun run = measurement.run;
  run.command = "train";
  std::erase_if(run.settings, [&](const Setting& setting) {
    const bool replaced = setting.key == "meta.iterations" || setting.key == "evaluation.ensemble" ||
                          setting.key.rfind("validation.", 0) == 0;
    return replaced || (setting.key == "meta.start" && !run.after.empty());
  });
  run.settings.push_back({"meta.iterations", std::to_string(measurement.count), "suite.minutes"});
  if (run.config.side == Side::kSupervised) {
    run.settings.push_back({"validation.every", "0", "suite.minutes"});
    run.settings.push_back(
        {"evaluation.ensemble", "1", "suite.minutes"});  // of more there are no validations
  }
  return training_arguments(run, measurement.scratch);
}

std::optional<std::vector<std::string>> measure_on(Measurement& measurement, const ChildEnd* last) {
  remove_scratch(measurement);
  if (last == nullptr) {
    measurement.count = kShort;
  } else if (measurement.count == kShort) {
    measurement.before = last->cpu_seconds;
    measurement.count = kFirstLong;
  } else {
    const double seconds = last->cpu_seconds - measurement.before;
    if (seconds >= kEnoughSeconds || measurement.count >= kMostIterations / kLonger) {
      const nlohmann::ordered_json out{{"iterations", measurement.count - kShort}, {"cpu_seconds", seconds}};
      write_file_atomically(measurement.folder.budget(measurement.run.name), out.dump(2) + "\n");
      return std::nullopt;
    }
    measurement.count *= kLonger;
  }
  return timed_training(measurement);
}

}  // namespace

int64_t MeasuredSpeed::within(double minutes) const {
  const double count = std::floor(60 * minutes * static_cast<double>(iterations) / cpu_seconds);
  return static_cast<int64_t>(std::clamp(count, 10.0, static_cast<double>(kMostIterations)));
}

std::optional<MeasuredSpeed> read_speed(const SuiteFolder& folder, const std::string& name) {
  const auto file = folder.budget(name);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  const auto found = nlohmann::json::parse(read_file(file, 1 << 20), nullptr, /*allow_exceptions=*/false);
  const bool whole = found.is_object() && found.contains("iterations") && found.contains("cpu_seconds") &&
                     found["iterations"].is_number_integer() && found["cpu_seconds"].is_number() &&
                     found["iterations"] > 0 && found["cpu_seconds"] > 0;
  require(whole, "'", file.string(), "' is damaged; without it the budget is measured again");
  return MeasuredSpeed{found["iterations"], found["cpu_seconds"]};
}

std::unique_ptr<SuiteJob> measuring_job(const SuiteRun& run, const SuiteFolder& folder) {
  auto measurement = std::make_shared<Measurement>();
  measurement->run = run;
  measurement->folder = folder;
  measurement->scratch = folder.root / (run.name + "-measuring");
  auto job = std::make_unique<SuiteJob>();
  job->name = run.name + " (measuring)";
  job->log = folder.log(run.name + "-measuring");
  job->next = [measurement](const ChildEnd* last) { return measure_on(*measurement, last); };
  return job;
}

}  // namespace innerloop
