// The best on validation tasks, kept and used together.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "meta/algorithms/registry.h"
#include "runners/experiment/run_directory.h"
#include "runners/experiment/supervised_job.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using nlohmann::json;

namespace {

using Words = std::vector<std::string>;

Words tiny(const std::string& command, const std::filesystem::path& run, const Words& more = {}) {
  Words words{
      command, "--run-dir",          run.string(), "--dataset.name",     "strokes", "--dataset.image_size",
      "14",    "--dataset.ways",     "3",          "--dataset.shots",    "1",       "--network.filters",
      "4",     "--inner.steps",      "1",          "--meta.batch_size",  "2",       "--meta.step_size",
      "0.01",  "--validation.every", "2",          "--validation.tasks", "20",      "--validation.keep",
      "3",     "--evaluation.tasks", "10",         "--evaluation.steps", "1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// The iterations of the files best_N.safetensors.
std::vector<int64_t> kept(const RunDirectory& run) {
  std::vector<int64_t> out;
  for (const auto& entry : std::filesystem::directory_iterator(run.checkpoints())) {
    if (entry.path().filename().string().rfind("best_", 0) == 0)
      out.push_back(load_checkpoint(entry.path()).iteration);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Of validation.csv, the iterations of the three highest accuracies, earlier ones first among equals.
std::vector<int64_t> three_best(const RunDirectory& run) {
  std::istringstream in(read_file(run.validation()));
  std::string line;
  std::getline(in, line);
  std::vector<std::pair<double, int64_t>> rows;
  while (std::getline(in, line)) {
    std::istringstream row(line);
    int64_t iteration = 0;
    char comma = 0;
    double accuracy = 0;
    row >> iteration >> comma >> accuracy;
    rows.emplace_back(-accuracy, iteration);
  }
  REQUIRE(rows.size() > 3);
  std::sort(rows.begin(), rows.end());
  std::vector<int64_t> out;
  for (size_t i = 0; i < 3; ++i) out.push_back(rows[i].second);
  return out;
}

std::vector<int64_t> sorted(std::vector<int64_t> values) {
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

TEST_CASE("validation.keep keeps the best on validation tasks, also across a resume", "[bench]") {
  const TemporaryFolder folder;
  const RunDirectory whole(folder / "whole"), parts(folder / "parts");
  REQUIRE(run_program(tiny("train", whole.root(), {"--meta.iterations", "14"})).code == 0);
  CHECK(kept(whole) == sorted(three_best(whole)));
  REQUIRE(run_program(tiny("train", parts.root(), {"--meta.iterations", "3"})).code == 0);
  for (const char* until : {"9", "14"}) {
    REQUIRE(run_program(tiny("train", parts.root(), {"--meta.iterations", until, "--resume"})).code == 0);
  }
  CHECK(kept(parts) == kept(whole));
  for (const int64_t iteration : kept(whole)) {
    CHECK(read_file(parts.best_checkpoint(iteration)) == read_file(whole.best_checkpoint(iteration)));
  }
  CHECK(read_file(parts.last_checkpoint()) == read_file(whole.last_checkpoint()));
}

TEST_CASE("an ensemble predicts the mean probability of its members", "[bench]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const std::string path = run.root().string();
  REQUIRE(run_program(tiny("train", run.root(), {"--meta.iterations", "14"})).code == 0);
  const auto outcome = run_program({"adapt", "--run", path, "--ensemble", "3"});
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.output, contains("an ensemble of the 3 best on validation tasks"));
  const json found = json::parse(read_file(run.root() / "adapt.json"));

  const TrainedRun trained = open_run(run.root());
  ThreadPool pool(1, &Executor::prepare_thread);
  SupervisedMetaLearner learner(trained.config.supervised, find_algorithm("maml"), pool);
  const auto& evaluation = trained.config.supervised_evaluation;
  std::vector<std::vector<torch::Tensor>> mean(10);
  for (const int64_t iteration : three_best(run)) {
    const Checkpoint checkpoint = load_checkpoint(run.best_checkpoint(iteration));
    learner.use(checkpoint.meta, checkpoint.method);
    for (int64_t t = 0; t < 10; ++t) {
      const auto outputs = learner.predict(learner.evaluation_episode(evaluation, t), evaluation, t);
      auto& sums = mean[static_cast<size_t>(t)];
      sums.resize(outputs.size());
      for (size_t k = 0; k < outputs.size(); ++k) {
        const auto p = torch::log_softmax(outputs[k], 2).exp();
        sums[k] = sums[k].defined() ? sums[k] + p : p;
      }
    }
  }
  for (size_t k = 0; k < 2; ++k) {
    double right = 0;
    for (int64_t t = 0; t < 10; ++t) {
      const auto labels = learner.evaluation_episode(evaluation, t).query_y;
      right += mean[static_cast<size_t>(t)][k].argmax(2).eq(labels).to(torch::kFloat64).mean().item<double>();
    }
    CHECK(found["steps"][k]["accuracy_mean"].get<double>() == Approx(right / 10));
  }
  // Both results stay.
  REQUIRE(run_program({"adapt", "--run", path}).code == 0);
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(run.evaluations())) ++files;
  CHECK(files == 2);
}

TEST_CASE("an ensemble of more than were kept is refused", "[bench]") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  REQUIRE(run_program(tiny("train", run, {"--meta.iterations", "4"})).code == 0);
  const auto outcome = run_program({"adapt", "--run", run.string(), "--ensemble", "3"});
  CHECK(outcome.code == 1);
  CHECK_THAT(outcome.output, contains("evaluation.ensemble is 3") && contains("holds 2 of the best") &&
                                 contains("validation.keep = 3"));
  CHECK_FALSE(std::filesystem::exists(run / "adapt.json"));
  // What could never be is refused before the training.
  const auto refused = [&](const Words& more) {
    const auto attempt = run_program(tiny("bench", folder / "other", more));
    CHECK(attempt.code == 2);
    CHECK_FALSE(std::filesystem::exists(folder / "other"));
    return attempt.output;
  };
  CHECK_THAT(refused({"--evaluation.ensemble", "4", "--meta.iterations", "20"}),
             contains("evaluation.ensemble is 4, but validation.keep is 3"));
  CHECK_THAT(refused({"--evaluation.ensemble", "3", "--meta.iterations", "5"}),
             contains("evaluation.ensemble is 3, but 5 iterations with one validation in 2 make 2"));
}
