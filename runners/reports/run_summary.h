// What a run directory says of itself, whether the training is finished, stopped or still going on.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runners/experiment/comparison.h"
#include "runners/experiment/config.h"
#include "runners/experiment/statistics.h"

namespace innerloop {

// Values over meta-iterations, ascending.
struct TrainingCurve {
  std::string what;  // "accuracy on validation tasks"
  std::vector<double> iteration, value;
};

// The newest evaluation on held-out tasks.
struct RunEvaluation {
  std::string name;                              // "bench" or "adapt": of NAME.json
  EvaluatedRun run;                              // per task after the last gradient step
  std::vector<std::vector<double>> per_step;     // [gradient step][task]
  std::map<std::string, std::string> overrides;  // what it did in its own way (evaluation_files.h)
};

struct RunFilm {
  std::filesystem::path film;
  std::optional<std::filesystem::path> still;
};

struct RunSummary {
  std::filesystem::path directory;
  ExperimentConfig config;
  ExperimentConfig compared;  // as runs are told apart by it (without_seed_of_start)
  std::string metric;         // "accuracy", "mse" or "return"; "" as long as nothing has been measured
  int64_t done = 0;           // meta-iterations, as far as progress.csv tells
  TrainingCurve curve;
  std::optional<double> milliseconds;  // per meta-iteration, median
  std::optional<RunEvaluation> evaluation;
  std::vector<RunFilm> films;  // that of `record`, else the newest of the training; none where there is none

  uint64_t seed() const { return config.meta().seed; }
  bool finished() const { return done >= config.iterations; }
};

// `evaluation`: "bench", "adapt", or "" for bench.json where there is one and else adapt.json. Error if the
// directory is no run of `train` or `bench`, or a file in it is damaged; not if there is no evaluation yet.
RunSummary read_run(const std::filesystem::path& directory, const std::string& evaluation);

}  // namespace innerloop
