// Which pictures an environment has: of its simulation (MujocoScene), of its scene in the plane (Planar), or,
// of every other, of its numbers over time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "envs/environment.h"
#include "meta/policy/policy_evaluation.h"
#include "runners/drawing/trajectory_renderer.h"

namespace innerloop {

// Films follow one trajectory of each batch. Which one must not depend on how well it went: the first.
inline constexpr int64_t kFilmed = 0;

struct DrawingConfig {
  EnvironmentConfig environment;
  uint64_t seed = 1;          // of the evaluation
  int width = 0, height = 0;  // pixels of a picture without its captions, even; 0: the kind's own
};

struct Batch {  // of trajectories
  int64_t task = 0, step = 0;
};

class TrajectoryDrawing {
 public:
  virtual ~TrajectoryDrawing() = default;
  // One for each of the batches, which are looked at side by side: what they show is alike, of the same size
  // and to the same scale. `pixels`: the longer side of a picture of an arena.
  virtual std::vector<std::unique_ptr<TrajectoryRenderer>> renderers(const PolicyEvaluation& evaluation,
                                                                     const std::vector<Batch>& batches,
                                                                     int pixels) const = 0;
  virtual std::string opengl() const { return ""; }  // what draws, if OpenGL does
  virtual double usual_speed() const { return 1; }   // of a film, as a multiple of real time
};

// Error if there is no OpenGL to draw a MuJoCo environment with.
std::unique_ptr<TrajectoryDrawing> make_drawing(const DrawingConfig& config);

// The trajectories sampled at a gradient step. Error if the evaluation did not keep them.
const Trajectories& at_step(const PolicyEvaluation& evaluation, int64_t step);

}  // namespace innerloop
