#include "runners/drawing/films.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "envs/registry.h"
#include "runners/drawing/panel.h"

namespace innerloop {
namespace {

constexpr double kHoldSeconds = 1;                     // the last picture stays
constexpr int kFilmPixels = 540, kFigurePixels = 420;  // longer side of a picture of an arena
constexpr int kFilmWidth = 2400;                       // wider films play nowhere: panels go into rows

// "0.5 × real time"
std::string speed_text(double speed) {
  if (speed <= 0) return "";
  if (std::abs(speed - 1) < 0.005) return "real time";
  std::string text = figure(speed);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text + " \u00d7 real time";
}

}  // namespace

// One trajectory in its panel: the picture and the figures at every time.
class Films::Panel {
 public:
  Panel(const Films& films, const PolicyEvaluation& evaluation, const Batch& batch,
        std::unique_ptr<TrajectoryRenderer> renderer)
      : renderer_(std::move(renderer)) {
    const Trajectories& trajectories = at_step(evaluation, batch.step);
    const auto& spec = films.environment_->spec();
    caption_.title = step_title(batch.step, evaluation.of_trials);
    caption_.corner = speed_text(films.fps_ * spec.step_seconds);
    caption_.subtitle = films.subtitle(evaluation, batch.task);
    horizon_ = spec.horizon;
    success_ = spec.defines_success && trajectories.success(batch.task, kFilmed);
    returns_ = {0};
    for (const float reward : trajectories.rewards(batch.task, kFilmed))
      returns_.push_back(returns_.back() + reward);
  }

  int64_t frames() const { return renderer_->frames(); }
  const TrajectoryRenderer& renderer() const { return *renderer_; }

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

double frames_per_second(const FilmConfig& config, const EnvironmentSpec& environment, double usual_speed) {
  if (config.fps > 0) return config.fps;
  require_usage(environment.step_seconds > 0, "environment '", environment.name,
                "' does not say how long a step lasts; give the pictures per second with --fps");
  return (config.speed > 0 ? config.speed : usual_speed) / environment.step_seconds;
}

Films::Films(const FilmConfig& config)
    : config_(config),
      environment_(make_environment(config.environment)),
      drawing_(make_drawing({.environment = config.environment,
                             .seed = config.seed,
                             .width = config.width,
                             .height = config.height})),
      fps_(frames_per_second(config, environment_->spec(), drawing_->usual_speed())) {}

std::string Films::renderer() const { return drawing_->opengl(); }

void Films::write_each(const PolicyEvaluation& evaluation, const std::filesystem::path& directory,
                       const std::function<void(const std::filesystem::path&)>& wrote) const {
  check(evaluation);
  for (int64_t t = 0; t < static_cast<int64_t>(evaluation.tasks.size()); ++t) {
    std::vector<Batch> batches;
    for (const int64_t step : config_.steps) batches.push_back({t, step});
    auto all = panels(evaluation, batches);
    for (size_t i = 0; i < all.size(); ++i) {
      const auto file = directory / concat("task_", t + 1, "_step_", batches[i].step, ".mp4");
      std::vector<Panel> one;
      one.push_back(std::move(all[i]));
      film(one, file);
      wrote(file);
    }
  }
}

void Films::write_adaptation(const PolicyEvaluation& evaluation, int64_t task,
                             const std::filesystem::path& file) const {
  check(evaluation);
  std::vector<Batch> batches;
  for (const int64_t step : config_.steps) batches.push_back({task, step});
  film(panels(evaluation, batches), file);
}

void Films::write_figure(const PolicyEvaluation& evaluation, const std::filesystem::path& file) const {
  check(evaluation);
  const PanelPainter painter;
  std::vector<Batch> batches;
  for (int64_t t = 0; t < static_cast<int64_t>(evaluation.tasks.size()); ++t) {
    for (const int64_t step : config_.steps) batches.push_back({t, step});
  }
  const auto renderers = drawing_->renderers(evaluation, batches, kFigurePixels);
  std::vector<cv::Mat> pictures;
  for (size_t i = 0; i < batches.size(); ++i) {
    const auto [t, step] = batches[i];
    pictures.push_back(painter.panel(
        renderers[i]->whole(),
        {.title = step_title(step, evaluation.of_trials),
         .subtitle = subtitle(evaluation, t),
         .left = concat("mean return of ", at_step(evaluation, step).per_task()),
         .right = figure(evaluation.tasks[static_cast<size_t>(t)].returns[static_cast<size_t>(step)])}));
  }
  cv::Mat picture = in_rows(pictures, config_.steps.size());
  const auto entries = renderers.front()->legend();
  if (!entries.empty()) picture = in_rows({picture, legend(entries, picture.cols)}, 1);
  write_picture(file, picture);
}

std::vector<Films::Panel> Films::panels(const PolicyEvaluation& evaluation,
                                        const std::vector<Batch>& batches) const {
  auto renderers = drawing_->renderers(evaluation, batches, kFilmPixels);
  std::vector<Panel> panels;
  for (size_t i = 0; i < batches.size(); ++i)
    panels.emplace_back(*this, evaluation, batches[i], std::move(renderers[i]));
  return panels;
}

void Films::film(const std::vector<Panel>& panels, const std::filesystem::path& file) const {
  const PanelPainter painter;
  int64_t frames = 0;
  for (const auto& panel : panels) frames = std::max(frames, panel.frames());
  const auto entries = panels.front().renderer().legend();
  std::unique_ptr<Video> video;
  cv::Mat picture, below;
  for (int64_t t = 0; t < frames; ++t) {
    std::vector<cv::Mat> pictures;
    for (const auto& panel : panels) pictures.push_back(panel.draw(painter, t));
    picture = in_rows(pictures, static_cast<size_t>(std::max(1, kFilmWidth / pictures[0].cols)));
    if (below.empty() && !entries.empty()) below = legend(entries, picture.cols);
    if (!below.empty()) picture = in_rows({picture, below}, 1);
    if (!video) video = std::make_unique<Video>(file, picture.size(), fps_, config_.quality);
    video->add(picture);
  }
  for (int64_t held = 0; held < std::lround(kHoldSeconds * fps_); ++held) video->add(picture);
  video->finish();
}

void Films::check(const PolicyEvaluation& evaluation) const {
  require(!config_.steps.empty(), "no gradient steps to film");
  for (const int64_t step : config_.steps) at_step(evaluation, step);
}

std::string Films::subtitle(const PolicyEvaluation& evaluation, int64_t t) const {
  const auto& task = evaluation.tasks[static_cast<size_t>(t)].task;
  return concat(environment_->spec().name, " \u00b7 task ", t + 1, " \u00b7 ",
                true_minus(environment_->task_text(task)));
}

}  // namespace innerloop
