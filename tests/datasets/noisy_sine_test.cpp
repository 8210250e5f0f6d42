#include "datasets/noisy_sine.h"

#include <numbers>
#include <set>

#include "base/error.h"
#include "tests/datasets/draw.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

constexpr EpisodeShape kShape{.ways = 1, .shots = 5, .queries = 7};

}  // namespace

TEST_CASE(
    "targets of a noisy sine task scatter by its noise about A sin(w x - phase), held-out queries not at all",
    "[datasets][noisy_sine]") {
  const auto split = GENERATE(Split::kTrain, Split::kValidation, Split::kTest);
  const auto data = make_dataset({.name = "noisy_sine", .own = {{"training_tasks", "0"}, {"noise", "0.2"}}});
  constexpr int64_t kTasks = 500;
  const auto episodes = draw_tasks(*data, split, kShape, kTasks, 0, torch::kFloat64);
  double shots = 0, queries = 0;
  for (int64_t t = 0; t < kTasks; ++t) {
    Stream stream = task_stream(static_cast<uint64_t>(t));
    const double amplitude = 0.1 + 4.9 * stream.uniform();
    const double frequency = 0.5 + 1.5 * stream.uniform();
    const double phase = 2 * std::numbers::pi * stream.uniform();
    const auto noise = [&](const torch::Tensor& x, const torch::Tensor& y) {
      return ((y[t] - amplitude * torch::sin(frequency * x[t] - phase)) / amplitude)
          .pow(2)
          .mean()
          .item<double>();
    };
    shots += noise(episodes.support_x, episodes.support_y) / kTasks;
    queries += noise(episodes.query_x, episodes.query_y) / kTasks;
  }
  // Within four standard errors of a variance over 2,500 and 3,500 samples.
  CHECK(shots == Approx(0.04).epsilon(4 * std::sqrt(2.0 / 2500)));
  if (split == Split::kTrain) {
    CHECK(queries == Approx(0.04).epsilon(4 * std::sqrt(2.0 / 3500)));
  } else {
    CHECK(queries < 1e-24);
  }
}

TEST_CASE("training knows as many noisy sine tasks as asked, with the same samples every time",
          "[datasets][noisy_sine]") {
  const auto of = [](const std::string& tasks, const std::string& seed) {
    return make_dataset({.name = "noisy_sine", .own = {{"training_tasks", tasks}, {"tasks_seed", seed}}});
  };
  const auto seen = [](const Dataset& data, Split split) {
    const auto episodes = draw_tasks(data, split, kShape, 300, 0, torch::kFloat64);
    std::set<std::vector<double>> tasks;
    for (int64_t t = 0; t < 300; ++t) {
      std::vector<double> all;
      for (const auto* part :
           {&episodes.support_x, &episodes.support_y, &episodes.query_x, &episodes.query_y}) {
        const auto values = (*part)[t].contiguous();
        all.insert(all.end(), values.data_ptr<double>(), values.data_ptr<double>() + values.numel());
      }
      tasks.insert(all);
    }
    return tasks;
  };
  const auto twenty = seen(*of("20", "1"), Split::kTrain);
  CHECK(twenty.size() == 20);
  CHECK(seen(*of("20", "1"), Split::kTest).size() == 300);
  CHECK(seen(*of("0", "1"), Split::kTrain).size() == 300);
  // Of another seed, none is the same; of more tasks with the same seed, the first are.
  const auto others = seen(*of("20", "2"), Split::kTrain);
  for (const auto& task : twenty) CHECK(!others.contains(task));
  const auto more = seen(*of("21", "1"), Split::kTrain);
  for (const auto& task : twenty) CHECK(more.contains(task));
}

TEST_CASE("held-out noisy sine tasks do not depend on what training knows", "[datasets][noisy_sine]") {
  const auto few = make_dataset({.name = "noisy_sine", .own = {{"training_tasks", "3"}}});
  const auto many = make_dataset({.name = "noisy_sine", .own = {{"training_tasks", "0"}}});
  const auto a = draw_tasks(*few, Split::kTest, kShape, 4, 0, torch::kFloat64);
  const auto b = draw_tasks(*many, Split::kTest, kShape, 4, 0, torch::kFloat64);
  CHECK(a.support_y.equal(b.support_y));
  CHECK(a.query_y.equal(b.query_y));
}

TEST_CASE("negative noise and a negative number of tasks are refused", "[datasets][noisy_sine][errors]") {
  CHECK_THROWS_AS(make_dataset({.name = "noisy_sine", .own = {{"noise", "-0.1"}}}), UsageError);
  CHECK_THROWS_AS(make_dataset({.name = "noisy_sine", .own = {{"training_tasks", "-1"}}}), UsageError);
}
