#include "runners/experiment/comparison.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/catch.h"
#include "tests/runners/program.h"

using namespace innerloop;
using nlohmann::json;

namespace {

// A run directory with these accuracies after the last step.
std::string made(const TemporaryFolder& folder, const std::string& name, const std::string& algorithm,
                 const std::vector<double>& accuracies, const json& other = json::object()) {
  json out{{"dataset", "strokes"},
           {"data_digest", ""},
           {"ways", 5},
           {"shots", 1},
           {"queries", 1},
           {"tasks", accuracies.size()},
           {"seed", 1},
           {"algorithm", algorithm},
           {"meta_iterations", 100},
           {"milliseconds_per_iteration", 2.5}};
  for (const double accuracy : accuracies) out["per_task"].push_back({{"accuracy", {0.2, accuracy}}});
  out.update(other);
  const auto run = folder / name;
  std::filesystem::create_directories(run);
  write_file(run / "bench.json", out.dump());
  write_file(run / "config.ini", "seed = 7\n");
  return run.string();
}

std::vector<Compared> compared(const std::vector<std::string>& runs, const std::string& baseline = "maml") {
  std::vector<EvaluatedRun> read;
  for (const auto& run : runs) read.push_back(read_evaluated_run(run, "bench"));
  return compare(std::move(read), baseline);
}

}  // namespace

TEST_CASE("algorithms are compared task by task, over the mean of their seeds", "[compare]") {
  const TemporaryFolder folder;
  const auto rows =
      compared({made(folder, "a", "maml", {0.2, 0.4, 0.6}), made(folder, "b", "maml", {0.4, 0.6, 0.8}),
                made(folder, "c", "anil", {0.5, 0.6, 0.9})});
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].algorithm == "anil");
  CHECK(rows[0].result.mean == Approx(2.0 / 3));
  // 0.5 - 0.3, 0.6 - 0.5, 0.9 - 0.7: mean 1/6, standard deviation sqrt(1/300), t(2) = 4.303.
  CHECK(rows[0].difference.mean == Approx(1.0 / 6));
  CHECK(*rows[0].difference.ci95 == Approx(4.303 * std::sqrt(1.0 / 300 / 3)).epsilon(1e-3));
  CHECK(rows[1].result.mean == Approx(0.5));
  CHECK(rows[1].difference.mean == 0);
  CHECK(rows[1].lowest == Approx(0.4));
  CHECK(rows[1].highest == Approx(0.6));
  CHECK(rows[1].runs.front().training_seed == "7");
  std::ostringstream out;
  print_comparison(out, rows, "maml");
  CHECK(out.str().find("\nanil ") < out.str().find("\nmaml "));
  CHECK_THAT(out.str(), contains("+16.67") && contains("strokes, 5-way 1-shot, 3 test tasks"));
  const json written = json::parse(comparison_json(rows, "maml"));
  CHECK(written["algorithms"][1]["runs"].size() == 2);
}

TEST_CASE("of errors the smallest is the best", "[compare]") {
  const TemporaryFolder folder;
  const auto mse = [&](const std::string& name, double value) {
    return made(folder, name, name, {0, 0},
                {{"per_task", {{{"mse", {3, value}}}, {{"mse", {3, value + 1}}}}}});
  };
  const auto rows = compared({mse("maml", 0.5), mse("anil", 0.3), mse("boil", 0.9)});
  CHECK(rows[0].algorithm == "anil");
  CHECK(rows[2].difference.mean == Approx(0.4));
}

TEST_CASE("columns of a comparison stand apart whatever diverges and however long a name is", "[compare]") {
  const TemporaryFolder folder;
  const auto mse = [&](const std::string& name, double one, double other) {
    return made(folder, name, name, {0, 0}, {{"per_task", {{{"mse", {3, one}}}, {{"mse", {3, other}}}}}});
  };
  const auto rows = compared({mse("maml", 0.5, 0.7), mse("baseline_nearest_neighbour", 2e7, 4e7)});
  std::ostringstream out;
  print_comparison(out, rows, "maml");
  CHECK_THAT(out.str(), contains("\nbaseline_nearest_neighbour  ") &&
                            contains(" 3.00e+07  +-1.27e+08  3.00e+07  3.00e+07 ") &&
                            contains(" 0.6000    +-1.2706 "));
}

TEST_CASE("what was not tested on the same tasks is not compared", "[compare]") {
  const TemporaryFolder folder;
  const auto maml = made(folder, "a", "maml", {0.2, 0.4});
  CHECK_THROWS_WITH(compared({maml, made(folder, "b", "anil", {0.2, 0.4}, {{"shots", 5}})}),
                    contains("tested with shots = 5"));
  CHECK_THROWS_WITH(compared({maml, made(folder, "c", "anil", {0.2, 0.4}, {{"seed", 2}})}),
                    contains("seed = 2"));
  CHECK_THROWS_WITH(compared({maml}, "boil"), contains("no run of the baseline 'boil'; there are: maml"));
  CHECK_THROWS_WITH(compared({}), contains("nothing to compare"));
  write_file(folder / "a/bench.json", "[1, 2");
  CHECK_THROWS_WITH(compared({maml}), contains("is no evaluation of a data set"));
  write_file(folder / "a/bench.json", R"({"per_task": 3, "dataset": "x", "algorithm": "maml"})");
  CHECK_THROWS_WITH(compared({maml}), contains("is no evaluation of a data set"));
  CHECK_THROWS_AS(read_evaluated_run(folder / "none", "bench"), Error);

  const auto outcome = run_program({"compare"});
  CHECK(outcome.code == 2);
  CHECK_THAT(outcome.output, contains("no run given"));
}
