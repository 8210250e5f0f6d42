// Sine regression with a frequency, noise and few training tasks (Yoon, Kim, Dia, Kim, Bengio and Ahn,
// "Bayesian model-agnostic meta-learning", NeurIPS 2018, section 5.1; the sign of the phase, what is fixed
// and where the noise is are those of the code, jsikyoon/bmaml):
//   task    amplitude A ~ U[0.1, 5), frequency w ~ U[0.5, 2), phase ~ U[0, 2 pi)
//   sample  x ~ U[-5, 5), y = A sin(w x - phase) + noise A e, e ~ N(0, 1)
// Queries of validation and test tasks have no noise.
//
// training_tasks > 0: training knows so many tasks, and of each the first shots + queries samples of a
// sequence that depends on tasks_seed alone: what can be learned by heart. Held-out tasks are always new.
#pragma once

#include <memory>

#include "datasets/dataset.h"

namespace innerloop {

inline constexpr char kNoisySineDescription[] =
    "regression of a noisy sine curve of unknown frequency, of few training tasks";

struct NoisySineSettings {
  int64_t training_tasks = 100;
  int64_t tasks_seed = 1;
  double noise = 0.01;
};
inline const Keys<NoisySineSettings> kNoisySineKeys{
    keys::whole("training_tasks", &NoisySineSettings::training_tasks, 0, 1'000'000'000,
                "tasks that training knows, with fixed samples; 0: new ones always"),
    keys::whole("tasks_seed", &NoisySineSettings::tasks_seed, 0, 1'000'000'000, "which tasks these are"),
    keys::number("noise", &NoisySineSettings::noise, {0, 1e6, false, false, "a number from 0 to 1000000"},
                 "standard deviation of the noise, in amplitudes")};

std::unique_ptr<Dataset> make_noisy_sine(const NoisySineSettings& settings);

}  // namespace innerloop
