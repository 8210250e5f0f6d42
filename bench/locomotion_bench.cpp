// Environment steps per second of the sampler, with the 100-100 Gaussian policy and with recurrent ones of 64
// units on a trial of one episode (RL^2), against what MuJoCo alone can do: a bare loop of mj_step over the
// same model, on the same number of threads.
//
//   locomotion_bench [REPETITIONS [ENVIRONMENT...]]     (default 41, one environment of each kind)
//
// Both take turns, so that a machine that slows down slows both; medians of steps/s and of the turns' ratios.
// The bare loop plays the random actions, and as many of them, that the untrained policy took in an earlier
// turn, each held for the environment's frame skip, from the model's start: an animal lies, stands and
// strikes its limits as often, which is what the cost of a time step depends on. It does nothing else, and
// each thread has one simulation there, twenty in the sampler.
#include <mujoco/mujoco.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "envs/mujoco_scene.h"
#include "envs/registry.h"
#include "envs/trial.h"
#include "policies/policy.h"
#include "sampling/sampler.h"

namespace {

using namespace innerloop;
using Clock = std::chrono::steady_clock;

constexpr int64_t kPerTask = 20;
constexpr double kSeconds = 0.1;  // about how long a turn takes

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

using Data = std::unique_ptr<mjData, decltype(&mj_deleteData)>;

struct BareLoop {
  const mjModel* model;
  int frame_skip;
  const Trajectories* played;
  std::vector<Data> data;  // one a thread

  // Environment steps per second.
  double rate(ThreadPool& pool) const {
    const int64_t per_task = played->per_task();
    const auto begin = Clock::now();
    pool.run(played->tasks() * per_task, [&](int64_t index, int worker) {
      mjData* d = data[static_cast<size_t>(worker)].get();
      const auto actions = played->actions(index / per_task, index % per_task);
      mj_resetData(model, d);
      if (model->nkey > 0) mju_copy(d->qpos, model->key_qpos, model->nq);
      for (int64_t t = 0; t < actions.cols(); ++t) {
        for (int i = 0; i < model->nu; ++i) {
          d->ctrl[i] = std::clamp<double>(actions(i, t), -1, 1) * model->actuator_ctrlrange[2 * i + 1];
        }
        for (int k = 0; k < frame_skip; ++k) mj_step(model, d);
      }
    });
    return static_cast<double>(played->total_steps()) / seconds_since(begin);
  }
};

void measure(const std::string& name, const std::string& policy_name, int threads, int repetitions) {
  constexpr double kActionScale = 1;  // for all, so that all animals move as wildly
  const EnvironmentConfig config{.name = name, .own = {{"action_scale", kActionScale}}};
  const bool recurrent = policy_name != "gaussian_mlp";
  const auto make = [config, recurrent]() -> std::unique_ptr<Environment> {
    auto one = make_environment(config);
    if (recurrent) one = std::make_unique<Trial>(std::move(one), 1);
    return one;
  };
  const auto environment = make_environment(config);
  const auto spec = environment->spec();
  std::vector<Eigen::VectorXd> tasks;
  for (uint64_t t = 0; t < 40; ++t) {
    Stream stream({.purpose = Purpose::kTask, .task = t});
    tasks.push_back(environment->sample_task(stream));
  }
  using Sizes = std::vector<int64_t>;
  const auto policy = make_policy(
      {.name = policy_name, .hidden = recurrent ? Sizes{} : Sizes{100, 100}, .activation = "relu"},
      make()->spec());
  Stream stream({.purpose = Purpose::kInitialParameters});
  const auto acting = policy->sampler(policy->initial(stream), 0);

  ThreadPool pool(threads);
  Sampler sampler(make, pool);
  uint64_t iteration = 0;
  const auto sample = [&] {
    return sampler.sample(tasks, {acting.get()}, kPerTask, {.iteration = ++iteration});
  };
  const auto steps_per_second = [&] {
    const auto begin = Clock::now();
    const int64_t steps = sample().total_steps();
    return static_cast<double>(steps) / seconds_since(begin);
  };
  // As many tasks, a block of each, as take about kSeconds, and as many for each thread.
  const auto all = tasks;
  tasks.resize(static_cast<size_t>(threads));
  const auto begin = Clock::now();
  sample();
  const auto rounds = static_cast<size_t>(kSeconds / seconds_since(begin));
  tasks.assign(all.begin(),
               all.begin() + std::clamp<long>(static_cast<long>(rounds), 1, 40 / threads) * threads);

  const Trajectories played = sample();
  const double episode =
      static_cast<double>(played.total_steps()) / static_cast<double>(tasks.size() * kPerTask);
  const MujocoSimulation& simulation = mujoco_scene(*environment)->simulation();
  BareLoop bare{
      .model = &simulation.model(),
      .frame_skip = static_cast<int>(std::lround(spec.step_seconds / simulation.model().opt.timestep)),
      .played = &played};
  for (int i = 0; i < threads; ++i) bare.data.emplace_back(mj_makeData(bare.model), mj_deleteData);
  std::vector<double> ours, theirs, ratios;
  for (int i = 0; i < repetitions; ++i) {
    theirs.push_back(bare.rate(pool));
    ours.push_back(steps_per_second());
    ratios.push_back(ours.back() / theirs.back());
  }
  std::printf("%-30s %-14s %7d %10d %8.0f %12.0f %12.0f %8.2f\n", name.c_str(), policy_name.c_str(), threads,
              bare.frame_skip, episode, median(theirs), median(ours), median(ratios));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char* argv[]) {
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 41;
  std::vector<std::string> names{"half_cheetah_velocity_rllab", "half_cheetah_velocity_gym",
                                 "ant_velocity_rllab",          "ant_velocity_gym",
                                 "hopper_rand_params",          "walker2d_rand_params"};
  if (argc > 2) names.assign(argv + 2, argv + argc);
  std::printf("MuJoCo %s, median of %d turns each\n", mj_versionString(), repetitions);
  std::printf("%-30s %-14s %7s %10s %8s %12s %12s %8s\n", "environment", "policy", "threads", "frame skip",
              "episode", "bare steps/s", "ours steps/s", "ratio");
  for (const auto& name : names) {
    for (const char* policy : {"gaussian_mlp", "gaussian_gru", "gaussian_lstm"}) {
      for (const int threads : {1, 2}) measure(name, policy, threads, repetitions);
    }
  }
}
