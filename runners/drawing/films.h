// Films and figures of an evaluation's trajectories.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "envs/environment.h"
#include "meta/policy/policy_evaluation.h"
#include "runners/drawing/drawings.h"
#include "runners/drawing/video.h"

namespace innerloop {

struct FilmConfig {
  EnvironmentConfig environment;
  std::vector<int64_t> steps;  // gradient steps after which to film, ascending
  uint64_t seed = 1;           // of the evaluation
  double speed = 0;            // as a multiple of real time; 0: the environment's kind's own
  double fps = 0;              // instead of a speed: pictures per second, one per step of the environment
  int quality = kFilmQuality;  // 0 to 100, see runners/drawing/video.h
  int width = 0, height = 0;   // pixels of a picture without its captions, even; 0: see Films
};

// Pictures per second: config.fps, or what makes config.speed or else `usual_speed`. UsageError if the
// environment does not say how long a step is.
double frames_per_second(const FilmConfig& config, const EnvironmentSpec& environment, double usual_speed);

// Films and figures of evaluations of one environment. Each evaluation keeps its trajectories and reaches the
// last of the steps. Pictures of MuJoCo, and those of numbers over time, are 640 x 480 unless the
// configuration says otherwise (one side alone: 4 to 3); those of an arena have its shape and are at most 540
// x 540, or as large as fits. Films of MuJoCo run at half speed, others in real time.
class Films {
 public:
  // UsageError as of frames_per_second; Error if there is no OpenGL to draw a MuJoCo environment with.
  explicit Films(const FilmConfig& config);

  // What draws: "egl, device 0 of 1: llvmpipe ..."; empty where no OpenGL is needed.
  std::string renderer() const;

  // One film per task and step, task_1_step_0.mp4 etc., in `directory`; tasks count from 1. `wrote` is called
  // after each.
  void write_each(const PolicyEvaluation& evaluation, const std::filesystem::path& directory,
                  const std::function<void(const std::filesystem::path&)>& wrote) const;

  // Task `task` before and after the gradient steps, side by side.
  void write_adaptation(const PolicyEvaluation& evaluation, int64_t task,
                        const std::filesystem::path& file) const;

  // A picture with a row for every task and a column for every step: whole trajectories; of an arena, the
  // filmed one strong and the rest of the batch faint.
  void write_figure(const PolicyEvaluation& evaluation, const std::filesystem::path& file) const;

 private:
  class Panel;

  std::vector<Panel> panels(const PolicyEvaluation& evaluation, const std::vector<Batch>& batches) const;
  void film(const std::vector<Panel>& panels, const std::filesystem::path& file) const;
  void check(const PolicyEvaluation& evaluation) const;
  std::string subtitle(const PolicyEvaluation& evaluation, int64_t t) const;

  FilmConfig config_;
  std::unique_ptr<Environment> environment_;
  std::unique_ptr<TrajectoryDrawing> drawing_;
  double fps_;
};

}  // namespace innerloop
