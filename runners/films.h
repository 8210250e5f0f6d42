// Films and figures of an evaluation's trajectories.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "meta/policy_meta_learner.h"
#include "runners/trajectory_renderer.h"
#include "runners/video.h"

namespace innerloop {

class MujocoStage;

struct FilmConfig {
  EnvironmentConfig environment;
  std::vector<int64_t> steps;  // gradient steps after which to film, ascending
  uint64_t seed = 1;           // of the evaluation
  double fps = 0;              // 0: real time, one picture per step of the environment
  int quality = kFilmQuality;  // 0 to 100, see runners/video.h
  int width = 0, height = 0;   // pixels of a picture without its captions, even; 0: see Films
};

// Films follow one trajectory of each batch. Which one must not depend on how well it went: the first.
inline constexpr int64_t kFilmed = 0;

// UsageError naming the environments that can be drawn, if this one cannot.
void require_drawable(const Environment& environment);

// Pictures per second: config.fps, or real time. UsageError if neither is known.
double frames_per_second(const FilmConfig& config, const EnvironmentSpec& environment);

// Films and figures of evaluations of one environment. Each evaluation keeps its trajectories and reaches the
// last of the steps. Pictures of MuJoCo are 640 x 480 unless the configuration says otherwise (one side
// alone: 4 to 3); those of an arena have its shape and are at most 540 x 540, or as large as fits.
class Films {
 public:
  // UsageError as of the two functions above; Error if there is no OpenGL to draw a MuJoCo environment with.
  explicit Films(const FilmConfig& config);

  // What draws: "egl, device 0 of 1: llvmpipe ..."; empty where no OpenGL is needed.
  std::string renderer() const;

  // One film per task and step, task_1_step_0.mp4 etc., in `directory`; tasks count from 1. `wrote` is called
  // after each.
  void write_each(const Evaluation& evaluation, const std::filesystem::path& directory,
                  const std::function<void(const std::filesystem::path&)>& wrote) const;

  // Task `task` before and after the gradient steps, side by side.
  void write_adaptation(const Evaluation& evaluation, int64_t task, const std::filesystem::path& file) const;

  // A picture with a row for every task and a column for every step: whole trajectories; of an arena, the
  // filmed one strong and the rest of the batch faint.
  void write_figure(const Evaluation& evaluation, const std::filesystem::path& file) const;

 private:
  class Panel;

  std::unique_ptr<TrajectoryRenderer> renderer_of(const Evaluation& evaluation, int64_t t, int64_t step,
                                                  int arena_pixels) const;
  void film(const std::vector<Panel>& panels, const std::filesystem::path& file) const;
  void check(const Evaluation& evaluation) const;

  FilmConfig config_;
  EnvironmentSpec environment_;
  double fps_;
  std::shared_ptr<MujocoStage> stage_;  // null for an arena
};

}  // namespace innerloop
