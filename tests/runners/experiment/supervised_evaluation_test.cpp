#include "runners/experiment/supervised_evaluation.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "runners/experiment/progress.h"
#include "runners/experiment/supervised_job.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

ExperimentConfig installed(const std::string& name) { return make_config(read_settings(find_config(name))); }

// Whether what the configuration reads can be read here.
bool has_data(const ExperimentConfig& config) {
  const auto& dataset = config.supervised.dataset;
  if (dataset.name == "sine" || dataset.name == "strokes") return true;
  const char* data = std::getenv("INNERLOOP_DATA");
  const auto& own = dataset.own.values();
  const auto given = own.find("path");
  const std::string path = given == own.end() || given->second.empty() ? dataset.name : given->second;
  return data != nullptr && std::filesystem::exists(std::filesystem::path(data) / path);
}

}  // namespace

TEST_CASE("mean and interval of a metric are those worked out by hand, by step", "[evaluation]") {
  const auto steps = statistics({{1, 10}, {2, 20}, {6, 30}});
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].mean == Approx(3));
  // Squared deviations 4, 1, 9: variance 14 / 2 = 7.
  CHECK(*steps[0].ci95 == Approx(4.3026527 * std::sqrt(7.0 / 3)));
  CHECK(steps[1].step == 1);
  CHECK(steps[1].mean == Approx(20));
  CHECK(!statistics({{1, 2}})[0].ci95);
  CHECK_THROWS_WITH(statistics({}), contains("without tasks"));
}

TEST_CASE("the step size on the mean loss is told when the loss is summed over the ways", "[evaluation]") {
  const auto text = [](const std::string& name) {
    const auto config = installed(name).supervised;
    return step_size_text(config, config.inner.step_size);
  };
  const auto effective = [](const std::string& name) {
    const auto config = installed(name).supervised;
    return *effective_step_size(config, config.inner.step_size);
  };
  CHECK(text("omniglot_5way_1shot") == "0.4 x 5 ways = 2 on the mean loss");
  CHECK(effective("omniglot_20way_5shot") == Approx(2));
  CHECK(effective("mini_imagenet_5way_1shot") == Approx(0.05));
  CHECK(text("sine_5shot") == "0.001");
  const auto learned = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(effective_step_size(installed("sine_5shot").supervised, learned));
  CHECK(step_size_text(installed("sine_5shot").supervised, learned) == "learned, or none");
}

TEST_CASE("milliseconds per iteration are the median of progress.csv's column", "[evaluation]") {
  CHECK(median({3, 1, 2}) == 2);
  CHECK(median({4, 1, 2, 3}) == 2.5);
  const TemporaryFolder folder;
  const auto file = folder / "progress.csv";
  CHECK(!recorded_milliseconds(file));
  std::ofstream(file) << "iteration,query_loss,milliseconds\n";
  CHECK(!recorded_milliseconds(file));
  std::ofstream(file, std::ios::app) << "100,0.5,0.25\n200,0.4,0.75\n300,0.3,0.5\n";
  CHECK(*recorded_milliseconds(file) == 0.5);
  std::ofstream(file) << "iteration,query_loss\n100,0.5\n";
  CHECK(!recorded_milliseconds(file));
}

TEST_CASE("every installed supervised configuration makes a learner where its data are", "[evaluation]") {
  ThreadPool pool(1, &Executor::prepare_thread);
  int made = 0;
  for (const auto& named : installed_configs()) {
    const auto config = installed(named.name);
    if (config.side != Side::kSupervised || !has_data(config)) continue;
    INFO(named.name);
    const SupervisedJob job(config, pool);
    CHECK_THAT(job.summary(), contains(config.supervised.dataset.name) && contains("batch norm: "));
    ++made;
  }
  CHECK(made >= 8);  // those of sine and strokes
}
