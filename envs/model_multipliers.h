// A model of one's own whose physical constants are those of another one, times the entries of a task: the
// "rand params" families (rand_param_envs; used by PEARL, ProMP and variBAD).
//
// One multiplier for every element, other than 0, of
//   body_mass, body_inertia, geom_friction  1.5^U(-3, 3), from 0.296 to 3.375
//   dof_damping                             1.3^U(-3, 3), from 0.455 to 2.197
// in this order: "mass_BODY"; "inertia_x_BODY", _y, _z (about the body's own axes); "friction_slide_GEOM",
// _spin, _roll; "damping_JOINT". Between two geoms MuJoCo takes the larger friction of the two.
//
// mj_setConst is not called, as in the source: it would also renew the weights by which MuJoCo softens
// contacts and limits (body_invweight0, dof_invweight0), and so make another distribution of tasks. The
// masses of subtrees (body_subtreemass), which a tracking camera needs to find the centre of mass, are
// renewed here.
#pragma once

#include <mujoco/mujoco.h>

#include <Eigen/Core>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"

namespace innerloop {

class ModelMultipliers {
 public:
  // The own model starts as a copy of `original`, which stays as it is.
  explicit ModelMultipliers(std::shared_ptr<const mjModel> original);

  const std::vector<std::string>& names() const { return names_; }
  Eigen::VectorXd sample(Stream& stream) const;
  // Sets every constant from the original's, so that nothing of an earlier task stays. Error for a multiplier
  // that is not above 0. (One the range cannot give is taken: a study may go beyond it.)
  void apply(const Eigen::VectorXd& multipliers);
  // May be changed in what is not multiplied, before a simulation uses it.
  const std::shared_ptr<mjModel>& model() const { return model_; }

 private:
  struct Element {
    const mjtNum* original;
    mjtNum* own;
    double base;  // of the power that is its multiplier
  };
  void add(const mjtNum* original, mjtNum* own, const std::string& name, double base);

  std::shared_ptr<const mjModel> original_;
  std::shared_ptr<mjModel> model_;
  std::vector<Element> elements_;
  std::vector<std::string> names_;
};

}  // namespace innerloop
