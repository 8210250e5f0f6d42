#include "runners/films.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "envs/planar.h"
#include "envs/registry.h"
#include "runners/draw_planar.h"
#include "runners/panel.h"
#include "runners/replay.h"
#include "runners/video.h"

namespace innerloop {
namespace {

constexpr double kHoldSeconds = 1;                     // the last picture stays
constexpr int kFilmPixels = 540, kFigurePixels = 420;  // longer side of one picture
constexpr size_t kColumns = 4;  // panels beside each other: wider films than 2400 pixels play nowhere

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

std::unique_ptr<TrajectoryRenderer> make_renderer(const FilmConfig& config, const Evaluation& evaluation,
                                                  int64_t t, int64_t step, int pixels) {
  const auto environment = make_environment(config.environment);
  require_drawable(*environment);
  auto paths = planar_paths(*environment, config, evaluation, t, step);
  return std::make_unique<PlanarRenderer>(planar(*environment)->scene(), std::move(paths), kFilmed, pixels);
}

std::string task_text(const EnvironmentSpec& environment, const Eigen::VectorXd& task, int64_t t) {
  std::vector<std::string> words;
  for (Eigen::Index i = 0; i < task.size(); ++i) {
    words.push_back(environment.task_parameters[static_cast<size_t>(i)] + " " + figure(task[i]));
  }
  return concat(environment.name, " \u00b7 task ", t + 1, " \u00b7 ", join(words));
}

// One trajectory in its panel: the picture and the figures at every time.
class Panel {
 public:
  Panel(const FilmConfig& config, const Evaluation& evaluation, int64_t t, int64_t step)
      : renderer_(make_renderer(config, evaluation, t, step, kFilmPixels)) {
    const auto environment = make_environment(config.environment);
    const Trajectories& trajectories = at_step(evaluation, step);
    caption_.title = step_title(step);
    caption_.subtitle = task_text(environment->spec(), evaluation.tasks[static_cast<size_t>(t)].task, t);
    horizon_ = environment->spec().horizon;
    success_ = environment->spec().defines_success && trajectories.success(t, kFilmed);
    returns_ = {0};
    for (const float reward : trajectories.rewards(t, kFilmed)) returns_.push_back(returns_.back() + reward);
  }

  int64_t frames() const { return renderer_->frames(); }

  cv::Mat draw(const PanelPainter& painter, int64_t frame) const {
    const int64_t t = std::min(frame, frames() - 1);
    Caption caption = caption_;
    caption.left = concat("step ", t, " of ", horizon_);
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

void film(const std::vector<Panel>& panels, double fps, const std::filesystem::path& file) {
  const PanelPainter painter;
  int64_t frames = 0;
  for (const auto& panel : panels) frames = std::max(frames, panel.frames());
  std::unique_ptr<Video> video;
  cv::Mat picture;
  for (int64_t t = 0; t < frames; ++t) {
    std::vector<cv::Mat> pictures;
    for (const auto& panel : panels) pictures.push_back(panel.draw(painter, t));
    picture = in_rows(pictures, kColumns);
    if (!video) video = std::make_unique<Video>(file, picture.size(), fps);
    video->add(picture);
  }
  for (int64_t held = 0; held < std::lround(kHoldSeconds * fps); ++held) video->add(picture);
  video->finish();
}

void check(const FilmConfig& config, const Evaluation& evaluation) {
  require(!config.steps.empty(), "no gradient steps to film");
  for (const int64_t step : config.steps) at_step(evaluation, step);
}

}  // namespace

void require_drawable(const Environment& environment) {
  if (planar(environment) != nullptr) return;
  std::vector<std::string> drawable;
  for (const auto& name : environment_names()) {
    EnvironmentConfig other;
    other.name = name;
    if (planar(*make_environment(other)) != nullptr) drawable.push_back(name);
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

void write_films(const FilmConfig& config, const Evaluation& evaluation,
                 const std::filesystem::path& directory,
                 const std::function<void(const std::filesystem::path&)>& wrote) {
  check(config, evaluation);
  const double fps = frames_per_second(config, make_environment(config.environment)->spec());
  for (int64_t t = 0; t < static_cast<int64_t>(evaluation.tasks.size()); ++t) {
    for (const int64_t step : config.steps) {
      const auto file = directory / concat("task_", t + 1, "_step_", step, ".mp4");
      std::vector<Panel> panels;
      panels.emplace_back(config, evaluation, t, step);
      film(panels, fps, file);
      wrote(file);
    }
  }
}

void write_adaptation_film(const FilmConfig& config, const Evaluation& evaluation, int64_t task,
                           const std::filesystem::path& file) {
  check(config, evaluation);
  std::vector<Panel> panels;
  for (const int64_t step : config.steps) panels.emplace_back(config, evaluation, task, step);
  film(panels, frames_per_second(config, make_environment(config.environment)->spec()), file);
}

void write_trajectory_figure(const FilmConfig& config, const Evaluation& evaluation,
                             const std::filesystem::path& file) {
  check(config, evaluation);
  const auto environment = make_environment(config.environment);
  const PanelPainter painter;
  std::vector<cv::Mat> panels;
  for (int64_t t = 0; t < static_cast<int64_t>(evaluation.tasks.size()); ++t) {
    const auto& task = evaluation.tasks[static_cast<size_t>(t)];
    for (const int64_t step : config.steps) {
      const auto renderer = make_renderer(config, evaluation, t, step, kFigurePixels);
      panels.push_back(painter.panel(renderer->whole(),
                                     {.title = step_title(step),
                                      .subtitle = task_text(environment->spec(), task.task, t),
                                      .left = concat("mean return of ", at_step(evaluation, step).per_task()),
                                      .right = figure(task.returns[static_cast<size_t>(step)])}));
    }
  }
  write_picture(file, in_rows(panels, config.steps.size()));
}

}  // namespace innerloop
