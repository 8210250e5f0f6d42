// Claims about `innerloop suite`: it is run as a user runs it, with trainings of a second.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <sstream>
#include <thread>

#include "base/file_lock.h"
#include "base/paths.h"
#include "runners/experiment/config.h"
#include "runners/suites/suite_record.h"
#include "tests/catch.h"
#include "tests/runners/program.h"

using namespace innerloop;
using nlohmann::json;

namespace {

using Words = std::vector<std::string>;

constexpr char kSine[] =
    "dataset.name = sine\nnetwork.hidden = 8\nmeta.batch_size = 2\nprogress.every = 5\nevaluation.tasks = 5\n"
    "evaluation.steps = 1\n";
constexpr char kNavigation[] =
    "environment.name = navigation_2d\nenvironment.horizon = 5\npolicy.hidden = 4\nsampler.trajectories = 3\n"
    "meta.batch_size = 2\nevaluation.tasks = 3\nevaluation.trajectories = 2\nevaluation.steps = 1\n";

Words suite_on(const std::filesystem::path& file, const std::filesystem::path& out, const Words& more = {}) {
  Words words{"suite", file.string(), "--out", out.string()};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// The rows of suite.csv without the seconds.
Words rows_of(const std::filesystem::path& folder) {
  std::istringstream in(read_file(folder / "suite.csv"));
  Words rows;
  for (std::string row; std::getline(in, row);) {
    Words cells;
    std::istringstream words(row);
    for (std::string word; std::getline(words, word, ',');) cells.push_back(word);
    if (cells.size() > 9) cells[9] = "";
    if (cells.size() > 2 && cells[2] == "done before") cells[2] = "done";
    rows.push_back(join(cells, ","));
  }
  return rows;
}

std::string checkpoint_of(const std::filesystem::path& folder, const std::string& run) {
  return read_file(folder / run / "checkpoints" / "last.safetensors");
}

template <class Condition>
void wait_until(Condition condition) {
  for (int i = 0; i < 6000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  REQUIRE(condition());
}

void draw_fruits(const std::filesystem::path& folder, int test_shade) {
  for (const std::string split : {"train", "val", "test"}) {
    for (int k = 0; k < 3; ++k) {
      const auto place = folder / split / concat(split, k);
      std::filesystem::create_directories(place);
      for (int i = 0; i < 4; ++i) {
        cv::Mat image(14, 14, CV_8UC1, cv::Scalar(10 * i));
        image.col(3 * k).setTo(split == "test" ? test_shade : 200 + i);
        cv::imwrite((place / concat(i, ".png")).string(), image);
      }
    }
  }
}

}  // namespace

TEST_CASE("a suite does its runs of both sides, tells results and leaves what is done as it is", "[suite]") {
  const TemporaryFolder folder;
  const auto file = folder / "both.ini", out = folder / "out";
  write_file(file, concat("# Both sides.\n[suite]\niterations = 10\n[run sine]\n", kSine,
                          "[run navigation]\n", kNavigation));
  const auto dry = run_program(suite_on(file, out, {"--dry-run"}));
  CHECK(dry.code == 0);
  CHECK_THAT(dry.output, contains("sine-seed1: to do") && contains("defaults.ini --dataset.name sine"));
  CHECK(!std::filesystem::exists(out));
  const auto threads = [&](const std::string& base, const std::string& run) {
    const auto other = folder / "threads.ini";
    write_file(other, concat("[base]\n", base, "[run a]\n", run, "[run b]\n"));
    return run_program(suite_on(other, out, {"--dry-run"})).output;
  };
  CHECK_THAT(threads("threads = 3\n", ""), contains(" at a time, 3 threads each;"));
  CHECK_THAT(threads("threads = 3\n", "threads = 1\n"), contains(" at a time, 1 to 3 threads each;"));

  const auto first = run_program(suite_on(file, out));
  INFO(first.output);
  REQUIRE(first.code == 0);
  CHECK_THAT(first.output, contains("Both sides.") && contains("10 meta-iterations each"));
  const json sine = json::parse(read_file(out / "sine-seed1" / "bench.json"));
  const json found = json::parse(read_file(out / "suite.json"));
  REQUIRE(found.at("runs").size() == 2);
  CHECK(found["runs"][0]["state"] == "done");
  CHECK(found["runs"][0]["result"]["mean"] == sine["steps"].back()["mse_mean"]);
  CHECK(found["runs"][0]["result"]["ci95"] == sine["steps"].back()["ci95"]);
  CHECK(found["runs"][0]["result"]["meta_iterations"] == 10);
  CHECK(found["runs"][1]["result"]["metric"] == "return");
  CHECK(found["runs"][1]["result"]["mean"] ==
        json::parse(read_file(out / "navigation-seed1" / "adapt.json"))["steps"].back()["return_mean"]);

  const auto written = std::filesystem::last_write_time(out / "sine-seed1" / "config.ini");
  const auto rows = rows_of(out);
  const auto second = run_program(suite_on(file, out));
  CHECK(second.code == 0);
  CHECK_THAT(second.output, contains("2 done before") && contains("done before"));
  CHECK(std::filesystem::last_write_time(out / "sine-seed1" / "config.ini") == written);
  CHECK(rows_of(out) == rows);

  // Another version is told of, another evaluation is done, another training is refused.
  const auto record = out / "sine-seed1" / "suite.json";
  json changed = json::parse(read_file(record));
  changed["version"] = "0.0.0";
  write_file(record, changed.dump());
  CHECK_THAT(run_program(suite_on(file, out)).output,
             contains("sine-seed1 was done by innerloop 0.0.0, this is " + version()));
  const auto more = run_program(suite_on(file, out, {"--runs", "sine", "--evaluation.tasks", "6"}));
  CHECK(more.code == 0);
  CHECK_THAT(more.output,
             contains("sine-seed1 was done otherwise: evaluation.tasks is 5 there, 6 in the suite"));
  CHECK(json::parse(read_file(out / "sine-seed1" / "bench.json"))["tasks"] == 6);
  const auto other = run_program(suite_on(file, out, {"--runs", "sine", "--meta.batch_size", "3"}));
  CHECK(other.code == 1);
  CHECK_THAT(other.output, contains("it was trained with meta.batch_size = 2, now meta.batch_size = 3"));
}

TEST_CASE("a run that fails, and one that is killed, fail alone and are named with their reason", "[suite]") {
  const TemporaryFolder folder;
  const auto file = folder / "some.ini", out = folder / "out";
  write_file(file, concat("[suite]\niterations = 10\n[base]\n", kSine,
                          "[run broken]\nmeta.start = nowhere\n[run long]\n",
                          "checkpoint.every = 1000000\n[run good]\n"));
  const pid_t suite =
      start_program(suite_on(file, out, {"--jobs", "2", "--iterations", "200000", "--runs", "broken,long"}),
                    folder / "output");
  const auto lock = out / "long-seed1" / "lock";
  wait_until([&] { return std::filesystem::exists(out / "long-seed1" / "progress.csv"); });
  kill(std::stoi(read_file(lock)), SIGKILL);
  CHECK(wait_for(suite) == 1);
  const std::string output = read_file(folder / "output");
  CHECK_THAT(output, contains("2 runs failed: broken-seed1, long-seed1"));
  CHECK_THAT(output, contains("cannot open 'nowhere'"));
  CHECK_THAT(output, contains("long-seed1: failed: killed by signal 9 (SIGKILL)"));
  CHECK_THAT(output, contains("logs/broken-seed1.log"));
  const auto whole = run_program(suite_on(file, out, {"--runs", "broken,good"}));
  CHECK(whole.code == 1);
  CHECK_THAT(whole.output, contains("good-seed1: done") && contains("1 run failed: broken-seed1"));
  CHECK(json::parse(read_file(out / "suite.json"))["runs"][0]["error"].is_string());
}

TEST_CASE("killed with kill -9, or stopped, a suite leaves no training and ends with the bits of a whole one",
          "[suite]") {
  const TemporaryFolder folder;
  const auto file = folder / "some.ini", whole = folder / "whole";
  write_file(
      file,
      concat("[suite]\nseeds = 1,2\niterations = 5000\n[base]\ncheckpoint.every = 100\n[run sine]\n", kSine));
  REQUIRE(run_program(suite_on(file, whole, {"--jobs", "2"})).code == 0);
  for (const int signal : {SIGKILL, SIGTERM}) {
    const auto broken = folder / concat("broken", signal);
    const pid_t suite = start_program(suite_on(file, broken, {"--jobs", "2"}), folder / "output");
    const Words runs{"sine-seed1", "sine-seed2"};
    const auto trains = [&](const std::string& run) { return is_locked(broken / run / "lock"); };
    wait_until(
        [&] { return !checkpoint_of(broken, runs[0]).empty() && !checkpoint_of(broken, runs[1]).empty(); });
    CHECK((trains(runs[0]) || trains(runs[1])));
    kill(suite, signal);
    CHECK(wait_for(suite) == (signal == SIGKILL ? 1000 + SIGKILL : 128 + SIGTERM));
    wait_until([&] { return !trains(runs[0]) && !trains(runs[1]); });
    for (const auto& run : runs) {
      CHECK_FALSE(
          (checkpoint_of(broken, run) == checkpoint_of(whole, run)));  // in brackets: they are not printed
      if (signal == SIGKILL) continue;
      CHECK_THAT(read_file(broken / "logs" / (run + ".log")), contains("checkpoint saved"));
    }
    if (signal == SIGTERM) CHECK_THAT(read_file(folder / "output"), contains("stopped by signal 15"));
    REQUIRE(run_program(suite_on(file, broken, {"--jobs", "1"})).code == 0);
    for (const auto& run : runs) CHECK((checkpoint_of(broken, run) == checkpoint_of(whole, run)));
    CHECK(rows_of(broken) == rows_of(whole));
  }
}

TEST_CASE("parts 1/2 and 2/2 do each run once, and together what the whole does", "[suite]") {
  const TemporaryFolder folder;
  const auto file = folder / "some.ini", whole = folder / "whole", parts = folder / "parts";
  write_file(file, concat("[suite]\nseeds = 1,2\niterations = 5\n[run sine]\n", kSine));
  REQUIRE(run_program(suite_on(file, whole)).code == 0);
  const auto first = run_program(suite_on(file, parts, {"--part", "1/2"}));
  CHECK(first.code == 0);
  CHECK(std::filesystem::exists(parts / "sine-seed1" / "bench.json"));
  CHECK(!std::filesystem::exists(parts / "sine-seed2"));
  CHECK_THAT(join(rows_of(parts), "\n"), contains("sine,2,other part"));
  const auto second = run_program(suite_on(file, parts, {"--part", "slurm"}), [] {
    setenv("SLURM_ARRAY_TASK_ID", "12", 1);
    setenv("SLURM_ARRAY_TASK_MIN", "10", 1);
    setenv("SLURM_ARRAY_TASK_COUNT", "2", 1);
    setenv("SLURM_ARRAY_TASK_STEP", "2", 1);
  });
  CHECK(second.code == 0);
  CHECK(rows_of(parts) == rows_of(whole));
  CHECK((checkpoint_of(parts, "sine-seed2") == checkpoint_of(whole, "sine-seed2")));
}

TEST_CASE("a grid judges on validation tasks: its ranking is the same whatever the test images are",
          "[suite]") {
  const TemporaryFolder folder;
  std::vector<std::string> rankings;
  for (const int shade : {90, 250}) {
    const auto data = folder / concat("fruits", shade), out = folder / concat("out", shade);
    draw_fruits(data, shade);
    const auto file = folder / "grid.ini";
    write_file(file,
               concat("[suite]\nsearch = grid\niterations = 2\n[run fruits]\ndataset.name = "
                      "image_folder\ndataset.path = ",
                      data.string(), "\ndataset.ways = 2\ndataset.shots = 1\ndataset.queries = 2\n",
                      "network.name = conv4\nnetwork.batch_norm = batch\nnetwork.filters = 2\n",
                      "meta.batch_size = 2\nvalidation.tasks = 6\n[search]\ninner.step_size = 0.1, 0.03\n"));
    const auto outcome = run_program(suite_on(file, out));
    INFO(outcome.output);
    REQUIRE(outcome.code == 0);
    rankings.push_back(read_file(out / "ranking.csv"));
    for (const std::string run : {"fruits-001-seed1", "fruits-002-seed1"}) {
      CHECK(std::filesystem::exists(out / run / "validation.csv"));
      CHECK(!std::filesystem::exists(out / run / "bench.json"));
      CHECK(!std::filesystem::exists(out / run / "evaluations"));
    }
    // What a test would say does differ: the images are others.
    const auto best = out / "best-fruits.ini", run = folder / concat("best", shade);
    REQUIRE(run_program({"bench", "--config", best.string(), "--run-dir", run.string()}).code == 0);
    CHECK(read_file(run / "checkpoints" / "best.safetensors").size() > 500);
  }
  CHECK(rankings[0] == rankings[1]);
  CHECK(std::count(rankings[0].begin(), rankings[0].end(), '\n') == 3);
  const auto tested = [&](const std::string& run) {
    return json::parse(read_file(folder / run / "bench.json"));
  };
  CHECK(tested("best90")["data_digest"] != tested("best250")["data_digest"]);
}

TEST_CASE("a suite with a study makes it of every run and tells the means over seeds", "[suite]") {
  const TemporaryFolder folder;
  const auto data = folder / "data", file = folder / "study.ini", out = folder / "out";
  draw_fruits(data, 90);
  const std::string study = concat(
      "[suite]\nseeds = 1,2\niterations = 2\nstudy = verification\n[run fruits]\nalgorithm = prototypical\n"
      "dataset.name = image_folder\ndataset.path = ",
      data.string(), "\ndataset.ways = 2\ndataset.shots = 1\ndataset.queries = 2\n",
      "network.name = conv4\nnetwork.batch_norm = batch\nnetwork.filters = 2\n",
      "meta.batch_size = 2\nevaluation.tasks = 3\n");
  write_file(file, study);
  const auto first = run_program(suite_on(file, out));
  INFO(first.output);
  REQUIRE(first.code == 0);
  CHECK_THAT(first.output, contains("mean over seeds") && contains("rank1") && contains("tar_at_0.001"));
  double sum = 0;
  for (const std::string seed : {"1", "2"}) {
    const json found = json::parse(read_file(out / ("fruits-seed" + seed) / "verification.json"));
    CHECK(found["all"]["identities"] == 3);
    sum += found["all"]["auc"]["value"].get<double>();
  }
  std::istringstream csv(read_file(out / "verification.csv"));
  std::string head, row;
  std::getline(csv, head);
  CHECK(head == "run,seed,rank1,tar_at_0.1,tar_at_0.01,tar_at_0.001,tar_at_0.0001,auc,eer");
  double told = 0;
  while (std::getline(csv, row)) {
    std::istringstream words(row);
    Words cells;
    for (std::string word; std::getline(words, word, ',');) cells.push_back(word);
    REQUIRE(cells.size() == 9);
    told += std::stod(cells[7]);
  }
  CHECK(std::abs(told - sum) < 1e-6);

  // Without its study a run is not done.
  CHECK_THAT(run_program(suite_on(file, out)).output, contains("2 done before"));
  std::filesystem::remove(out / "fruits-seed2" / "verification.json");
  const auto again = run_program(suite_on(file, out));
  CHECK_THAT(again.output, contains("1 done before") && contains("verification.json"));
  CHECK(std::filesystem::exists(out / "fruits-seed2" / "verification.json"));

  write_file(file, concat("[suite]\nstudy = verification\n[run navigation]\n", kNavigation));
  const auto refused = run_program(suite_on(file, folder / "other"));
  CHECK(refused.code == 2);
  CHECK_THAT(refused.output, contains("suite.study is verification"));
}

TEST_CASE("a random search of policies judges on tasks that are drawn apart from test tasks", "[suite]") {
  const TemporaryFolder folder;
  const auto file = folder / "draws.ini", out = folder / "out";
  write_file(file, concat("[suite]\nsearch = random\ndraws = 2\niterations = 2\n[run navigation]\n",
                          kNavigation, "[search]\ninner.step_size = 0.01 to 0.5 log\n"));
  const auto outcome = run_program(suite_on(file, out));
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.output, contains("no test task is touched") && contains("judged on validation tasks"));
  const json judged = json::parse(read_file(out / "navigation-001-seed1" / "adapt.json"));
  CHECK(judged["seed"] == (uint64_t{1} << 32) + 1);
  REQUIRE(run_program({"adapt", "--run", (out / "navigation-001-seed1").string()}).code == 0);
  const json tested = json::parse(read_file(out / "navigation-001-seed1" / "adapt.json"));
  for (const auto& mine : judged["per_task"]) {
    for (const auto& test : tested["per_task"]) CHECK(mine["task"] != test["task"]);
  }
  const auto best = make_config(read_settings(out / "best-navigation.ini"));
  CHECK(best.iterations == 2);
  CHECK_THAT(read_file(out / "ranking.csv"), contains("navigation,1,navigation-00"));
}

TEST_CASE("a budget of minutes is measured once for a name, and is the same iterations for all its seeds",
          "[suite][slow]") {
  const TemporaryFolder folder;
  const auto file = folder / "timed.ini", out = folder / "out";
  write_file(file, concat("[suite]\nseeds = 1,2\nminutes = 0.01\n[run sine]\n", kSine));
  const auto outcome = run_program(suite_on(file, out));
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  const json speed = json::parse(read_file(out / "budgets" / "sine.json"));
  const auto expected = std::max<int64_t>(
      10, static_cast<int64_t>(0.6 * speed["iterations"].get<double>() / speed["cpu_seconds"].get<double>()));
  const json found = json::parse(read_file(out / "suite.json"));
  for (const auto& run : found["runs"]) CHECK(run["result"]["meta_iterations"] == expected);
  CHECK(!std::filesystem::exists(out / "sine-measuring"));
  CHECK_THAT(run_program(suite_on(file, out)).output, contains("2 done before"));
}

TEST_CASE(
    "requests that make no sense end with exit code 2, other folders with 1, before anything is started",
    "[suite]") {
  const TemporaryFolder folder;
  const auto file = folder / "some.ini", out = folder / "out";
  write_file(file, concat("[run sine]\n", kSine));
  write_file(folder / "bad.ini", "[run a]\nconfig = sine_11shot\n");
  const std::vector<std::pair<Words, std::string>> cases{
      {{"suite"}, "found 0 names, expected one"},
      {{"suite", "leage_sine"}, "did you mean 'league_sine'?"},
      {suite_on(folder / "bad.ini", out),
       "bad.ini:1: run a: --config: no file 'sine_11shot', and unknown configuration"},
      {suite_on(file, out, {"--jobs", "0"}), "--jobs is '0', expected a whole number, at least 1"},
      {suite_on(file, out, {"--part", "3/2"}), "--part is '3/2'"},
      {suite_on(file, out, {"--part", "slurm"}), "SLURM_ARRAY_TASK_ID is not set"},
      {suite_on(file, out, {"--runs", "sin"}), "did you mean 'sine'?"},
      {suite_on(file, out, {"--minutes", "0"}), "--minutes is '0'"},
      {suite_on(file, out, {"--minutes", "1", "--iterations", "1"}), "expected one budget"},
      {suite_on(file, out, {"--inner.stesp", "1"}), "did you mean '--inner.steps'?"},
      {suite_on(file, out, {"--inner.steps", "x"}), "inner.steps is 'x'"},
      {suite_on(file, out, {"--seed", "1"}), "--seeds"},
  };
  for (const auto& [arguments, expected] : cases) {
    const auto outcome = run_program(arguments);
    INFO(outcome.output);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.output, contains(expected));
  }
  CHECK(!std::filesystem::exists(out));
  std::filesystem::create_directories(out);
  write_file(out / "thesis.txt", "mine");
  const auto outcome = run_program(suite_on(file, out));
  CHECK(outcome.code == 1);
  CHECK_THAT(outcome.output, contains("is not empty and holds no suite"));
}

TEST_CASE("every installed suite can be planned and says what it is for", "[suite]") {
  const auto suites = installed_suites();
  CHECK(suites.size() >= 5);
  for (const auto& named : suites) {
    INFO(named.name);
    CHECK_THAT(named.description, EndsWith("."));
    const auto plan = plan_suite(read_suite(find_suite(named.name)), {.directory = "out"});
    CHECK(!plan.runs.empty());
  }
}
