// Sine regression (Finn et al. 2017, section 5.1; the sign of the phase is the original code's):
//   task    amplitude A ~ U[0.1, 5], phase ~ U[0, pi]
//   sample  x ~ U[-5, 5], y = A sin(x - phase)
// Training, validation and test tasks come from this one distribution, by streams of different purposes.
#pragma once

#include <cmath>
#include <memory>

#include "datasets/dataset.h"

namespace innerloop {

inline constexpr char kSineDescription[] = "regression of a sine curve of unknown amplitude and phase";

struct SineTask {
  double amplitude = 1, phase = 0;
  double operator()(double x) const { return amplitude * std::sin(x - phase); }
};

// The task that Dataset::draw makes of this stream: its first two numbers.
SineTask sample_sine_task(Stream& stream);

struct SineSettings {
  bool observe_task = false;  // inputs {x, amplitude, phase} instead of {x}: the paper's oracle
};
inline const Keys<SineSettings> kSineKeys{keys::truth("observe_task", &SineSettings::observe_task,
                                                      "amplitude and phase as further inputs (an oracle)")};

std::unique_ptr<Dataset> make_sine(const SineSettings& settings);

}  // namespace innerloop
