// Claims about what a report finds in runs: groups, statistics, what it refuses.
#include <cmath>

#include "runners/reports/report_data.h"
#include "runners/reports/report_results.h"
#include "runners/reports/run_commands.h"
#include "tests/catch.h"
#include "tests/runners/reports/made_run.h"
#include "tests/runners/scratch_folder.h"

using namespace innerloop;

namespace {

// Three seeds of maml and of anil on four tasks, two steps each; anil is 0.1, 0.1, 0.1 and 0.3 better.
struct TwoAlgorithms {
  ScratchFolder folder;
  std::vector<RunSummary> runs;

  TwoAlgorithms() {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      const double s = 0.01 * static_cast<double>(seed);
      const std::vector<std::vector<double>> tasks{
          {0.2, 0.4 + s}, {0.2, 0.5 + s}, {0.2, 0.6 + s}, {0.2, 0.5 + s}};
      auto better = tasks;
      for (size_t t = 0; t < 4; ++t) better[t][1] += t == 3 ? 0.3 : 0.1;
      add({.algorithm = "anil", .seed = seed, .tasks = better});
      add({.seed = seed, .tasks = tasks});
    }
  }
  void add(const MadeRun& run) {
    const auto name = concat("run", runs.size() + 1);
    runs.push_back(read_run(make_run(folder / name, run), ""));
  }
};

}  // namespace

TEST_CASE("runs of the same configuration but seed are one algorithm with several seeds", "[report]") {
  const TwoAlgorithms made;
  const auto problems = group_runs(made.runs);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].label == "strokes, 5-way 1-shot");
  CHECK(problems[0].metric == "accuracy");
  REQUIRE(problems[0].groups.size() == 2);
  CHECK(problems[0].groups[0].label == "anil");
  CHECK(problems[0].groups[1].label == "maml");
  for (const auto& group : problems[0].groups) {
    REQUIRE(group.runs.size() == 3);
    for (uint64_t s = 0; s < 3; ++s) CHECK(group.runs[s].seed() == s + 1);
  }
}

TEST_CASE("algorithms of one name are told apart by the keys in which they differ", "[report]") {
  TwoAlgorithms made;
  made.add({.seed = 1, .more = {{"inner.steps", "5"}, {"threads", "2"}}});
  const auto problems = group_runs(made.runs);
  REQUIRE(problems[0].groups.size() == 3);
  CHECK(problems[0].groups[0].label == "anil");
  CHECK(problems[0].groups[1].label == "maml, inner.steps = 1");
  CHECK(problems[0].groups[2].label == "maml, inner.steps = 5");
  for (const auto& difference : key_differences(problems[0].groups)) CHECK(difference.key != "threads");
}

TEST_CASE("an environment's own horizon is the same as that number", "[report]") {
  const ScratchFolder folder;
  const auto made = [&](const std::string& name, const std::string& horizon) {
    std::filesystem::create_directories(folder / name);
    const Flags flags{
        {"environment.name", "navigation_2d"}, {"algorithm", name}, {"environment.horizon", horizon}};
    write_file_atomically(folder / name / "config.ini", format_config(made_config(flags)));
    write_file_atomically(
        folder / name / "progress.csv",
        "iteration,step_0_return_mean,step_1_return_mean,sampling_seconds,advantage_seconds,"
        "update_seconds\n1,-40,-20,1,1,1\n");
    return read_run(folder / name, "");
  };
  const auto same = group_runs({made("maml", "0"), made("fomaml", "100")});
  REQUIRE(same.size() == 1);
  CHECK(same[0].groups.size() == 2);
  for (const auto& difference : key_differences(same[0].groups))
    CHECK(difference.key != "environment.horizon");
  CHECK(group_runs({made("maml", "0"), made("fomaml", "99")}).size() == 2);
}

TEST_CASE("seeds that start from the run of their own seed are one algorithm", "[report]") {
  TwoAlgorithms made;
  for (const uint64_t seed : {1, 2, 3})
    made.add({.algorithm = "metal", .seed = seed, .more = {{"meta.start", concat("suite/maml-seed", seed)}}});
  made.add({.algorithm = "metal", .seed = 13, .more = {{"meta.start", "suite/maml-seed3"}}});
  const auto problems = group_runs(made.runs);
  REQUIRE(problems[0].groups.size() == 4);
  CHECK(problems[0].groups[2].label == "metal, meta.start = suite/maml");
  CHECK(problems[0].groups[2].runs.size() == 3);
  CHECK(problems[0].groups[3].label == "metal, meta.start = suite/maml-seed3");
}

TEST_CASE("the same training twice is refused, since it would count as two seeds", "[report]") {
  TwoAlgorithms made;
  made.add({.seed = 2, .more = {{"threads", "2"}}});
  CHECK_THROWS_AS(group_runs(made.runs), UsageError);
  CHECK_THROWS_WITH(group_runs(made.runs),
                    contains("run4") && contains("run7") && contains("the same training"));
}

TEST_CASE("a report says statistics over seeds, and over tasks in pairs with the baseline", "[report]") {
  const TwoAlgorithms made;
  const auto results = report_results(group_runs(made.runs), "");
  REQUIRE(results.problems.size() == 1);
  const auto& problem = results.problems[0];
  CHECK(problem.baseline == 1);  // maml, though anil is given first
  CHECK(problem.not_paired.empty());
  const auto &anil = problem.groups[0], &maml = problem.groups[1];
  REQUIRE(maml.seeds.size() == 3);
  CHECK(maml.seeds[0] == Approx(0.51));
  CHECK(maml.over_seeds->value == Approx(0.52));
  REQUIRE(maml.over_seeds->ci95);
  CHECK(maml.over_seeds->ci95->low == Approx(0.51));
  CHECK(maml.over_seeds->ci95->high == Approx(0.53));
  CHECK(maml.over_tasks->mean == Approx(0.52));
  CHECK(!maml.difference);
  CHECK(!maml.improvement);
  CHECK(anil.difference->mean == Approx(0.15));
  CHECK(*anil.difference->std == Approx(0.1));  // of 0.1, 0.1, 0.1, 0.3
  CHECK(anil.improvement->value == 1);
  REQUIRE(anil.adaptation.size() == 2);
  CHECK(anil.adaptation[0].y.value == Approx(0.2));
  CHECK(anil.adaptation[1].y.value == Approx(0.67));
  REQUIRE(anil.learning.size() == 3);
  CHECK(anil.learning[2].x == 300);
  CHECK(anil.learning[2].y.value == Approx(0.4));
  CHECK(anil.profile.front().y.value == 1);
  CHECK(anil.profile.back().y.value == 0);
  const auto other = report_results(group_runs(made.runs), "anil").problems[0];
  CHECK(other.baseline == 0);
  CHECK(other.groups[1].difference->mean == Approx(-0.15));
  CHECK(other.groups[1].improvement->value == 0);
}

TEST_CASE("of errors the lower is the better", "[report]") {
  const ScratchFolder folder;
  std::vector<RunSummary> runs;
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    const double s = 0.1 * static_cast<double>(seed);
    runs.push_back(read_run(make_run(folder / concat("maml", seed),
                                     {.dataset = "sine", .seed = seed, .tasks = {{4, 1 + s}, {4, 3 + s}}}),
                            ""));
    runs.push_back(read_run(
        make_run(folder / concat("anil", seed),
                 {.dataset = "sine", .algorithm = "anil", .seed = seed, .tasks = {{4, 2 + s}, {4, 4 + s}}}),
        ""));
  }
  const auto problem = report_results(group_runs(runs), "maml").problems[0];
  CHECK(problem.problem.metric == "mse");
  CHECK(problem.groups[1].improvement->value == 0);
  CHECK(problem.groups[1].difference->mean == Approx(1));
  // Every run is better than an error above all of them, none better than one below.
  CHECK(problem.groups[0].profile.front().y.value == 0);
  CHECK(problem.groups[0].profile.back().y.value == 1);
}

TEST_CASE("one seed has an interval over tasks, not over seeds", "[report]") {
  const ScratchFolder folder;
  const auto run = read_run(make_run(folder / "run", {.tasks = {{0.2, 0.4}, {0.3, 0.6}, {0.1, 0.5}}}), "");
  const auto results = report_results(group_runs({run}), "");
  const auto& own = results.problems[0].groups[0];
  CHECK(own.over_seeds->value == Approx(0.5));
  CHECK(!own.over_seeds->ci95);
  CHECK(*own.over_tasks->ci95 == Approx(4.3026527 * 0.1 / std::sqrt(3.0)));
  REQUIRE(own.adaptation[1].y.ci95);
  CHECK(own.adaptation[1].y.ci95->high == Approx(0.5 + *own.over_tasks->ci95));
  CHECK(own.profile.empty());
}

TEST_CASE("what is still training, or was tested on other tasks, is reported as such", "[report]") {
  TwoAlgorithms made;
  made.add({.algorithm = "boil", .progress = {0.2}});
  auto problem = report_results(group_runs(made.runs), "").problems[0];
  CHECK(problem.problem.groups[2].runs[0].done == 100);
  CHECK(!problem.problem.groups[2].runs[0].finished());
  CHECK(problem.groups[2].learning.size() == 1);
  CHECK(problem.groups[2].seeds.empty());
  CHECK(!problem.groups[2].over_seeds);
  CHECK(problem.groups[0].difference->mean == Approx(0.15));
  made.add({.algorithm = "fomaml",
            .tasks = {{0.2, 0.4}, {0.2, 0.5}, {0.2, 0.6}, {0.2, 0.5}},
            .evaluation_seed = 7});
  problem = report_results(group_runs(made.runs), "").problems[0];
  CHECK_THAT(problem.not_paired, contains("seed = 7"));
  CHECK(!problem.groups[0].difference);
  CHECK(problem.groups[3].over_tasks->mean == Approx(0.5));

  TwoAlgorithms others;
  others.add({.algorithm = "fomaml",
              .tasks = {{0.2, 0.4}, {0.2, 0.5}, {0.2, 0.6}, {0.2, 0.5}},
              .replacement = false});
  CHECK_THAT(report_results(group_runs(others.runs), "").problems[0].not_paired,
             contains("replacement = false"));
}

TEST_CASE("accuracies on several problems are put together, other results are not", "[report]") {
  TwoAlgorithms made;
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    for (const std::string algorithm : {"maml", "anil"}) {
      const double value = algorithm == "maml" ? 0.9 : 0.8;
      made.add({.algorithm = algorithm,
                .seed = seed,
                .tasks = {{0.2, value}, {0.2, value}},
                .more = {{"dataset.shots", "5"}}});
    }
  }
  const auto results = report_results(group_runs(made.runs), "");
  REQUIRE(results.problems.size() == 2);
  CHECK(results.problems[1].problem.label == "strokes, 5-way 5-shot");
  REQUIRE(results.across);
  CHECK(results.across->labels == std::vector<std::string>{"anil", "maml"});
  CHECK(results.across->improvement[0]->value == 0.5);  // always better on one, never on the other
  CHECK(!results.across->improvement[1]);
  CHECK(results.across->over_seeds[1].value == Approx((0.52 + 0.53 + 0.9) / 3));
  made.add({.dataset = "sine", .tasks = {{4, 1}}});
  const auto mixed = report_results(group_runs(made.runs), "");
  CHECK(!mixed.across);
  CHECK_THAT(mixed.not_across, contains("sine") && contains("not on one scale"));
}

TEST_CASE("a report refuses what is no run and what is not known, and names it", "[report]") {
  const TwoAlgorithms made;
  const auto& folder = made.folder;
  CHECK_THROWS_WITH(read_run(folder / "nothing", ""), contains("no run directory"));
  CHECK_THROWS_WITH(group_runs({}), contains("no run given"));
  CHECK_THROWS_WITH(report_results(group_runs(made.runs), "anli"), contains("did you mean 'anil'?"));
  for (const char* text : {"", "{", "[]", "{\"algorithm\": 3}", "{\"per_task\": []}"}) {
    const auto run = make_run(folder / "damaged", {});
    write_file_atomically(run / "bench.json", text);
    CAPTURE(text);
    CHECK_THROWS_WITH(read_run(run, ""), contains("bench.json' is no evaluation"));
    CHECK_NOTHROW(read_run(run, "adapt"));
  }
  const auto torn = make_run(folder / "torn", {});
  write_file_atomically(torn / "progress.csv",
                        "iteration,query_loss,query_accuracy,milliseconds\n100,1,0.5,2\n200,1,0.");
  CHECK(read_run(torn, "").done == 100);
  write_file_atomically(torn / "progress.csv", "iteration,query_loss,query_accuracy,milliseconds\n100,1\n");
  CHECK_THROWS_WITH(read_run(torn, ""), contains("line 2 has 2 cells, expected 4"));
}

TEST_CASE("the command of a run gives its very configuration", "[report]") {
  const ScratchFolder folder;
  const auto run =
      read_run(make_run(folder / "a run", {.tasks = {{0.2, 0.4}}, .more = {{"inner.steps", "5"}}}), "");
  const auto commands = commands_of(run);
  REQUIRE(commands.size() == 1);
  CHECK_THAT(commands[0],
             StartsWith("innerloop bench --") && contains("--inner.steps 5") && contains("/a run'"));
  CHECK_THAT(commands[0], !contains("config.ini"));
  const auto adapted = read_run(make_run(folder / "b", {.tasks = {{0.2, 0.4}}, .evaluation = "adapt"}), "");
  REQUIRE(commands_of(adapted).size() == 2);
  CHECK_THAT(commands_of(adapted)[1],
             StartsWith("innerloop adapt --run ") &&
                 EndsWith("--evaluation.tasks 1 --evaluation.steps 1 --evaluation.seed 1"));
}

TEST_CASE("a report's numbers are the same in JSON, and every run has a row in CSV", "[report]") {
  TwoAlgorithms made;
  made.add({.algorithm = "boil"});
  const auto results = report_results(group_runs(made.runs), "");
  const auto json = nlohmann::json::parse(report_json(results, "innerloop report"));
  const auto& anil = json["problems"][0]["algorithms"][0];
  CHECK(anil["algorithm"] == "anil");
  CHECK(anil["seeds"].get<std::vector<double>>() == results.problems[0].groups[0].seeds);
  CHECK(anil["difference"].get<double>() == results.problems[0].groups[0].difference->mean);
  CHECK(anil["interquartile_mean_ci95"][1].get<double>() ==
        results.problems[0].groups[0].over_seeds->ci95->high);
  CHECK(anil["runs"].size() == 3);
  CHECK(json["problems"][0]["algorithms"][2]["interquartile_mean"].is_null());
  CHECK(json["across_problems"].is_null());
  const std::string csv = report_csv(results);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 8);
  CHECK_THAT(csv,
             StartsWith("problem,algorithm,seed,run,metric,meta_iterations,of,milliseconds_per_iteration,"
                        "evaluation,tasks,step_0,step_1,ci95\n\"strokes, 5-way 1-shot\",anil,1,"));
  CHECK_THAT(csv,
             contains(",accuracy,300,300,2.5,bench,4,0.2,0.66,") && contains(",accuracy,300,300,2.5,,,,,\n"));
  CHECK(report_json(report_results(group_runs(made.runs), ""), "x") == report_json(results, "x"));
}
