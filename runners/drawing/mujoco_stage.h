// Pictures of a MuJoCo model, drawn without a display: one OpenGL context with the model's meshes and
// textures in it, for as many pictures and films as use that model.
#pragma once

#include <mujoco/mujoco.h>

#include <Eigen/Geometry>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "runners/drawing/gl_context.h"

namespace innerloop {

struct MujocoPicture {
  std::vector<Eigen::VectorXd> poses;  // qpos; all are drawn, the last in full and the others faint
  std::vector<mjvGeom> marks;          // what is not of the model
  mjvCamera camera;
};

class MujocoStage {
 public:
  // Error if no OpenGL context can be made (with what was tried), or the driver cannot draw pictures of this
  // size.
  MujocoStage(const mjModel& model, cv::Size size);
  ~MujocoStage();
  MujocoStage(const MujocoStage&) = delete;
  MujocoStage& operator=(const MujocoStage&) = delete;

  cv::Size size() const { return size_; }
  const std::string& renderer() const { return context_->description(); }  // of OpenGL

  // The model's camera `track` if it has one, or one that goes with the body: from the side, a little above.
  mjvCamera tracking_camera() const;
  // One that stands and sees the region (metres), from the side if it is flat in y, else from above.
  mjvCamera standing_camera(const Eigen::AlignedBox3d& region) const;
  // The centre of mass of all that moves, in metres.
  Eigen::Vector3d centre(const Eigen::VectorXd& qpos);

  cv::Mat draw(const MujocoPicture& picture);  // 8-bit BGR

 private:
  void pose(const Eigen::VectorXd& qpos);

  struct DeleteModel {
    void operator()(mjModel* m) const { mj_deleteModel(m); }
  };
  struct DeleteData {
    void operator()(mjData* d) const { mj_deleteData(d); }
  };
  cv::Size size_;
  std::unique_ptr<mjModel, DeleteModel> model_;  // a copy: the size of the picture is part of the model
  std::unique_ptr<mjData, DeleteData> data_;
  std::unique_ptr<GlContext> context_;
  mjvOption option_;
  mjvScene scene_;
  mjrContext renderer_;
  cv::Mat bottom_up_;
};

// Something to put into a picture. `size` is MuJoCo's: half-sides of a box; radius of a sphere; radius and
// half-length of a cylinder; width, width and length of an arrow, which starts at `position`. `axis` is where
// its z points.
mjvGeom make_mark(mjtGeom type, const Eigen::Vector3d& size, const Eigen::Vector3d& position,
                  const Eigen::Vector4f& rgba, const Eigen::Vector3d& axis = Eigen::Vector3d::UnitZ());

}  // namespace innerloop
