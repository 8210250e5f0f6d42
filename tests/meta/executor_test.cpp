#include "meta/executor.h"

#include <cmath>

#include "base/error.h"
#include "meta/algorithms/registry.h"
#include "meta/chunk_sum.h"
#include "meta/policy/policy_meta_learner.h"
#include "meta/supervised/supervised_meta_learner.h"
#include "networks/tensors/params_bytes.h"
#include "tests/thread_processes.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

// Numbers whose sum depends on the order: of all magnitudes, in both types, more than a segment of them.
Params part(int64_t chunk) {
  auto wild = torch::empty({40'000}, torch::kFloat64);
  auto* values = wild.data_ptr<double>();
  for (int64_t i = 0; i < wild.numel(); ++i) {
    const double x = 0.37 * static_cast<double>(i) + 1.7 * static_cast<double>(chunk);
    values[i] = std::sin(x) * std::pow(10.0, 6 * std::cos(3 * x));
  }
  return Params({{"odd", wild.narrow(0, 0, 4097).to(torch::kFloat32).view({1, 4097})},
                 {"wide", wild.to(torch::kFloat32).view({1, 200, 200})},
                 {"loss", wild.narrow(0, 7, 3).view({1, 3})}});
}

Params one_by_one(int64_t count) {
  Params total = part(0);
  for (int64_t chunk = 1; chunk < count; ++chunk) total = total + part(chunk);
  return total;
}

Params other_way(int64_t count) {
  Params total = part(count - 1);
  for (int64_t chunk = count - 1; chunk-- > 0;) total = total + part(chunk);
  return total;
}

template <class Learner, class Config>
auto trained(const Config& config, const char* algorithm, Processes& processes, int threads) {
  ThreadPool pool(threads, &Executor::prepare_thread, processes);
  Learner learner(config, find_algorithm(algorithm), pool);
  for (int64_t i = 0; i < 2; ++i) learner.iterate(i);
  return std::tuple{learner.meta_parameters().cloned(), learner.method_state(),
                    learner.evaluate({.tasks = 5, .steps = 1})};
}

}  // namespace

TEST_CASE("a sum over ranks has the bits of the sum in chunk order, also with more ranks than chunks",
          "[meta]") {
  for (const int64_t count : {1, 2, 5, 7}) {
    const Params expected = one_by_one(count);
    if (count > 2) REQUIRE(!identical(other_way(count), expected));  // the order matters
    for (const int ranks : {1, 2, 3, 8}) {
      const auto sums = ThreadProcesses::run(ranks, [&](Processes& processes) {
        ThreadPool pool(2, &Executor::prepare_thread, processes);
        return Executor(pool).sum(count, part);
      });
      for (const auto& sum : sums) CHECK(identical(sum, expected));
    }
  }
}

TEST_CASE("a sum's traffic is its size, however many the chunks", "[meta]") {
  const auto sent = [](int64_t count) {
    return ThreadProcesses::run(3, [&](Processes& processes) {
      ThreadPool pool(1, &Executor::prepare_thread, processes);
      Executor(pool).sum(count, part);
      return processes.traffic();
    });
  };
  CHECK(sent(3) == sent(30));
  CHECK(sent(30)[0] == (4097 + 1) * 4 + 40'000 * 4 + 3 * 8);  // aligned to 8 bytes
}

TEST_CASE("gather returns all ranks' chunks in order at every rank, of any shapes and types", "[meta]") {
  const auto made = [](int64_t chunk) {
    return Params(
        {{concat("of", chunk), torch::full({1, chunk}, static_cast<double>(chunk), torch::kFloat64)},
         {"label", torch::full({2, 2}, chunk, torch::kInt64)},
         {"turned", torch::arange(6, torch::kFloat32).view({2, 3}).t() + chunk}});
  };
  for (const int ranks : {1, 2, 4, 7}) {
    for (const auto& all : ThreadProcesses::run(ranks, [&](Processes& processes) {
           ThreadPool pool(1, &Executor::prepare_thread, processes);
           return Executor(pool).gather(5, made);
         })) {
      REQUIRE(all.size() == 5);
      for (int64_t chunk = 0; chunk < 5; ++chunk)
        CHECK(identical(all[static_cast<size_t>(chunk)], made(chunk)));
    }
  }
  const auto bytes = to_bytes({made(3)});
  CHECK_THROWS_WITH(from_bytes(std::string_view(bytes).substr(0, bytes.size() - 1)), contains("end early"));
}

TEST_CASE("what fails in a chunk of one rank fails in all, as the lowest chunk's error", "[meta]") {
  const auto run = [](int ranks, auto fails) {
    ThreadProcesses::run(ranks, [&](Processes& processes) {
      ThreadPool pool(2, &Executor::prepare_thread, processes);
      const Executor executor(pool);
      try {
        executor.each(6, fails);
      } catch (const Error&) {  // all see it, so they go on together
      }
      executor.each(6, fails);
      return 0;
    });
  };
  const auto fails = [](int64_t chunk) { require(chunk < 3, "chunk ", chunk, " is bad"); };
  CHECK_THROWS_WITH(run(1, fails), "chunk 3 is bad");
  CHECK_THROWS_WITH(run(3, fails), "rank 1 of 3: chunk 3 is bad");
  const auto asks = [](int64_t chunk) { require_usage(chunk < 3, "chunk ", chunk, " is bad"); };
  CHECK_THROWS_AS(run(3, asks), UsageError);
}

TEST_CASE("what one process keeps to itself, it does whole", "[meta]") {
  const auto counts = ThreadProcesses::run(3, [](Processes& processes) {
    ThreadPool pool(1, &Executor::prepare_thread, processes);
    const Executor executor(pool);
    int64_t own = 0, alone = 0;
    executor.each(7, [&](int64_t) { ++own; });
    if (processes.first()) executor.alone().each(7, [&](int64_t) { ++alone; });
    return std::pair{own, alone};
  });
  CHECK(counts == std::vector<std::pair<int64_t, int64_t>>{{3, 7}, {2, 0}, {2, 0}});
}

TEST_CASE("a training on a data set has the bits of one process for any number of ranks and threads",
          "[meta]") {
  SupervisedMetaConfig config;
  config.dataset = {.name = "strokes", .own = {{"image_size", 14}}};
  config.shape = {.ways = 3, .shots = 1, .queries = 2};
  config.inner = {.steps = 2, .step_size = 0.1, .adapt = "conv*,linear*"};
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  config.meta_batch_size = 5;
  config.network = {.name = "conv4", .batch_norm = "global_running", .own = {{"filters", 4}}};
  const auto expected = trained<SupervisedMetaLearner>(config, "maml", single_process(), 1);
  for (const int ranks : {2, 3, 6}) {
    for (const auto& found : ThreadProcesses::run(ranks, [&](Processes& processes) {
           return trained<SupervisedMetaLearner>(config, "maml", processes, ranks == 2 ? 2 : 1);
         })) {
      CHECK(identical(std::get<0>(found), std::get<0>(expected)));
      CHECK(identical(std::get<1>(found), std::get<1>(expected)));
      CHECK(std::get<2>(found) == std::get<2>(expected));
    }
  }
}

TEST_CASE("a training of policies has the bits of one process for any number of ranks and threads",
          "[meta]") {
  PolicyMetaConfig config;
  config.environment.name = "navigation_2d";
  config.environment.horizon = 15;
  config.policy.hidden = {8};
  config.meta_batch_size = 5;
  config.sampler.trajectories = 6;
  const auto expected = trained<PolicyMetaLearner>(config, "maml", single_process(), 1);
  for (const int ranks : {2, 4, 6}) {
    for (const auto& found : ThreadProcesses::run(ranks, [&](Processes& processes) {
           return trained<PolicyMetaLearner>(config, "maml", processes, ranks == 2 ? 2 : 1);
         })) {
      CHECK(identical(std::get<0>(found), std::get<0>(expected)));
      const auto &tasks = std::get<2>(found).tasks, &whole = std::get<2>(expected).tasks;
      REQUIRE(tasks.size() == whole.size());
      for (size_t t = 0; t < tasks.size(); ++t) CHECK(tasks[t].returns == whole[t].returns);
    }
  }
}
