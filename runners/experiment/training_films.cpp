#include "runners/experiment/training_films.h"

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "base/files.h"
#include "runners/drawing/films.h"
#include "runners/experiment/progress.h"

namespace innerloop {
namespace {

constexpr size_t kLargestStill = 1 << 28;

}  // namespace

TrainingFilms::TrainingFilms(const ExperimentConfig& config)
    : environment_(config.learner.environment), evaluation_(config.evaluation), every_(config.video.every) {
  evaluation_.tasks = 1;
}

ProgressNews TrainingFilms::after(int64_t done, PolicyLearner& learner, const RunDirectory& directory) const {
  if (every_ == 0 || done % every_ != 0) return {};
  try {
    return film(done, learner, directory);
  } catch (const std::exception& error) {
    RunLog(directory.log()).write(concat("no film after meta-iteration ", done, ": ", error.what()));
    return {};
  }
}

ProgressNews TrainingFilms::film(int64_t done, PolicyLearner& learner, const RunDirectory& directory) const {
  const auto folder = directory.root() / "videos";
  std::filesystem::create_directories(folder);
  char name[48];
  std::snprintf(name, sizeof name, "iteration_%06lld.mp4", static_cast<long long>(done));
  PolicyEvaluationConfig asked = evaluation_;
  asked.steps = std::max<int64_t>(1, learner.steps());
  const Films films({.environment = environment_, .steps = {0, asked.steps}, .seed = asked.seed});
  const auto film = folder / name, still = std::filesystem::path(film).replace_extension(".png");
  const PolicyEvaluation evaluation = learner.evaluate(asked, true);
  films.write_adaptation(evaluation, 0, film);
  films.write_figure(evaluation, still);
  return {.pictures = {{"film/adaptation", read_file(still, kLargestStill)}}};
}

}  // namespace innerloop
