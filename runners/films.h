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

namespace innerloop {

struct FilmConfig {
  EnvironmentConfig environment;
  std::vector<int64_t> steps;  // gradient steps after which to film, ascending
  uint64_t seed = 1;           // of the evaluation
  double fps = 0;              // 0: real time, one picture per step of the environment
};

// Films follow one trajectory of each batch. Which one must not depend on how well it went: the first.
inline constexpr int64_t kFilmed = 0;

// UsageError naming the environments that can be drawn, if this one cannot.
void require_drawable(const Environment& environment);

// Pictures per second: config.fps, or real time. UsageError if neither is known.
double frames_per_second(const FilmConfig& config, const EnvironmentSpec& environment);

// One film per task and step, task_1_step_0.mp4 etc., in `directory`; tasks count from 1. `wrote` is called
// after each. The evaluation keeps its trajectories and reaches the last of the steps.
void write_films(const FilmConfig& config, const Evaluation& evaluation,
                 const std::filesystem::path& directory,
                 const std::function<void(const std::filesystem::path&)>& wrote);

// Task `task` before and after the gradient steps, side by side.
void write_adaptation_film(const FilmConfig& config, const Evaluation& evaluation, int64_t task,
                           const std::filesystem::path& file);

// A picture with a row for every task and a column for every step: whole trajectories, the filmed one strong
// and the rest of the batch faint.
void write_trajectory_figure(const FilmConfig& config, const Evaluation& evaluation,
                             const std::filesystem::path& file);

}  // namespace innerloop
