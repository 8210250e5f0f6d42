#include "datasets/sine.h"

#include <numbers>

#include "base/error.h"
#include "tests/datasets/draw.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;

TEST_CASE("targets of a sine task are A sin(x - phase) of the task its stream names", "[datasets][sine]") {
  const auto dtype = GENERATE(torch::kFloat32, torch::kFloat64);
  const EpisodeShape shape{.ways = 1, .shots = 5, .queries = 9};
  const auto sine = make_dataset({.name = "sine"});
  const auto episodes = draw_tasks(*sine, Split::kTrain, shape, 20, 0, dtype);
  const double tolerance = dtype == torch::kFloat32 ? 2e-6 : 1e-12;
  for (int64_t t = 0; t < 20; ++t) {
    Stream stream = task_stream(static_cast<uint64_t>(t));
    const double amplitude = 0.1 + 4.9 * stream.uniform();
    const double phase = std::numbers::pi * stream.uniform();
    Stream again = task_stream(static_cast<uint64_t>(t));
    const auto task = sample_sine_task(again);
    REQUIRE(task.amplitude == Approx(amplitude).epsilon(1e-14));
    REQUIRE(task.phase == Approx(phase).epsilon(1e-14));
    const auto expect = [&](const torch::Tensor& x, const torch::Tensor& y) {
      const auto curve = amplitude * torch::sin(x[t].to(torch::kFloat64) - phase);
      CHECK((y[t].to(torch::kFloat64) - curve).abs().max().item<double>() < tolerance);
    };
    expect(episodes.support_x, episodes.support_y);
    expect(episodes.query_x, episodes.query_y);
  }
  CHECK(episodes.support_y.std().item<double>() > 0.5);
}

TEST_CASE("amplitude, phase and x are uniform over their ranges", "[datasets][sine]") {
  const EpisodeShape shape{.ways = 1, .shots = 5, .queries = 5};
  constexpr int64_t kTasks = 4000;
  const auto sine = make_dataset({.name = "sine", .own = {{"observe_task", true}}});
  const auto episodes = draw_tasks(*sine, Split::kTest, shape, kTasks, 0, torch::kFloat64);
  const auto uniform = [](const torch::Tensor& values, double low, double high) {
    const double n = static_cast<double>(values.numel());
    const double width = high - low;
    CHECK(values.min().item<double>() >= low);
    CHECK(values.max().item<double>() < high);
    CHECK(values.min().item<double>() < low + 10 * width / n);
    CHECK(values.max().item<double>() > high - 10 * width / n);
    // Within four standard errors of the mean and of the variance of a uniform distribution.
    CHECK(std::abs(values.mean().item<double>() - (low + high) / 2) < 4 * width / std::sqrt(12 * n));
    CHECK(std::abs(values.var().item<double>() - width * width / 12) <
          4 * width * width / std::sqrt(180 * n));
  };
  uniform(episodes.support_x.select(2, 0), -5, 5);
  uniform(episodes.query_x.select(2, 0), -5, 5);
  uniform(episodes.support_x.select(1, 0).select(1, 1), 0.1, 5);
  uniform(episodes.support_x.select(1, 0).select(1, 2), 0, std::numbers::pi);
}

TEST_CASE("observing a sine task appends its amplitude and phase and changes nothing else",
          "[datasets][sine]") {
  const EpisodeShape shape{.ways = 1, .shots = 3, .queries = 4};
  const auto plain = make_dataset({.name = "sine"});
  const auto oracle = make_dataset({.name = "sine", .own = {{"observe_task", true}}});
  CHECK(plain->spec().input == std::vector<int64_t>{1});
  CHECK(oracle->spec().input == std::vector<int64_t>{3});
  const auto unseen = draw_tasks(*plain, Split::kTest, shape, 3, 0, torch::kFloat64);
  const auto seen = draw_tasks(*oracle, Split::kTest, shape, 3, 0, torch::kFloat64);
  CHECK(seen.query_x.narrow(2, 0, 1).equal(unseen.query_x));
  CHECK(seen.support_y.equal(unseen.support_y));
  for (int64_t t = 0; t < 3; ++t) {
    Stream stream = task_stream(static_cast<uint64_t>(t));
    const auto task = sample_sine_task(stream);
    CHECK((seen.support_x[t].select(1, 1) == task.amplitude).all().item<bool>());
    CHECK((seen.query_x[t].select(1, 2) == task.phase).all().item<bool>());
  }
}
