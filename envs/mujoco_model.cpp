#include "envs/mujoco_model.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <mutex>

#include "base/error.h"
#include "base/paths.h"

namespace innerloop {
namespace {

constexpr double kHuge = 1e6;  // metres, radians and their rates; MuJoCo itself objects at 1e10

bool is_sane(const mjtNum* values, int64_t count) {
  bool sane = true;
  for (int64_t k = 0; k < count; ++k) sane &= std::abs(values[k]) <= kHuge;  // false for NaN
  return sane;
}

[[noreturn]] void throw_error(const char* message) { throw Error(concat("MuJoCo: ", message)); }
void ignore_warning(const char*) {}

// The functions of a process, not of a model: without them an error is exit(1).
void install_handlers() {
  require(mj_version() == mjVERSION_HEADER, "built for MuJoCo ", mjVERSION_HEADER, ", but the library is ",
          mj_version(), " (", mj_versionString(), "); build again, or run with the library of the build");
  mju_user_error = throw_error;
  mju_user_warning = ignore_warning;
}

}  // namespace

std::shared_ptr<const mjModel> mujoco_model(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const mjModel>> models;
  const std::lock_guard lock(mutex);  // held while compiling: MuJoCo's compiler is not for several threads
  if (models.empty()) install_handlers();
  const std::string path = (data_directory() / "assets" / (name + ".xml")).string();
  auto& model = models[path];
  if (model == nullptr) {
    char message[1000] = "";
    model.reset(mj_loadXML(path.c_str(), nullptr, message, sizeof message),
                [](const mjModel* m) { mj_deleteModel(const_cast<mjModel*>(m)); });
    require(model != nullptr, "cannot load the MuJoCo model '", path, "': ", message);
  }
  return model;
}

MujocoSimulation::MujocoSimulation(std::shared_ptr<const mjModel> model)
    : model_(std::move(model)), data_(mj_makeData(model_.get())) {
  require(data_ != nullptr, "MuJoCo cannot allocate the state of a simulation");
}

void MujocoSimulation::reset() {
  mj_resetData(model_.get(), data_.get());
  forwarded_ = false;
}

void MujocoSimulation::forward() {
  mj_forward(model_.get(), data_.get());
  forwarded_ = true;
  qpos_.assign(data_->qpos, data_->qpos + model_->nq);
  qvel_.assign(data_->qvel, data_->qvel + model_->nv);
  act_.assign(data_->act, data_->act + model_->na);
}

bool MujocoSimulation::is_forwarded() const {
  return forwarded_ && std::equal(qpos_.begin(), qpos_.end(), data_->qpos) &&
         std::equal(qvel_.begin(), qvel_.end(), data_->qvel) &&
         std::equal(act_.begin(), act_.end(), data_->act);
}

bool MujocoSimulation::step(int count) {
  int done = 0;
  if (count > 0 && model_->opt.integrator == mjINT_RK4 && is_forwarded()) {
    // mj_step, less what depends on positions and velocities only (mjSTAGE_POS, mjSTAGE_VEL).
    mj_forwardSkip(model_.get(), data_.get(), mjSTAGE_VEL, 0);
    mj_checkAcc(model_.get(), data_.get());
    mj_RungeKutta(model_.get(), data_.get(), 4);
    done = 1;
  }
  forwarded_ = false;
  for (int k = done; k < count; ++k) mj_step(model_.get(), data_.get());
  bool warned = false;
  for (const auto& warning : data_->warning) warned |= warning.number > 0;
  return !warned && is_sane(data_->qpos, model_->nq) && is_sane(data_->qvel, model_->nv);
}

std::string MujocoSimulation::trouble() const {
  for (int k = 0; k < mjNWARNING; ++k) {
    const auto& warning = data_->warning[k];
    if (warning.number > 0) return concat("MuJoCo warns: ", mju_warningText(k, warning.lastinfo));
  }
  if (!is_sane(data_->qpos, model_->nq)) return "a position is not finite or beyond 10^6";
  if (!is_sane(data_->qvel, model_->nv)) return "a velocity is not finite or beyond 10^6";
  return "";
}

}  // namespace innerloop
