// MuJoCo's two structs with owners: a compiled model, constant and shared by every environment and thread,
// and the state of one simulation. Built and tested with MuJoCo 2.2.2 (Debian's) and 4.0.0.
//
// From the first model on, MuJoCo neither ends the process nor writes to the terminal or to MUJOCO_LOG.TXT:
// its errors are thrown as Error from the call that fails, its warnings stay in the simulation's state.
#pragma once

#include <mujoco/mujoco.h>

#include <memory>
#include <string>
#include <vector>

namespace innerloop {

// The model assets/NAME.xml of data_directory(), compiled when first asked for and then the same object for
// the life of the process. Any thread may call. Throws Error with the file and MuJoCo's words.
std::shared_ptr<const mjModel> mujoco_model(const std::string& name);

class MujocoSimulation {
 public:
  explicit MujocoSimulation(std::shared_ptr<const mjModel> model);

  const mjModel& model() const { return *model_; }
  mjData& data() { return *data_; }
  const mjData& data() const { return *data_; }

  // The model's initial state, and nothing left of what was before: warm start, time, controls and warnings
  // are cleared too. Derived quantities are not computed yet.
  void reset();

  // mj_forward. A step() from the same positions and velocities takes over what is known of them by this, so
  // that a Runge-Kutta step after forward() costs little more than without. It is the step of mj_step but for
  // rounding, where there are quaternions (MuJoCo 2 makes them of length 1 again at each mj_forward).
  void forward();

  // `count` times mj_step under the controls in data(). False if the simulation diverged: an entry of qpos or
  // qvel is not finite or beyond 10^6, or MuJoCo gave a warning since the last reset (it resets its own state
  // at some of them). Then data() is of no use, and only reset() makes it so again.
  [[nodiscard]] bool step(int count);

  // Why step() returned false; empty if all is well.
  std::string trouble() const;

 private:
  struct Delete {
    void operator()(mjData* data) const { mj_deleteData(data); }
  };
  bool is_forwarded() const;  // nothing has changed since the last forward()

  std::shared_ptr<const mjModel> model_;
  std::unique_ptr<mjData, Delete> data_;
  bool forwarded_ = false;                 // since the last step
  std::vector<mjtNum> qpos_, qvel_, act_;  // of the last forward()
};

}  // namespace innerloop
