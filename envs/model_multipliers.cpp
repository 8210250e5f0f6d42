#include "envs/model_multipliers.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"

namespace innerloop {
namespace {

constexpr double kLogLimit = 3, kMassBase = 1.5, kDampingBase = 1.3;

std::string name_of(const mjModel& model, mjtObj kind, int id) {
  const char* name = mj_id2name(&model, kind, id);
  return name == nullptr || *name == '\0' ? concat(id) : name;
}

}  // namespace

ModelMultipliers::ModelMultipliers(std::shared_ptr<const mjModel> original)
    : original_(std::move(original)), model_(mj_copyModel(nullptr, original_.get()), mj_deleteModel) {
  require(model_ != nullptr, "MuJoCo cannot copy a model");
  const mjModel& from = *original_;
  mjModel& to = *model_;
  constexpr std::array<const char*, 3> kAxes{"x", "y", "z"}, kFrictions{"slide", "spin", "roll"};
  for (int b = 0; b < from.nbody; ++b) {
    add(from.body_mass + b, to.body_mass + b, concat("mass_", name_of(from, mjOBJ_BODY, b)), kMassBase);
  }
  for (int b = 0; b < from.nbody; ++b) {
    for (int k = 0; k < 3; ++k) {
      add(from.body_inertia + 3 * b + k, to.body_inertia + 3 * b + k,
          concat("inertia_", kAxes[static_cast<size_t>(k)], "_", name_of(from, mjOBJ_BODY, b)), kMassBase);
    }
  }
  for (int g = 0; g < from.ngeom; ++g) {
    for (int k = 0; k < 3; ++k) {
      add(from.geom_friction + 3 * g + k, to.geom_friction + 3 * g + k,
          concat("friction_", kFrictions[static_cast<size_t>(k)], "_", name_of(from, mjOBJ_GEOM, g)),
          kMassBase);
    }
  }
  for (int d = 0; d < from.nv; ++d) {
    add(from.dof_damping + d, to.dof_damping + d,
        concat("damping_", name_of(from, mjOBJ_JOINT, from.dof_jntid[d])), kDampingBase);
  }
}

void ModelMultipliers::add(const mjtNum* original, mjtNum* own, const std::string& name, double base) {
  if (*original == 0) return;
  elements_.push_back({original, own, base});
  names_.push_back(name);
}

Eigen::VectorXd ModelMultipliers::sample(Stream& stream) const {
  Eigen::VectorXd multipliers(static_cast<Eigen::Index>(elements_.size()));
  for (size_t k = 0; k < elements_.size(); ++k) {
    multipliers[static_cast<Eigen::Index>(k)] =
        std::pow(elements_[k].base, stream.uniform(-kLogLimit, kLogLimit));
  }
  return multipliers;
}

void ModelMultipliers::apply(const Eigen::VectorXd& multipliers) {
  require(multipliers.size() == static_cast<Eigen::Index>(elements_.size()), multipliers.size(),
          " multipliers found, expected ", elements_.size());
  for (size_t k = 0; k < elements_.size(); ++k) {
    const double multiplier = multipliers[static_cast<Eigen::Index>(k)];
    require(multiplier > 0, "multiplier ", names_[k], " is ", multiplier, ", expected a number above 0");
    *elements_[k].own = *elements_[k].original * multiplier;
  }
  mjModel& model = *model_;
  std::copy_n(model.body_mass, model.nbody, model.body_subtreemass);
  for (int64_t b = model.nbody - 1; b > 0; --b) {  // a body's number is above its parent's
    model.body_subtreemass[model.body_parentid[b]] += model.body_subtreemass[b];
  }
}

}  // namespace innerloop
