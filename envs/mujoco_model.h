// MuJoCo's two structs with owners: a compiled model, constant and shared by every environment and thread,
// and the state of one simulation. Built and tested with MuJoCo 2.2.2 (Debian's) and 4.0.0.
//
// From the first model on, MuJoCo neither ends the process nor writes to the terminal or to MUJOCO_LOG.TXT:
// its errors are thrown as Error from the call that fails, its warnings stay in the simulation's state.
#pragma once

#include <mujoco/mujoco.h>

#include <array>
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
  // A simulation in the same state, in the same mjData: whichever is used takes it over, which costs the
  // derived quantities of the one before it (a forward() is forgotten), but no bit of what its steps yield.
  // Half-cheetahs in turn run 1 to 2 % faster so than in an mjData each, of 250 kB. Only one thread at a time
  // may use any of them. The state is time, q, v, activations, controls, warm start and warnings: no applied
  // forces, no mocap.
  MujocoSimulation(const MujocoSimulation& other);
  ~MujocoSimulation();
  MujocoSimulation& operator=(const MujocoSimulation&) = delete;

  const mjModel& model() const { return *model_; }
  mjData& data() { return take(); }
  const mjData& data() const { return take(); }

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
  struct Memory {
    std::unique_ptr<mjData, Delete> data;
    const MujocoSimulation* holder = nullptr;  // whose state it is; null if that one is gone
    bool forwarded = false;                    // by forward() of the holder, since the last step
  };
  struct State {
    std::vector<mjtNum> numbers;
    std::array<mjWarningStat, mjNWARNING> warnings{};
  };
  mjData& take() const {  // the memory with this simulation's state in it
    if (memory_->holder != this) exchange();
    return *memory_->data;
  }
  void exchange() const;
  const State& state() const;  // brings state_ up to date
  // Calls visit(array of mjData, length) for all that a State's numbers hold, in their order.
  template <typename Visit>
  void for_each_array(Visit visit) const;
  bool is_forwarded() const;  // nothing has changed since the last forward()

  std::shared_ptr<const mjModel> model_;
  std::shared_ptr<Memory> memory_;
  mutable State state_;                    // of use while the memory is another's
  std::vector<mjtNum> qpos_, qvel_, act_;  // of the last forward()
};

}  // namespace innerloop
