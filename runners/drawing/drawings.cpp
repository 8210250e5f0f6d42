#include "runners/drawing/drawings.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "envs/mujoco_scene.h"
#include "envs/planar.h"
#include "envs/registry.h"
#include "runners/drawing/draw_planar.h"
#include "runners/drawing/draw_series.h"
#include "runners/drawing/mujoco_renderer.h"
#include "runners/drawing/replay.h"

namespace innerloop {
namespace {

using Renderers = std::vector<std::unique_ptr<TrajectoryRenderer>>;

// A picture of 4 to 3, as large as the configuration says.
cv::Size four_to_three(const DrawingConfig& config) {
  const auto even = [](int64_t side) { return static_cast<int>(side + side % 2); };
  if (config.width == 0 && config.height == 0) return {640, 480};
  return {config.width > 0 ? config.width : even(int64_t{config.height} * 4 / 3),
          config.height > 0 ? config.height : even(int64_t{config.width} * 3 / 4)};
}

class PlanarDrawing : public TrajectoryDrawing {
 public:
  explicit PlanarDrawing(const DrawingConfig& config) : config_(config) {}

  Renderers renderers(const PolicyEvaluation& evaluation, const std::vector<Batch>& batches,
                      int pixels) const override {
    std::vector<std::vector<Poses>> poses;
    std::vector<PlanarScene> scenes;
    std::vector<Poses> filmed;
    for (const auto& batch : batches) {
      const auto environment = make_environment(config_.environment);
      poses.push_back(poses_of(*environment, evaluation, batch));
      scenes.push_back(planar(*environment)->scene());
      filmed.push_back(poses.back()[kFilmed]);
    }
    Eigen::AlignedBox2d arena;
    for (const auto& scene : scenes) arena.extend(fitted_arena(scene, filmed));
    const int64_t horizon = make_environment(config_.environment)->spec().horizon;
    Renderers made;
    for (size_t i = 0; i < batches.size(); ++i) {
      scenes[i].arena = arena;
      made.push_back(std::make_unique<PlanarRenderer>(scenes[i], std::move(poses[i]), size_t{kFilmed},
                                                      horizon, fitting_pixels(arena, pixels)));
    }
    return made;
  }

 private:
  std::vector<Poses> poses_of(Environment& environment, const PolicyEvaluation& evaluation,
                              const Batch& batch) const {
    const Trajectories& trajectories = at_step(evaluation, batch.step);
    const Planar* drawn = planar(environment);
    std::vector<Poses> all;
    for (int64_t n = 0; n < trajectories.per_task(); ++n) {
      Poses& poses = all.emplace_back();
      replay(environment, evaluation, batch.task, n, batch.step, config_.seed,
             [&] { poses.push_back(drawn->pose()); });
    }
    return all;
  }

  // The longer side of a picture of `arena` that is at most as large as the configuration says.
  int fitting_pixels(const Eigen::AlignedBox2d& arena, int otherwise) const {
    if (config_.width == 0 && config_.height == 0) return otherwise;
    const Eigen::Vector2d shape = arena.sizes() / arena.sizes().maxCoeff();
    double pixels = std::numeric_limits<int>::max();
    if (config_.width > 0) pixels = std::min(pixels, config_.width / shape.x());
    if (config_.height > 0) pixels = std::min(pixels, config_.height / shape.y());
    return static_cast<int>(pixels);
  }

  DrawingConfig config_;
};

class MujocoDrawing : public TrajectoryDrawing {
 public:
  MujocoDrawing(const DrawingConfig& config, const MujocoScene& scene)
      : config_(config),
        stage_(std::make_shared<MujocoStage>(scene.simulation().model(), four_to_three(config))) {}

  Renderers renderers(const PolicyEvaluation& evaluation, const std::vector<Batch>& batches,
                      int) const override {
    Renderers made;
    for (const auto& batch : batches) {
      const auto environment = make_environment(config_.environment);
      auto states = states_of(*environment, evaluation, batch);
      made.push_back(std::make_unique<MujocoRenderer>(stage_, std::move(states),
                                                      mujoco_scene(*environment)->task_mark(),
                                                      environment->spec().step_seconds));
    }
    return made;
  }

  std::string opengl() const override { return stage_->renderer(); }
  double usual_speed() const override { return 0.5; }  // a gait is too fast to be judged in real time

 private:
  // qpos of the filmed trajectory, at the start and after every step.
  std::vector<Eigen::VectorXd> states_of(Environment& environment, const PolicyEvaluation& evaluation,
                                         const Batch& batch) const {
    const MujocoSimulation& simulation = mujoco_scene(environment)->simulation();
    std::vector<Eigen::VectorXd> states;
    replay(environment, evaluation, batch.task, kFilmed, batch.step, config_.seed, [&] {
      const Eigen::Map<const Eigen::VectorXd> positions(simulation.data().qpos, simulation.model().nq);
      // After a divergence there is nothing more to see.
      states.push_back(positions.allFinite() || states.empty() ? positions : states.back());
    });
    return states;
  }

  DrawingConfig config_;
  std::shared_ptr<MujocoStage> stage_;
};

class SeriesDrawing : public TrajectoryDrawing {
 public:
  SeriesDrawing(const DrawingConfig& config, const EnvironmentSpec& spec)
      : size_(four_to_three(config)), spec_(spec) {}

  Renderers renderers(const PolicyEvaluation& evaluation, const std::vector<Batch>& batches,
                      int) const override {
    std::vector<std::vector<Strip>> pictures;
    for (const auto& batch : batches)
      pictures.push_back(make_strips(spec_, at_step(evaluation, batch.step), batch.task));
    share_ranges(pictures);
    Renderers made;
    for (auto& strips : pictures)
      made.push_back(std::make_unique<SeriesRenderer>(std::move(strips), omitted_strips(spec_),
                                                      size_t{kFilmed}, spec_.horizon, size_));
    return made;
  }

 private:
  cv::Size size_;
  EnvironmentSpec spec_;
};

}  // namespace

std::unique_ptr<TrajectoryDrawing> make_drawing(const DrawingConfig& config) {
  const auto environment = make_environment(config.environment);
  if (const MujocoScene* scene = mujoco_scene(*environment))
    return std::make_unique<MujocoDrawing>(config, *scene);
  if (planar(*environment) != nullptr) return std::make_unique<PlanarDrawing>(config);
  return std::make_unique<SeriesDrawing>(config, environment->spec());
}

const Trajectories& at_step(const PolicyEvaluation& evaluation, int64_t step) {
  const auto kept = static_cast<int64_t>(evaluation.trajectories.size());
  require(step >= 0 && step < kept, "no trajectories of gradient step ", step,
          ": the evaluation kept steps 0 to ", kept - 1);
  return evaluation.trajectories[static_cast<size_t>(step)];
}

}  // namespace innerloop
