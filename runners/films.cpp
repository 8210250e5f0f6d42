#include "runners/films.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "envs/mujoco_scene.h"
#include "envs/planar.h"
#include "envs/registry.h"
#include "runners/draw_planar.h"
#include "runners/mujoco_renderer.h"
#include "runners/panel.h"
#include "runners/replay.h"

namespace innerloop {
namespace {

constexpr double kHoldSeconds = 1;                     // the last picture stays
constexpr int kFilmPixels = 540, kFigurePixels = 420;  // longer side of a picture of an arena
const cv::Size kMujocoPixels(640, 480);
constexpr int kFilmWidth = 2400;  // wider films play nowhere: panels go into rows

const Trajectories& at_step(const Evaluation& evaluation, int64_t step) {
  const auto kept = static_cast<int64_t>(evaluation.trajectories.size());
  require(step >= 0 && step < kept, "no trajectories of gradient step ", step,
          ": the evaluation kept steps 0 to ", kept - 1);
  return evaluation.trajectories[static_cast<size_t>(step)];
}

// Paths of all trajectories sampled for task t after `step` gradient steps.
std::vector<Path> planar_paths(Environment& environment, const FilmConfig& config,
                               const Evaluation& evaluation, int64_t t, int64_t step) {
  const Trajectories& trajectories = at_step(evaluation, step);
  std::vector<Path> paths;
  for (int64_t n = 0; n < trajectories.per_task(); ++n) {
    Path path;
    for (const auto& observation : replay(environment, evaluation.tasks[static_cast<size_t>(t)].task,
                                          trajectories, t, n, evaluation_key(config.seed, t, n, step))) {
      path.push_back(observation.head<2>().cast<double>());
    }
    paths.push_back(std::move(path));
  }
  return paths;
}

// qpos of the filmed trajectory, at the start and after every step.
std::vector<Eigen::VectorXd> mujoco_states(Environment& environment, const FilmConfig& config,
                                           const Evaluation& evaluation, int64_t t, int64_t step) {
  const MujocoSimulation& simulation = mujoco_scene(environment)->simulation();
  std::vector<Eigen::VectorXd> states;
  replay(environment, evaluation.tasks[static_cast<size_t>(t)].task, at_step(evaluation, step), t, kFilmed,
         evaluation_key(config.seed, t, kFilmed, step), [&] {
           const Eigen::Map<const Eigen::VectorXd> positions(simulation.data().qpos, simulation.model().nq);
           // After a divergence there is nothing more to see.
           states.push_back(positions.allFinite() || states.empty() ? positions : states.back());
         });
  return states;
}

bool can_be_drawn(const Environment& environment) {
  return planar(environment) != nullptr || mujoco_scene(environment) != nullptr;
}

// The longer side of a picture of `arena` that is at most as large as the configuration says.
int fitting_pixels(const FilmConfig& config, const Eigen::AlignedBox2d& arena, int otherwise) {
  if (config.width == 0 && config.height == 0) return otherwise;
  const Eigen::Vector2d shape = arena.sizes() / arena.sizes().maxCoeff();
  double pixels = std::numeric_limits<int>::max();
  if (config.width > 0) pixels = std::min(pixels, config.width / shape.x());
  if (config.height > 0) pixels = std::min(pixels, config.height / shape.y());
  return static_cast<int>(pixels);
}

cv::Size mujoco_pixels(const FilmConfig& config) {
  const auto even = [](int64_t side) { return static_cast<int>(side + side % 2); };
  if (config.width == 0 && config.height == 0) return kMujocoPixels;
  return {config.width > 0 ? config.width : even(int64_t{config.height} * 4 / 3),
          config.height > 0 ? config.height : even(int64_t{config.width} * 3 / 4)};
}

std::string task_text(const EnvironmentSpec& environment, const Eigen::VectorXd& task, int64_t t) {
  std::vector<std::string> words;
  for (Eigen::Index i = 0; i < task.size(); ++i) {
    words.push_back(environment.task_parameters[static_cast<size_t>(i)] + " " + figure(task[i]));
  }
  return concat(environment.name, " \u00b7 task ", t + 1, " \u00b7 ", join(words));
}

}  // namespace

// One trajectory in its panel: the picture and the figures at every time.
class Films::Panel {
 public:
  Panel(const Films& films, const Evaluation& evaluation, int64_t t, int64_t step)
      : renderer_(films.renderer_of(evaluation, t, step, kFilmPixels)) {
    const Trajectories& trajectories = at_step(evaluation, step);
    caption_.title = step_title(step);
    caption_.subtitle = task_text(films.environment_, evaluation.tasks[static_cast<size_t>(t)].task, t);
    horizon_ = films.environment_.horizon;
    success_ = films.environment_.defines_success && trajectories.success(t, kFilmed);
    returns_ = {0};
    for (const float reward : trajectories.rewards(t, kFilmed)) returns_.push_back(returns_.back() + reward);
  }

  int64_t frames() const { return renderer_->frames(); }

  cv::Mat draw(const PanelPainter& painter, int64_t frame) const {
    const int64_t t = std::min(frame, frames() - 1);
    Caption caption = caption_;
    caption.left = concat("step ", t, " of ", horizon_);
    const std::string figures = renderer_->figures(t);
    if (!figures.empty()) caption.left += " \u00b7 " + figures;
    if (success_ && t == frames() - 1) caption.left += " \u00b7 success";
    caption.right = "return " + figure(returns_[static_cast<size_t>(t)]);
    return painter.panel(renderer_->frame(t), caption);
  }

 private:
  std::unique_ptr<TrajectoryRenderer> renderer_;
  Caption caption_;
  std::vector<double> returns_;  // of the rewards so far
  int64_t horizon_ = 0;
  bool success_ = false;
};

void require_drawable(const Environment& environment) {
  if (can_be_drawn(environment)) return;
  std::vector<std::string> drawable;
  for (const auto& name : environment_names()) {
    EnvironmentConfig other;
    other.name = name;
    if (can_be_drawn(*make_environment(other))) drawable.push_back(name);
  }
  throw UsageError(
      concat("environment '", environment.spec().name, "' cannot be drawn; these can: ", join(drawable)));
}

double frames_per_second(const FilmConfig& config, const EnvironmentSpec& environment) {
  if (config.fps > 0) return config.fps;
  require_usage(environment.step_seconds > 0, "environment '", environment.name,
                "' does not say how long a step lasts; give the pictures per second with --fps");
  return 1 / environment.step_seconds;
}

Films::Films(const FilmConfig& config) : config_(config) {
  const auto environment = make_environment(config.environment);
  require_drawable(*environment);
  environment_ = environment->spec();
  fps_ = frames_per_second(config, environment_);
  if (const MujocoScene* scene = mujoco_scene(*environment))
    stage_ = std::make_shared<MujocoStage>(scene->simulation().model(), mujoco_pixels(config));
}

std::string Films::renderer() const { return stage_ == nullptr ? "" : stage_->renderer(); }

void Films::write_each(const Evaluation& evaluation, const std::filesystem::path& directory,
                       const std::function<void(const std::filesystem::path&)>& wrote) const {
  check(evaluation);
  for (int64_t t = 0; t < static_cast<int64_t>(evaluation.tasks.size()); ++t) {
    for (const int64_t step : config_.steps) {
      const auto file = directory / concat("task_", t + 1, "_step_", step, ".mp4");
      std::vector<Panel> panels;
      panels.emplace_back(*this, evaluation, t, step);
      film(panels, file);
      wrote(file);
    }
  }
}

void Films::write_adaptation(const Evaluation& evaluation, int64_t task,
                             const std::filesystem::path& file) const {
  check(evaluation);
  std::vector<Panel> panels;
  for (const int64_t step : config_.steps) panels.emplace_back(*this, evaluation, task, step);
  film(panels, file);
}

void Films::write_figure(const Evaluation& evaluation, const std::filesystem::path& file) const {
  check(evaluation);
  const PanelPainter painter;
  std::vector<cv::Mat> panels;
  for (int64_t t = 0; t < static_cast<int64_t>(evaluation.tasks.size()); ++t) {
    const auto& task = evaluation.tasks[static_cast<size_t>(t)];
    for (const int64_t step : config_.steps) {
      const auto renderer = renderer_of(evaluation, t, step, kFigurePixels);
      panels.push_back(painter.panel(renderer->whole(),
                                     {.title = step_title(step),
                                      .subtitle = task_text(environment_, task.task, t),
                                      .left = concat("mean return of ", at_step(evaluation, step).per_task()),
                                      .right = figure(task.returns[static_cast<size_t>(step)])}));
    }
  }
  write_picture(file, in_rows(panels, config_.steps.size()));
}

std::unique_ptr<TrajectoryRenderer> Films::renderer_of(const Evaluation& evaluation, int64_t t, int64_t step,
                                                       int arena_pixels) const {
  const auto environment = make_environment(config_.environment);
  if (stage_ != nullptr) {
    auto states = mujoco_states(*environment, config_, evaluation, t, step);
    return std::make_unique<MujocoRenderer>(
        stage_, std::move(states), mujoco_scene(*environment)->task_mark(), environment_.step_seconds);
  }
  auto paths = planar_paths(*environment, config_, evaluation, t, step);
  const PlanarScene scene = planar(*environment)->scene();
  const int pixels = fitting_pixels(config_, scene.arena, arena_pixels);
  return std::make_unique<PlanarRenderer>(scene, std::move(paths), kFilmed, pixels);
}

void Films::film(const std::vector<Panel>& panels, const std::filesystem::path& file) const {
  const PanelPainter painter;
  int64_t frames = 0;
  for (const auto& panel : panels) frames = std::max(frames, panel.frames());
  std::unique_ptr<Video> video;
  cv::Mat picture;
  for (int64_t t = 0; t < frames; ++t) {
    std::vector<cv::Mat> pictures;
    for (const auto& panel : panels) pictures.push_back(panel.draw(painter, t));
    picture = in_rows(pictures, static_cast<size_t>(std::max(1, kFilmWidth / pictures[0].cols)));
    if (!video) video = std::make_unique<Video>(file, picture.size(), fps_, config_.quality);
    video->add(picture);
  }
  for (int64_t held = 0; held < std::lround(kHoldSeconds * fps_); ++held) video->add(picture);
  video->finish();
}

void Films::check(const Evaluation& evaluation) const {
  require(!config_.steps.empty(), "no gradient steps to film");
  for (const int64_t step : config_.steps) at_step(evaluation, step);
}

}  // namespace innerloop
