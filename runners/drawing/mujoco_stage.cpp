#include "runners/drawing/mujoco_stage.h"

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

#include "base/error.h"

namespace innerloop {
namespace {

constexpr int kSpareGeoms = 2000;  // for ghosts and marks
constexpr float kGhost = 0.25f;    // opacity
// A picture without a GPU takes 8 ms of a core at 640 x 480, with shadows 17; four samples a pixel would
// double that, and reflections do so too.
constexpr int kSamples = 0, kShadowSize = 2048;

constexpr double kSideDistance = 3, kSideElevation = -17, kObliqueElevation = -40;  // metres, degrees

}  // namespace

MujocoStage::MujocoStage(const mjModel& model, cv::Size size) : size_(size) {
  require(size.width > 0 && size.height > 0, "cannot draw pictures of ", size.width, " x ", size.height);
  model_.reset(mj_copyModel(nullptr, &model));
  require(model_ != nullptr, "MuJoCo cannot copy the model to draw");
  model_->vis.global.offwidth = size.width;
  model_->vis.global.offheight = size.height;
  model_->vis.quality.offsamples = kSamples;
  model_->vis.quality.shadowsize = kShadowSize;
  data_.reset(mj_makeData(model_.get()));
  require(data_ != nullptr, "MuJoCo cannot allocate the state of a simulation");
  context_ = make_gl_context();
  mjv_defaultOption(&option_);
  mjv_defaultScene(&scene_);
  mjr_defaultContext(&renderer_);
  try {
    mjv_makeScene(model_.get(), &scene_, static_cast<int>(model_->ngeom) + kSpareGeoms);
    mjr_makeContext(model_.get(), &renderer_, mjFONTSCALE_100);
    mjr_setBuffer(mjFB_OFFSCREEN, &renderer_);
    require(renderer_.currentBuffer == mjFB_OFFSCREEN && renderer_.offWidth == size.width &&
                renderer_.offHeight == size.height,
            "OpenGL (", renderer(), ") cannot draw pictures of ", size.width, " x ", size.height,
            "; try smaller ones");
  } catch (...) {
    mjr_freeContext(&renderer_);
    mjv_freeScene(&scene_);
    throw;
  }
  scene_.flags[mjRND_REFLECTION] = 0;
  scene_.flags[mjRND_SHADOW] = 1;
  bottom_up_.create(size, CV_8UC3);
}

MujocoStage::~MujocoStage() {
  try {
    context_->make_current();
    mjr_freeContext(&renderer_);
  } catch (const std::exception&) {  // the driver takes back what it gave at the end of the process
  }
  mjv_freeScene(&scene_);
}

mjvCamera MujocoStage::tracking_camera() const {
  mjvCamera camera;
  mjv_defaultCamera(&camera);
  const int own = mj_name2id(model_.get(), mjOBJ_CAMERA, "track");
  if (own >= 0) {
    camera.type = mjCAMERA_FIXED;
    camera.fixedcamid = own;
    return camera;
  }
  const int torso = mj_name2id(model_.get(), mjOBJ_BODY, "torso");
  camera.type = mjCAMERA_TRACKING;
  camera.trackbodyid = torso >= 0 ? torso : (model_->nbody > 1 ? 1 : 0);
  camera.distance = kSideDistance;
  camera.azimuth = 90;  // looks along y
  camera.elevation = kSideElevation;
  return camera;
}

mjvCamera MujocoStage::standing_camera(const Eigen::AlignedBox3d& region) const {
  mjvCamera camera;
  mjv_defaultCamera(&camera);
  camera.type = mjCAMERA_FREE;
  camera.azimuth = 90;
  const Eigen::Vector3d extent = region.sizes(), centre = region.center();
  // What moves in a plane is seen from its side, what moves on the floor from above.
  camera.elevation = extent.y() < 1.0 ? kSideElevation : kObliqueElevation;
  const double tilt = -camera.elevation * std::numbers::pi / 180;
  const double height = extent.y() * std::sin(tilt) + extent.z() * std::cos(tilt);
  const double aspect = static_cast<double>(size_.width) / size_.height;
  const double seen = 2 * std::tan(model_->vis.global.fovy * std::numbers::pi / 360);  // at distance 1
  camera.distance = std::max(extent.x() / aspect, height) / seen + extent.y() / 2 * std::cos(tilt);
  for (int k = 0; k < 3; ++k) camera.lookat[k] = centre[k];
  return camera;
}

Eigen::Vector3d MujocoStage::centre(const Eigen::VectorXd& qpos) {
  pose(qpos);
  return Eigen::Map<const Eigen::Vector3d>(data_->subtree_com);
}

cv::Mat MujocoStage::draw(const MujocoPicture& picture) {
  require(!picture.poses.empty(), "a picture of a MuJoCo model without a pose");
  context_->make_current();
  mjvCamera camera = picture.camera;
  pose(picture.poses.back());
  mjv_updateScene(model_.get(), data_.get(), &option_, nullptr, &camera, mjCAT_ALL, &scene_);
  const int first_ghost = scene_.ngeom;
  for (size_t i = 0; i + 1 < picture.poses.size(); ++i) {
    pose(picture.poses[i]);
    mjv_addGeoms(model_.get(), data_.get(), &option_, nullptr, mjCAT_DYNAMIC, &scene_);
  }
  for (int i = first_ghost; i < scene_.ngeom; ++i) scene_.geoms[i].rgba[3] *= kGhost;
  for (const mjvGeom& mark : picture.marks) {
    if (scene_.ngeom < scene_.maxgeom) scene_.geoms[scene_.ngeom++] = mark;
  }
  const mjrRect all{0, 0, size_.width, size_.height};
  mjr_setBuffer(mjFB_OFFSCREEN, &renderer_);
  mjr_render(all, &scene_, &renderer_);
  mjr_readPixels(bottom_up_.data, nullptr, all, &renderer_);
  cv::Mat image;
  cv::flip(bottom_up_, image, 0);
  cv::cvtColor(image, image, cv::COLOR_RGB2BGR);
  return image;
}

void MujocoStage::pose(const Eigen::VectorXd& qpos) {
  require(qpos.size() == model_->nq, "a pose of ", qpos.size(), " positions for a MuJoCo model of ",
          model_->nq);
  Eigen::Map<Eigen::VectorXd>(data_->qpos, qpos.size()) = qpos;
  mj_kinematics(model_.get(), data_.get());
  mj_comPos(model_.get(), data_.get());
  mj_camlight(model_.get(), data_.get());
}

mjvGeom make_mark(mjtGeom type, const Eigen::Vector3d& size, const Eigen::Vector3d& position,
                  const Eigen::Vector4f& rgba, const Eigen::Vector3d& axis) {
  const Eigen::Matrix<double, 3, 3, Eigen::RowMajor> turn =
      Eigen::Quaterniond::FromTwoVectors(Eigen::Vector3d::UnitZ(), axis).toRotationMatrix();
  mjvGeom mark;
  mjv_initGeom(&mark, type, size.data(), position.data(), turn.data(), rgba.data());
  mark.category = mjCAT_DECOR;
  return mark;
}

}  // namespace innerloop
