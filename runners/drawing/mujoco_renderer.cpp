#include "runners/drawing/mujoco_renderer.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "runners/drawing/panel.h"

namespace innerloop {
namespace {

using Kind = TaskMark::Kind;

constexpr int kStrobes = 6;            // animals in a picture of a whole trajectory
constexpr double kSpeedSeconds = 0.1;  // over which a speed is taken: a stride's ups and downs stay visible
constexpr double kHeight = 1.3, kLeastWidth = 5;  // metres that a picture of a whole trajectory shows
constexpr double kStandoff = 0.45;  // metres that a post is behind the plane in which the animal runs
const Eigen::Vector4f kMark(0.15f, 0.75f, 0.30f, 0.55f), kMarkFoot(0.15f, 0.75f, 0.30f, 0.9f);
const Eigen::Vector4f kPath(0.12f, 0.36f, 0.80f, 0.6f);

// A translucent post with a stripe on the floor across the track.
void add_post(std::vector<mjvGeom>& marks, const Eigen::Vector2d& at) {
  marks.push_back(make_mark(mjGEOM_CYLINDER, {0.035, 0.6, 0}, {at.x(), at.y(), 0.6}, kMark));
  marks.push_back(make_mark(mjGEOM_SPHERE, {0.07, 0.07, 0.07}, {at.x(), at.y(), 1.24}, kMarkFoot));
  marks.push_back(make_mark(mjGEOM_CYLINDER, {0.16, 0.004, 0}, {at.x(), at.y(), 0.004}, kMarkFoot));
}

Eigen::Vector3d above_floor(const Eigen::Vector2d& point, double height) {
  return {point.x(), point.y(), height};
}

}  // namespace

MujocoRenderer::MujocoRenderer(std::shared_ptr<MujocoStage> stage, std::vector<Eigen::VectorXd> states,
                               const TaskMark& mark, double step_seconds)
    : stage_(std::move(stage)), states_(std::move(states)), mark_(mark), step_seconds_(step_seconds) {
  require(!states_.empty(), "cannot film a trajectory without states");
  require(step_seconds > 0, "cannot film steps of ", step_seconds, " seconds, expected more than 0");
  for (const auto& state : states_) centres_.push_back(stage_->centre(state));
}

cv::Mat MujocoRenderer::frame(int64_t t) const {
  require(t >= 0 && t < frames(), "frame ", t, " of a film of ", frames(), " frames");
  return stage_->draw({{states_[static_cast<size_t>(t)]}, marks(t), stage_->tracking_camera()});
}

cv::Mat MujocoRenderer::whole() const {
  Eigen::AlignedBox3d region;
  for (const auto& point : centres_) region.extend(point);
  region.extend(above_floor(region.center().head<2>(), 0));
  if (mark_.kind == Kind::kGoal) region.extend(above_floor(mark_.value, 0));
  region.extend(above_floor(region.center().head<2>(), kHeight));
  const Eigen::Vector3d margin(1, 0.2, 0.1);
  region = {region.min() - margin, region.max() + margin};
  // Short ways are not enlarged, so that before and after can be compared.
  const double missing = std::max(0.0, kLeastWidth - region.sizes().x()) / 2;
  region = {region.min() - missing * Eigen::Vector3d::UnitX(),
            region.max() + missing * Eigen::Vector3d::UnitX()};
  MujocoPicture picture{{}, marks(frames() - 1), stage_->standing_camera(region)};
  const int64_t last = frames() - 1, count = std::min<int64_t>(kStrobes, frames());
  for (int64_t i = 0; i < count; ++i)
    picture.poses.push_back(states_[static_cast<size_t>(count == 1 ? last : last * i / (count - 1))]);
  const int64_t dots = std::min<int64_t>(last, 100);
  for (int64_t i = 0; i < dots; ++i)
    picture.marks.push_back(make_mark(mjGEOM_SPHERE, {0.02, 0.02, 0.02}, centre(last * i / dots), kPath));
  return stage_->draw(picture);
}

std::string MujocoRenderer::figures(int64_t t) const {
  if (mark_.kind == Kind::kGoal)
    return figure((centre(t).head<2>() - mark_.value).norm()) + " m from the goal";
  const auto steps = std::min(t, std::max<int64_t>(1, std::lround(kSpeedSeconds / step_seconds_)));
  const double velocity =
      steps == 0 ? 0 : (centre(t) - centre(t - steps)).x() / (static_cast<double>(steps) * step_seconds_);
  const std::string asked =
      mark_.kind == Kind::kVelocity ? concat(" of ", figure(mark_.value.x()), " asked") : "";
  return concat(figure(std::abs(velocity)), " m/s ", velocity < 0 ? "backward" : "forward", asked);
}

std::vector<LegendEntry> MujocoRenderer::legend() const {
  using Symbol = LegendEntry::Symbol;
  const cv::Scalar green(60, 160, 40);  // BGR
  switch (mark_.kind) {
    case Kind::kVelocity:
      return {{Symbol::kBox, green, "post that runs at the velocity asked for"}};
    case Kind::kDirection:
      return {{Symbol::kBox, green, "the direction asked for"}};
    case Kind::kGoal:
      return {{Symbol::kBox, green, "the goal"}};
    case Kind::kNone:
      break;
  }
  return {};
}

std::vector<mjvGeom> MujocoRenderer::marks(int64_t t) const {
  std::vector<mjvGeom> marks;
  const Eigen::Vector2d start = centre(0).head<2>(), now = centre(t).head<2>();
  switch (mark_.kind) {
    case Kind::kNone:
      break;
    case Kind::kVelocity:
      add_post(marks,
               start + static_cast<double>(t) * step_seconds_ * mark_.value + Eigen::Vector2d(0, kStandoff));
      break;
    case Kind::kDirection: {
      const Eigen::Vector3d along = above_floor(mark_.value.normalized(), 0);
      marks.push_back(make_mark(mjGEOM_ARROW, {0.03, 0.03, 0.9}, above_floor(now, 1.15) - 0.45 * along,
                                kMarkFoot, along));
      break;
    }
    case Kind::kGoal:
      add_post(marks, mark_.value);
      break;
  }
  return marks;
}

}  // namespace innerloop
