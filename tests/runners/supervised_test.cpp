// Claims about the supervised side of the program: it is run as a user runs it.
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "meta/algorithms/registry.h"
#include "runners/experiment/checkpoint.h"
#include "runners/experiment/progress.h"
#include "runners/experiment/run_directory.h"
#include "runners/experiment/supervised_evaluation.h"
#include "runners/experiment/supervised_job.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using nlohmann::json;

namespace {

using Words = std::vector<std::string>;

// Sine regression, small in every direction.
Words tiny_sine(const std::string& command, const std::filesystem::path& run, const Words& more = {}) {
  Words words{command, "--run-dir",          run.string(), "--dataset.name",   "sine", "--network.hidden",
              "8,8",   "--meta.batch_size",  "5",          "--progress.every", "10",   "--evaluation.tasks",
              "10",    "--evaluation.steps", "2"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Drawn characters, 5-way 1-shot, with a thin network.
Words tiny_strokes(const std::string& command, const std::filesystem::path& run, const Words& more = {}) {
  Words words{command,
              "--config",
              "strokes_5way_1shot",
              "--run-dir",
              run.string(),
              "--network.filters",
              "8",
              "--meta.batch_size",
              "3",
              "--progress.every",
              "2",
              "--validation.every",
              "2",
              "--validation.tasks",
              "4",
              "--evaluation.tasks",
              "6",
              "--evaluation.steps",
              "2"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Words lines_of(const std::filesystem::path& file) {
  std::istringstream in(read_file(file));
  Words lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// progress.csv without its last column, milliseconds.
Words reproducible_rows(const RunDirectory& run) {
  Words rows = lines_of(run.progress());
  for (auto& row : rows) row.resize(row.rfind(','));
  return rows;
}

// bench.json without what a clock says.
json reproducible_json(const std::filesystem::path& file) {
  json out = json::parse(read_file(file));
  out.erase("milliseconds_per_iteration");
  return out;
}

void require_same_run(const RunDirectory& run, const RunDirectory& reference) {
  CHECK(read_file(run.last_checkpoint()) == read_file(reference.last_checkpoint()));
  CHECK(read_file(run.best_checkpoint()) == read_file(reference.best_checkpoint()));
  CHECK(read_file(run.validation()) == read_file(reference.validation()));
  CHECK(reproducible_rows(run) == reproducible_rows(reference));
  CHECK(reproducible_json(run.root() / "bench.json") == reproducible_json(reference.root() / "bench.json"));
}

// Every call is refused with exit code 2 and says what is expected here, and leaves no run directory.
void check_refused(const std::vector<std::pair<Words, std::string>>& cases) {
  const TemporaryFolder folder;
  const std::string run = (folder / "run").string();
  for (auto [arguments, expected] : cases) {
    arguments.insert(arguments.end(), {"--run-dir", run});
    const auto outcome = run_program(arguments);
    INFO(expected + "\n" + outcome.output);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.output, contains(expected));
  }
  CHECK(!std::filesystem::exists(run));
}

}  // namespace

TEST_CASE("bench trains on sine, evaluates, and leaves what it found", "[bench]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const Words settings{"--meta.iterations", "25", "--evaluation.shots", "5", "--evaluation.queries", "7"};
  const auto outcome = run_program(tiny_sine("bench", run.root(), settings));
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.output,
             contains("10 test tasks, 5-shot, 7 queries") && contains("95 % CI") && contains("0.67") &&
                 contains("Finn et al. 2017, Table 2") && contains("meta.iterations 25 instead of 70000") &&
                 contains("published after 10 steps: 0.3500") && contains("ms per meta-iteration"));
  for (const char* file : {"config.ini", "log.txt", "progress.csv", "progress.png", "bench.json", "bench.png",
                           "bench_tasks.png", "checkpoints/last.safetensors"}) {
    INFO(file);
    CHECK(std::filesystem::file_size(run.root() / file) > 50);
  }
  CHECK(!std::filesystem::exists(run.best_checkpoint()));
  CHECK_THAT(read_file(run.config()), !contains("[environment]") && contains("[dataset]"));

  const auto rows = reproducible_rows(run);
  REQUIRE(rows.size() == 4);
  CHECK(rows[0] == "iteration,query_loss,query_mse");
  CHECK_THAT(rows[1], StartsWith("10,"));
  CHECK_THAT(rows[3], StartsWith("25,"));

  const json out = json::parse(read_file(run.root() / "bench.json"));
  CHECK(out["dataset"] == "sine");
  CHECK(out["ways"] == 1);
  CHECK(out["shots"] == 5);
  CHECK(out["queries"] == 7);
  CHECK(out["tasks"] == 10);
  CHECK(out["seed"] == 1);
  CHECK(out["algorithm"] == "maml");
  CHECK(out["order"] == "second");
  CHECK(out["loss_reduction"] == "mean");
  CHECK(out["effective_inner_step_size"] == 0.01);
  CHECK(out["batch_norm"] == "none");
  CHECK(out["meta_iterations"] == 25);
  CHECK(out["selected_iteration"] == 25);
  CHECK(out["baselines"].is_null());
  CHECK(out["milliseconds_per_iteration"].get<double>() > 0);
  CHECK(out["published"].size() == 3);
  CHECK(out["published"][1]["step"] == 5);
  CHECK(out["published"][1]["mse_mean"] == 0.38);
  CHECK(out["protocol_differences"] ==
        json({"meta.iterations 25 instead of 70000",
              "network.initialization xavier instead of truncated_normal",
              "network.hidden 8,8 instead of 40,40", "inner.step_size 0.01 instead of 0.001",
              "meta.batch_size 5 instead of 25", "evaluation.tasks 10 instead of 600",
              "evaluation.steps 2 instead of 10", "evaluation.queries 7 instead of 100"}));

  // The numbers are those of the library on the checkpoint.
  ThreadPool pool(1, &Executor::prepare_thread);
  const TrainedRun trained = open_run(run.root());
  SupervisedMetaLearner learner(trained.config.supervised, find_algorithm("maml"), pool);
  learner.use(trained.checkpoint.meta, trained.checkpoint.method);
  const auto expected = statistics(learner.evaluate({.tasks = 10, .steps = 2, .shots = 5, .queries = 7}));
  REQUIRE(out["steps"].size() == 3);
  for (size_t k = 0; k < 3; ++k) {
    CHECK(out["steps"][k]["step"] == k);
    CHECK(out["steps"][k]["mse_mean"] == expected[k].mean);
    CHECK(out["steps"][k]["ci95"] == *expected[k].ci95);
  }

  const auto before = read_file(run.last_checkpoint()) + read_file(run.progress());
  const auto again = run_program({"bench", "--run-dir", run.root().string(), "--resume"});
  REQUIRE(again.code == 0);
  CHECK_THAT(again.output, contains("already done: 25"));
  CHECK(read_file(run.last_checkpoint()) + read_file(run.progress()) == before);
  CHECK(json::parse(read_file(run.root() / "bench.json")) == out);  // the milliseconds come from the log
}

TEST_CASE("bench on drawn characters has baselines, validation and the effective step size", "[bench]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const auto outcome = run_program(tiny_strokes("bench", run.root(), {"--meta.iterations", "4"}));
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.output, contains("inner step size 0.4 x 5 ways = 2 on the mean loss") &&
                                 contains("batch norm: batch") && contains("nearest neighbour on pixels") &&
                                 contains("the best on validation tasks"));
  const json out = json::parse(read_file(run.root() / "bench.json"));
  CHECK(out["effective_inner_step_size"] == 2.0);
  CHECK(out["loss_reduction"] == "sum_over_ways");
  CHECK(out["published"].is_null());
  for (const char* baseline : {"nearest_neighbour_pixels", "nearest_neighbour_features"}) {
    const double accuracy = out["baselines"][baseline]["accuracy_mean"];
    CHECK((accuracy >= 0 && accuracy <= 1));
  }
  const auto validations = lines_of(run.validation());
  REQUIRE(validations.size() == 3);
  CHECK(validations[0] == "iteration,accuracy_mean,ci95,best");
  CHECK_THAT(validations[1], StartsWith("2,") && EndsWith(",1"));

  // The iteration kept is the first with the highest accuracy on validation tasks.
  int64_t best = 0;
  double highest = -1;
  for (size_t i = 1; i < validations.size(); ++i) {
    std::istringstream row(validations[i]);
    int64_t iteration = 0;
    char comma = 0;
    double accuracy = 0;
    row >> iteration >> comma >> accuracy;
    if (accuracy > highest) best = iteration, highest = accuracy;
  }
  CHECK(load_checkpoint(run.best_checkpoint()).iteration == best);
  CHECK(out["selected_iteration"] == best);
  CHECK(out["meta_iterations"] == 4);
  CHECK(out["replacement"] == true);

  const auto disjoint = run_program({"bench", "--run-dir", run.root().string(), "--resume",
                                     "--evaluation.replacement", "false", "--evaluation.tasks", "1000"});
  INFO(disjoint.output);
  REQUIRE(disjoint.code == 0);
  const json apart = json::parse(read_file(run.root() / "bench.json"));
  const size_t tasks = apart["tasks"];
  CHECK((tasks > 1 && tasks < 1000));
  CHECK(apart["per_task"].size() == tasks);
  CHECK(apart["replacement"] == false);
  CHECK_THAT(disjoint.output, contains(concat(tasks, " test tasks that share no sample, 5-way")));
}

TEST_CASE("a supervised training has the same bits for 1, 2 and 5 threads", "[bench]") {
  const TemporaryFolder folder;
  const bool strokes = GENERATE(false, true);
  const auto tiny = strokes ? tiny_strokes : tiny_sine;
  for (const char* threads : {"1", "2", "5"}) {
    REQUIRE(
        run_program(tiny("bench", folder / threads, {"--meta.iterations", "4", "--threads", threads})).code ==
        0);
  }
  CHECK(read_file(RunDirectory(folder / "1").last_checkpoint()).size() > 500);
  require_same_run(RunDirectory(folder / "2"), RunDirectory(folder / "1"));
  require_same_run(RunDirectory(folder / "5"), RunDirectory(folder / "1"));
}

TEST_CASE("killed with kill -9 and resumed, a bench ends with the bits of an uninterrupted one", "[bench]") {
  const TemporaryFolder folder;
  const Words settings{"--config",
                       "sine_5shot",
                       "--meta.iterations",
                       "600",
                       "--checkpoint.every",
                       "7",
                       "--validation.every",
                       "20",
                       "--validation.tasks",
                       "20",
                       "--threads",
                       "2",
                       "--resume"};
  REQUIRE(run_program(tiny_sine("bench", folder / "whole", settings)).code == 0);
  const RunDirectory run(folder / "killed");
  int killed = 0;
  for (int64_t until : {30, 150, 400}) {  // kills when so many iterations are behind it
    const pid_t child = start_program(tiny_sine("bench", run.root(), settings), folder / "output");
    for (int i = 0; i < 2000; ++i) {
      if (std::filesystem::exists(run.last_checkpoint()) &&
          load_checkpoint(run.last_checkpoint()).iteration >= until)
        break;
      usleep(2000);
    }
    kill(child, SIGKILL);
    killed += wait_for(child) == 1000 + SIGKILL ? 1 : 0;
  }
  CHECK(killed >= 1);
  REQUIRE(run_program(tiny_sine("bench", run.root(), settings)).code == 0);
  CHECK(lines_of(run.validation()).size() == 31);
  require_same_run(run, RunDirectory(folder / "whole"));
}

TEST_CASE("a signal stops a bench with a checkpoint, and resuming it ends with the same bits", "[bench]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const pid_t child =
      start_program(tiny_sine("bench", run.root(), {"--meta.iterations", "100000000"}), folder / "output");
  for (int i = 0; i < 3000 && lines_of(run.progress()).size() < 3; ++i) usleep(2000);
  kill(child, SIGTERM);
  CHECK(wait_for(child) == 143);
  CHECK_THAT(read_file(folder / "output"), contains("innerloop bench --run-dir"));
  CHECK(!std::filesystem::exists(run.root() / "bench.json"));
  const int64_t done = load_checkpoint(run.last_checkpoint()).iteration;
  const std::string more = std::to_string(done + 15);
  REQUIRE(
      run_program({"bench", "--run-dir", run.root().string(), "--resume", "--meta.iterations", more}).code ==
      0);
  const RunDirectory whole(folder / "whole");
  REQUIRE(run_program(tiny_sine("bench", whole.root(), {"--meta.iterations", more})).code == 0);
  CHECK(read_file(run.last_checkpoint()) == read_file(whole.last_checkpoint()));
  CHECK(reproducible_rows(run) == reproducible_rows(whole));
}

TEST_CASE("a resumed training shows the accuracy of before until it measures the next", "[bench]") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  const auto go_on = [&](const std::string& iterations) {  // accuracy is measured in every second one
    auto words = tiny_strokes("bench", run, {"--meta.iterations", iterations, "--resume"});
    *(std::find(words.begin(), words.end(), "--progress.every") + 1) = "20";
    const auto outcome = run_program(words);
    REQUIRE(outcome.code == 0);
    const auto at = outcome.output.rfind("accuracy ", outcome.output.find("s/iteration"));
    REQUIRE(at != std::string::npos);
    return std::stod(outcome.output.substr(at + 9));
  };
  const double before = go_on("1");
  CHECK(before > 0);
  CHECK(go_on("2") == before);
}

TEST_CASE("training stops early when validation gets no better, for good", "[bench]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  // Steps too small to change a float: every validation finds the same error.
  const auto outcome =
      run_program(tiny_sine("bench", run.root(),
                            {"--meta.iterations", "1000", "--meta.step_size", "1e-30", "--validation.every",
                             "4", "--validation.tasks", "5", "--validation.patience", "3"}));
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK(load_checkpoint(run.last_checkpoint()).iteration == 16);
  CHECK(load_checkpoint(run.best_checkpoint()).iteration == 4);
  const json out = json::parse(read_file(run.root() / "bench.json"));
  CHECK(out["selected_iteration"] == 4);
  CHECK(out["meta_iterations"] == 16);
  const auto bytes = read_file(run.last_checkpoint());
  REQUIRE(run_program({"bench", "--run-dir", run.root().string(), "--resume"}).code == 0);
  CHECK(read_file(run.last_checkpoint()) == bytes);
}

TEST_CASE("train and adapt work on a data set, and record says why it does not", "[bench]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const std::string path = run.root().string();
  const auto trained = run_program(tiny_sine("train", run.root(), {"--meta.iterations", "5"}));
  REQUIRE(trained.code == 0);
  CHECK_THAT(trained.output, contains("innerloop bench --run-dir"));
  CHECK(!std::filesystem::exists(run.root() / "bench.json"));
  REQUIRE(run_program({"adapt", "--run", path, "--shots", "20", "--evaluation.queries", "50"}).code == 0);
  const json out = json::parse(read_file(run.root() / "adapt.json"));
  CHECK(out["shots"] == 20);
  CHECK(out["queries"] == 50);
  CHECK(out["meta_iterations"] == 5);
  CHECK(std::filesystem::exists(run.root() / "adapt_tasks.png"));

  const auto record = run_program({"record", "--run", path});
  CHECK(record.code == 2);
  CHECK_THAT(record.output, contains("supervised learning on sine") && contains("innerloop adapt"));
  const auto wrong = run_program({"adapt", "--run", path, "--trajectories", "5"});
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.output, contains("evaluation.trajectories") && contains("a configuration is of one side"));
}

TEST_CASE("a key of the wrong side is refused with both keys named", "[bench]") {
  check_refused({
      {{"bench", "--environment.name", "navigation_2d"}, "innerloop train"},
      {{"bench", "--config", "navigation_2d"}, "environment.name = navigation_2d"},
      {{"train", "--config", "navigation_2d", "--dataset.shots", "5"},
       "--dataset.shots one of supervised learning"},
      {{"bench", "--config", "sine_5shot", "--policy.hidden", "5"}, "--policy.hidden is a key of policies"},
      {{"bench", "--meta.optimizer", "trpo"}, "expected one of adam, adam_by_group, lars, sgd"},
      {{"bench", "--dataset.name", "sien"}, "did you mean 'sine'?"},
      {{"bench", "--dataset.name", "strokes", "--dataset.std", "0"}, "expected numbers above 0"},
  });
}

TEST_CASE("a key that would do nothing is refused", "[bench]") {
  check_refused({
      {{"bench", "--config", "sine_5shot", "--dataset.ways", "5"},
       "sine: ways is 5, expected 1 (regression)"},
      {{"bench", "--config", "sine_5shot", "--validation.patience", "2"},
       "--validation.patience would do nothing: validation.every is 0, expected above 0"},
      {{"train", "--config", "navigation_2d", "--meta.optimizer", "adam", "--meta.max_kl", "0.1"},
       "--meta.max_kl would do nothing: meta.optimizer is adam, expected trpo"},
      {{"train", "--config", "navigation_2d", "--meta.step_size", "0.1"},
       "--meta.step_size would do nothing: meta.optimizer is trpo, expected adam, sgd or lars"},
      {{"bench", "--config", "sine_5shot", "--algorithm", "meta_sgd", "--inner.steps", "0"},
       "inner.steps: 0 found, expected 1 or more: the step sizes are learned through inner steps"},
      {{"bench", "--config", "sine_5shot", "--network.filters", "8"},
       "network.filters: network mlp does not know"},
      {{"bench", "--config", "sine_5shot", "--dataset.splits", "vinyals"},
       "dataset.splits: dataset sine does not know"},
      {{"bench", "--config", "strokes_5way_1shot", "--dataset.mean", "0,0"},
       "strokes: mean has 2 numbers, expected 1\n"},
  });
}

TEST_CASE("help shows the keys of the command's side with that side's defaults", "[bench]") {
  const auto bench = run_program({"bench", "--help"}).output;
  CHECK_THAT(bench, contains("dataset.shots") && contains("validation.patience") && contains("meta.clip") &&
                        contains("[adam]"));
  CHECK_THAT(bench, !contains("environment.name") && !contains("meta.max_kl"));
  const auto train = run_program({"train", "--help"}).output;
  CHECK_THAT(train, contains("dataset.shots") && contains("environment.name") && contains("meta.max_kl"));
}
