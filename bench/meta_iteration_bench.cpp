// Seconds of one RL meta-iteration by part, beside the arithmetic floor.
//
//   meta_iteration_bench [CONFIG] [ITERATIONS] [THREADS]     (default navigation_2d_speed, 8, all cores)
//
// The floor counts the matrix products of the layers alone, 2 flop per weight and sample ("unit"), at the
// core's peak: with C conjugate-gradient iterations and L line-search evaluations, on the trajectories of two
// inner steps,
//   gradient and adaptation  1 + 2 + 1 + 2 units and 6 for the Hessian-vector product of the pullback
//   each CG iteration        6 + 6 (J v, J^T u) + 4 (F)
//   each evaluation          1 + 2 + 1
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "base/allocator.h"
#include "runners/config.h"

namespace {

using namespace innerloop;

constexpr double kPeak = 135e9;  // float32 flop/s of one core, measured on the machine of docs/results.md

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double weights(const PolicyMetaConfig& config, const EnvironmentSpec& environment) {
  double count = 0;
  auto in = static_cast<double>(environment.observation_size);
  for (const auto size : config.policy.hidden) {
    count += in * static_cast<double>(size);
    in = static_cast<double>(size);
  }
  return count + in * static_cast<double>(environment.action_size);
}

void run(const std::string& name, int64_t iterations, int64_t threads) {
  ExperimentConfig config = make_config(read_settings(find_config(name)));
  config.threads = threads;
  ThreadPool pool(thread_count(config), &Executor::prepare_thread);
  PolicyMetaLearner learner(config.learner, pool);
  std::printf("%s: %lld tasks x %lld trajectories, %d threads\n", name.c_str(),
              static_cast<long long>(config.learner.meta_batch_size),
              static_cast<long long>(config.learner.sampler.trajectories), pool.size());
  std::printf("%9s %9s %11s %9s %9s %9s %12s %10s\n", "iteration", "sampling", "advantages", "update",
              "total", "floor", "env steps", "steps/s");
  std::vector<double> sampling, advantage, update, total, floors;
  for (int64_t i = 0; i < iterations; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto report = learner.iterate(i);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto evaluations =
        static_cast<double>(report.meta_step.accepted ? report.meta_step.line_search + 1
                                                      : config.learner.optimizer.line_search_steps);
    const double units =
        12 + 16 * static_cast<double>(config.learner.optimizer.cg_iterations) + 4 * evaluations;
    const double samples =
        static_cast<double>(report.environment_steps) / 2;  // of one of the two inner steps
    const double floor =
        units * 2 * weights(config.learner, learner.environment()) * samples / kPeak / pool.size();
    std::printf("%9lld %9.4f %11.4f %9.4f %9.4f %9.4f %12lld %10.0f\n", static_cast<long long>(i + 1),
                report.sampling_seconds, report.advantage_seconds, report.update_seconds, seconds, floor,
                static_cast<long long>(report.environment_steps),
                static_cast<double>(report.environment_steps) / report.sampling_seconds);
    sampling.push_back(report.sampling_seconds);
    advantage.push_back(report.advantage_seconds);
    update.push_back(report.update_seconds);
    total.push_back(seconds);
    floors.push_back(floor);
  }
  std::printf("%9s %9.4f %11.4f %9.4f %9.4f %9.4f\n", "median", median(sampling), median(advantage),
              median(update), median(total), median(floors));
}

}  // namespace

int main(int argc, char** argv) try {
  innerloop::keep_freed_memory();
  run(argc > 1 ? argv[1] : "navigation_2d_speed", argc > 2 ? std::atoll(argv[2]) : 8,
      argc > 3 ? std::atoll(argv[3]) : 0);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "meta_iteration_bench: %s\n", error.what());
  return 1;
}
