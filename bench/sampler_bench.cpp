// Environment steps per second of the sampler on navigation_2d: 40 tasks x 20 trajectories x 100 steps, split
// into what the environment takes (actions for nothing), what the policy takes (an environment for nothing)
// and both.
//
//   sampler_bench [REPETITIONS]        (default 15; prints medians)
//
// The floor of the policy is its arithmetic at the core's peak: 2 flop per weight and step.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "envs/registry.h"
#include "policies/policy.h"
#include "sampling/sampler.h"

namespace {

using namespace innerloop;

constexpr int64_t kTasks = 40, kPerTask = 20;
constexpr double kPeak = 135e9;  // float32 flop/s of one core, measured on the machine of docs/results.md

// Same shapes as navigation_2d; a step costs nothing. Its episodes never end early.
class IdleEnvironment : public Environment {
 public:
  explicit IdleEnvironment(EnvironmentSpec spec) : spec_(std::move(spec)) {}
  const EnvironmentSpec& spec() const override { return spec_; }
  Eigen::VectorXd sample_task(Stream&) const override { return Eigen::VectorXd::Zero(spec_.task_size()); }
  void set_task(const Eigen::VectorXd&) override {}
  void reset(Stream&, ObservationRef observation) override { observation.setConstant(0.1f); }
  StepResult step(const ActionRef& action, Stream&, ObservationRef observation) override {
    observation = 0.1f * action;
    return {};
  }

 private:
  EnvironmentSpec spec_;
};

// Moves in circles: no arithmetic of a network, no random numbers.
class IdleSampler : public ActionSampler {
 public:
  Eigen::Index observation_size() const override { return 2; }
  Eigen::Index action_entries() const override { return 2; }
  std::unique_ptr<Workspace> workspace(Eigen::Index) const override { return std::make_unique<Workspace>(); }
  void act(const Eigen::Ref<const Eigen::MatrixXf>& observations, Stream* const*, Workspace&,
           Eigen::Ref<Eigen::MatrixXf> actions) const override {
    actions.row(0) = 1 - observations.row(1).array();
    actions.row(1) = observations.row(0).array() + 0.5f;
  }
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Nanoseconds of one core per environment step, median over repetitions.
double core_nanoseconds(Sampler& sampler, const std::vector<Eigen::VectorXd>& tasks,
                        const std::vector<const ActionSampler*>& policies, int threads, int repetitions) {
  std::vector<double> found;
  for (int i = -1; i < repetitions; ++i) {  // one unmeasured
    const auto begin = std::chrono::steady_clock::now();
    const auto trajectories =
        sampler.sample(tasks, policies, kPerTask, {.iteration = static_cast<uint64_t>(i + 1)});
    const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - begin;
    if (i >= 0) found.push_back(elapsed.count() / static_cast<double>(trajectories.total_steps()) * threads);
  }
  return median(found);
}

}  // namespace

int main(int argc, char* argv[]) {
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 15;
  const auto make = [] { return make_environment({}); };
  const auto spec = make()->spec();
  std::vector<Eigen::VectorXd> tasks;
  for (uint64_t t = 0; t < kTasks; ++t) {
    Stream stream({.purpose = Purpose::kTask, .task = t});
    tasks.push_back(make()->sample_task(stream));
  }
  std::printf("%-16s %7s %12s %12s %12s %12s %14s\n", "network", "threads", "environment", "policy", "both",
              "floor", "steps/s");
  for (const auto& config : {PolicyConfig{.hidden = {100, 100}, .activation = "relu"},
                             PolicyConfig{.hidden = {64, 64}, .activation = "tanh"}}) {
    const auto policy = make_policy(config, spec);
    Stream stream({.purpose = Purpose::kInitialParameters});
    const auto theta = policy->initial(stream);
    std::vector<std::unique_ptr<ActionSampler>> samplers;
    std::vector<const ActionSampler*> acting;
    for (int64_t t = 0; t < kTasks; ++t) {
      samplers.push_back(policy->sampler(theta, 0));
      acting.push_back(samplers.back().get());
    }
    int64_t weights = 0, inputs = spec.observation_size;
    for (const int64_t outputs : config.hidden) weights += std::exchange(inputs, outputs) * outputs;
    weights += inputs * spec.action_size;
    const double floor = 2e9 * static_cast<double>(weights) / kPeak;
    const IdleSampler idle;
    for (const int threads : {1, 2}) {
      ThreadPool pool(threads);
      Sampler real(make, pool);
      Sampler free([&] { return std::make_unique<IdleEnvironment>(spec); }, pool);
      const double environment = core_nanoseconds(real, tasks, {&idle}, threads, repetitions);
      const double forward = core_nanoseconds(free, tasks, acting, threads, repetitions);
      const double both = core_nanoseconds(real, tasks, acting, threads, repetitions);
      std::printf("%3ld-%-3ld %-8s %7d %9.0f ns %9.0f ns %9.0f ns %9.0f ns %14.0f\n",
                  static_cast<long>(config.hidden[0]), static_cast<long>(config.hidden[1]),
                  config.activation.c_str(), threads, environment, forward, both, floor,
                  1e9 / both * threads);
    }
  }
  std::printf("ns: time of one core per environment step\n");
}
