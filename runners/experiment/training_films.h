// Films of a policy while it trains.
#pragma once

#include "meta/policy/policy_learner.h"
#include "runners/experiment/config.h"
#include "runners/experiment/progress_row.h"
#include "runners/experiment/run_directory.h"

namespace innerloop {

class TrainingFilms {
 public:
  explicit TrainingFilms(const ExperimentConfig& config);

  // After every video.every meta-iterations: ROOT/videos/iteration_000100.mp4, the first held-out task before
  // and after the inner steps (after one if there are none), and iteration_000100.png, whole trajectories of
  // it, which is what there is to tell. All its random numbers are the evaluation's, so the training goes on
  // as if there were no film. A film that cannot be made is a line in log.txt.
  ProgressNews after(int64_t done, PolicyLearner& learner, const RunDirectory& directory) const;

 private:
  ProgressNews film(int64_t done, PolicyLearner& learner, const RunDirectory& directory) const;

  EnvironmentConfig environment_;
  PolicyEvaluationConfig evaluation_;
  int64_t every_;
};

}  // namespace innerloop
