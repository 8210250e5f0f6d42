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

// A model whose geoms collide in listed pairs only is spared the search for others, which costs 7 % of a
// half-cheetah's time step in MuJoCo 2.2.2. Later versions see it by themselves and have no such option.
template <class Model>
void search_no_pairs(Model& model) {
  if constexpr (requires { model.opt.collision; }) {
    bool listed = model.npair > 0;
    for (int g = 0; g < model.ngeom; ++g) listed &= (model.geom_contype[g] | model.geom_conaffinity[g]) == 0;
    if (listed) model.opt.collision = 1;  // mjCOL_PAIR
  }
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
    mjModel* const loaded = mj_loadXML(path.c_str(), nullptr, message, sizeof message);
    require(loaded != nullptr, "cannot load the MuJoCo model '", path, "': ", message);
    search_no_pairs(*loaded);
    model.reset(loaded, [](const mjModel* m) { mj_deleteModel(const_cast<mjModel*>(m)); });
  }
  return model;
}

MujocoSimulation::MujocoSimulation(std::shared_ptr<const mjModel> model)
    : model_(std::move(model)), memory_(std::make_shared<Memory>()) {
  memory_->data.reset(mj_makeData(model_.get()));
  require(memory_->data != nullptr, "MuJoCo cannot allocate the state of a simulation");
  memory_->holder = this;
}

MujocoSimulation::MujocoSimulation(const MujocoSimulation& other)
    : model_(other.model_), memory_(other.memory_), state_(other.state()) {}

MujocoSimulation::~MujocoSimulation() {
  if (memory_->holder == this) memory_->holder = nullptr;
}

template <typename Visit>
void MujocoSimulation::for_each_array(Visit visit) const {
  mjData& d = *memory_->data;
  visit(&d.time, 1);
  visit(d.qpos, model_->nq);
  visit(d.qvel, model_->nv);
  visit(d.act, model_->na);
  visit(d.ctrl, model_->nu);
  visit(d.qacc_warmstart, model_->nv);
}

const MujocoSimulation::State& MujocoSimulation::state() const {
  if (memory_->holder != this) return state_;
  state_.numbers.resize(static_cast<size_t>(1 + model_->nq + 2 * model_->nv + model_->na + model_->nu));
  mjtNum* next = state_.numbers.data();
  for_each_array([&](const mjtNum* values, int64_t count) { next = std::copy_n(values, count, next); });
  std::copy_n(memory_->data->warning, state_.warnings.size(), state_.warnings.begin());
  return state_;
}

void MujocoSimulation::exchange() const {
  mjData& d = *memory_->data;
  if (memory_->holder != nullptr) memory_->holder->state();
  const mjtNum* next = state_.numbers.data();
  for_each_array([&](mjtNum* values, int64_t count) {
    std::copy_n(next, count, values);
    next += count;
  });
  std::copy_n(state_.warnings.begin(), state_.warnings.size(), d.warning);
  memory_->holder = this;
  memory_->forwarded = false;
}

void MujocoSimulation::reset() {
  mj_resetData(model_.get(), &take());
  memory_->forwarded = false;
}

void MujocoSimulation::forward() {
  mjData& d = take();
  mj_forward(model_.get(), &d);
  memory_->forwarded = true;
  qpos_.assign(d.qpos, d.qpos + model_->nq);
  qvel_.assign(d.qvel, d.qvel + model_->nv);
  act_.assign(d.act, d.act + model_->na);
}

bool MujocoSimulation::is_forwarded() const {
  const mjData& d = take();
  return memory_->forwarded && std::equal(qpos_.begin(), qpos_.end(), d.qpos) &&
         std::equal(qvel_.begin(), qvel_.end(), d.qvel) && std::equal(act_.begin(), act_.end(), d.act);
}

bool MujocoSimulation::step(int count) {
  mjData& d = take();
  int done = 0;
  if (count > 0 && model_->opt.integrator == mjINT_RK4 && is_forwarded()) {
    // mj_step, less what depends on positions and velocities only (mjSTAGE_POS, mjSTAGE_VEL).
    mj_forwardSkip(model_.get(), &d, mjSTAGE_VEL, 0);
    mj_checkAcc(model_.get(), &d);
    mj_RungeKutta(model_.get(), &d, 4);
    done = 1;
  }
  memory_->forwarded = false;
  for (int k = done; k < count; ++k) mj_step(model_.get(), &d);
  bool warned = false;
  for (const auto& warning : d.warning) warned |= warning.number > 0;
  return !warned && is_sane(d.qpos, model_->nq) && is_sane(d.qvel, model_->nv);
}

std::string MujocoSimulation::trouble() const {
  const mjData& d = take();
  for (int k = 0; k < mjNWARNING; ++k) {
    const auto& warning = d.warning[k];
    if (warning.number > 0) return concat("MuJoCo warns: ", mju_warningText(k, warning.lastinfo));
  }
  if (!is_sane(d.qpos, model_->nq)) return "a position is not finite or beyond 10^6";
  if (!is_sane(d.qvel, model_->nv)) return "a velocity is not finite or beyond 10^6";
  return "";
}

}  // namespace innerloop
