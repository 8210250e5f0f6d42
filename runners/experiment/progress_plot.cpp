#include "runners/experiment/progress_plot.h"

#include "base/error.h"
#include "meta/algorithms/registry.h"
#include "runners/drawing/plot_progress.h"
#include "runners/experiment/progress.h"

namespace innerloop {

bool draw_progress(const ExperimentConfig& config, const RunDirectory& directory) {
  std::string trained_on = config.learner.environment.name;
  if (config.side == Side::kSupervised) {
    const auto& c = config.supervised;
    trained_on = c.dataset.name;
    if (c.shape.ways > 1) trained_on += concat(", ", c.shape.ways, "-way ", c.shape.shots, "-shot");
  }
  const uint64_t seed = config.side == Side::kSupervised ? config.supervised.seed : config.learner.seed;
  return plot_progress(directory.progress(), directory.results() / "progress.png",
                       concat(trained_on, ", ", config.algorithm(), ", seed ", seed),
                       find_algorithm(config.algorithm()).step);
}

void draw_progress_if_possible(const ExperimentConfig& config, const RunDirectory& directory) {
  try {
    draw_progress(config, directory);
  } catch (const std::exception& error) {
    RunLog(directory.log()).write(concat("no progress.png: ", error.what()));
  }
}

}  // namespace innerloop
