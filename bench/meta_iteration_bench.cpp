// Seconds of one RL meta-iteration by part, beside the arithmetic floor.
//
//   meta_iteration_bench [CONFIG] [ITERATIONS] [THREADS]     (default navigation_2d_speed, 8, all cores)
//
// update = inner steps while sampling + gradient + curvature (Fisher products) + objective (its values, those
// of the line search among them) + vector arithmetic. The floor of the update counts the matrix products of
// the layers alone, 2 flop per weight and sample ("unit"), at the core's peak: with C conjugate-gradient
// iterations and L line-search evaluations, on the trajectories of two inner steps,
//   gradient and adaptation  1 + 2 + 1 + 2 units and 6 for the Hessian-vector product of the pullback
//   each CG iteration        6 + 6 (J v, J^T u) + 4 (F)
//   each evaluation          1 + 2 + 1
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "base/allocator.h"
#include "meta/algorithms/registry.h"
#include "meta/policy/policy_meta_learner.h"
#include "runners/experiment/config.h"

namespace {

using namespace innerloop;

constexpr double kPeak = 135e9;  // float32 flop/s of one core, measured on the machine of docs/results.md

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print_row(const std::string& name, const std::array<double, 9>& r) {
  std::printf("%9s %9.4f %11.4f %11.4f %9.4f %10.4f %10.4f %9.4f %9.4f %9.4f", name.c_str(), r[0], r[1], r[2],
              r[3], r[4], r[5], r[6], r[7], r[8]);
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
  PolicyMetaLearner learner(config.learner, find_algorithm(config.algorithm()), pool);
  std::printf("%s: %lld tasks x %lld trajectories, %d threads\n", name.c_str(),
              static_cast<long long>(config.learner.meta_batch_size),
              static_cast<long long>(config.learner.sampler.trajectories), pool.size());
  std::printf("%9s %9s %11s %11s %9s %10s %10s %9s %9s %9s %10s\n", "iteration", "sampling", "advantages",
              "inner steps", "gradient", "curvature", "objective", "update", "floor", "total", "steps/s");
  constexpr size_t kColumns = 9;
  std::array<std::vector<double>, kColumns> columns;
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
    const std::array<double, kColumns> row{report.sampling_seconds,
                                           report.advantage_seconds,
                                           report.inner_step_seconds,
                                           report.meta_gradient_seconds,
                                           report.curvature_seconds,
                                           report.objective_seconds,
                                           report.inner_step_seconds + report.meta_step_seconds,
                                           floor,
                                           seconds};
    print_row(std::to_string(i + 1), row);
    std::printf(" %10.0f\n", static_cast<double>(report.environment_steps) / report.sampling_seconds);
    for (size_t c = 0; c < kColumns; ++c) columns[c].push_back(row[c]);
  }
  std::array<double, kColumns> medians;
  for (size_t c = 0; c < kColumns; ++c) medians[c] = median(columns[c]);
  print_row("median", medians);
  std::printf("\n");
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
