// Claims about `innerloop analyse`: it is run as a user runs it.
#include <nlohmann/json.hpp>
#include <sstream>

#include "runners/experiment/run_directory.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using nlohmann::json;

namespace {

using Words = std::vector<std::string>;

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Words strokes(const RunDirectory& run, const Words& more = {}) {
  return with({"train", "--config", "strokes_5way_1shot", "--run-dir", run.root().string(),
               "--network.filters", "4", "--dataset.ways", "3", "--dataset.queries", "4", "--meta.batch_size",
               "3", "--meta.iterations", "3", "--evaluation.tasks", "6", "--evaluation.steps", "2"},
              more);
}

Words sine(const RunDirectory& run) {
  return {"train",
          "--run-dir",
          run.root().string(),
          "--dataset.name",
          "sine",
          "--network.hidden",
          "8,8",
          "--meta.batch_size",
          "5",
          "--meta.iterations",
          "5"};
}

json read_json(const std::filesystem::path& file) { return json::parse(read_file(file)); }

}  // namespace

TEST_CASE("every study of a run on a data set is told, drawn and kept beside the others", "[analyse]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const std::string path = run.root().string();
  REQUIRE(run_program(strokes(run)).code == 0);
  REQUIRE(run_program({"adapt", "--run", path}).code == 0);
  const json adapted = read_json(run.root() / "adapt.json");
  const auto last = [&](size_t task) { return adapted["per_task"][task]["accuracy"].back(); };

  const auto representation = run_program({"analyse", path});
  INFO(representation.output);
  REQUIRE(representation.code == 0);
  CHECK_THAT(representation.output, contains("6 test tasks, 3-way 1-shot") && contains("minus none") &&
                                        contains("1-4") && contains("1 conv1") && contains("linear (head)") &&
                                        contains("linear CKA") && contains("before adaptation"));
  json out = read_json(run.root() / "analysis.json");
  CHECK(out["study"] == "representation");
  CHECK(out["seed"] == 1);
  CHECK(out["protocol"] == adapted["protocol"]);
  REQUIRE(out["held"].size() == 5);
  for (size_t task = 0; task < 6; ++task) {
    CHECK(out["held"][0]["accuracy"]["per_task"][task] == last(task));
    CHECK(out["before"]["per_task"][task] == adapted["per_task"][task]["accuracy"].front());
  }
  CHECK(out["layers"].size() == 5);
  CHECK(std::filesystem::file_size(run.root() / "analysis.png") > 1000);

  const auto permutations = run_program({"analyse", path, "--study", "permutations"});
  INFO(permutations.output);
  REQUIRE(permutations.code == 0);
  CHECK_THAT(permutations.output, contains("6 orders") && contains("an oracle, no method"));
  out = read_json(run.root() / "analysis.json");
  CHECK(out["orders"] == 6);
  for (size_t task = 0; task < 6; ++task) CHECK(out["as_drawn"]["per_task"][task] == last(task));
  REQUIRE(run_program({"analyse", path, "--study", "permutations", "--permutations", "1"}).code == 0);
  out = read_json(run.root() / "analysis.json");
  CHECK(out["mean"]["per_task"] == out["as_drawn"]["per_task"]);
  CHECK(out["best_minus_worst"]["mean"] == 0);

  const auto steps = run_program(
      {"analyse", path, "--study", "steps", "--steps", "4", "--step-sizes", "1,0.25", "--tasks", "3"});
  INFO(steps.output);
  REQUIRE(steps.code == 0);
  CHECK_THAT(steps.output, contains("steps of training") && contains("chosen on validation tasks"));
  out = read_json(run.root() / "analysis.json");
  CHECK(out["step_sizes"][0]["steps"].size() == 5);
  CHECK(out["step_sizes"][0]["steps"][2]["accuracy"]["per_task"][1] == last(1));
  CHECK(out["step_sizes"][1]["multiple"] == 0.25);

  const auto probe = run_program({"analyse", path, "--study", "linear_probe", "--tasks", "2", "--shots", "3",
                                  "--queries", "2", "--l2", "0.1"});
  INFO(probe.output);
  REQUIRE(probe.code == 0);
  CHECK_THAT(probe.output, contains("linear probe of 4 features: 2 splits of") &&
                               contains("3 images of each to train on and 2 to test on, l2 0.1") &&
                               !contains("3-way"));
  out = read_json(run.root() / "analysis.json");
  CHECK(out["accuracy"]["per_task"].size() == 2);
  CHECK(out["train_accuracy"]["mean"] > out["accuracy"]["mean"]);
  CHECK(!out.contains("ways"));

  for (const char* name : {"analysis_linear_probe_l2=0.1_tasks=2_steps=0_seed=1_after=3_queries=2_shots=3",
                           "analysis_representation_tasks=6_steps=2_seed=1_after=3",
                           "analysis_permutations_permutations=6_tasks=6_steps=2_seed=1_after=3",
                           "analysis_permutations_permutations=1_tasks=6_steps=2_seed=1_after=3",
                           "analysis_steps_step-sizes=1+0.25_tasks=3_steps=4_seed=1_after=3"}) {
    INFO(name);
    CHECK(std::filesystem::exists(run.evaluations() / (std::string(name) + ".json")));
  }
}

TEST_CASE("the study of verification is told, drawn and kept, for a method that takes no steps too",
          "[analyse]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const std::string path = run.root().string();
  REQUIRE(
      run_program(strokes(run, {"--dataset.name", "styled_strokes", "--dataset.test_domains", "pen,turned",
                                "--dataset.image_size", "14", "--algorithm", "prototypical"}))
          .code == 0);
  const auto told = run_program({"analyse", "--run", path, "--study", "verification", "--pairs", "2000"});
  INFO(told.output);
  REQUIRE(told.code == 0);
  CHECK_THAT(told.output, contains("640 identities") && contains("within 2 domains") && contains("rank-1") &&
                              contains("TAR at 0.001") && contains("turned") && contains("accuracy"));
  const json out = read_json(run.root() / "verification.json");
  CHECK(out["all"]["identities"] == 640);
  CHECK(out["all"]["impostors"] == 2 * 320 * 6);  // 2,000 pairs shared among 320 probes
  REQUIRE(out["domains"].size() == 2);
  CHECK(out["domains"][1]["name"] == "turned");
  for (const char* figure :
       {"rank1", "tar_at_0.1", "tar_at_0.01", "tar_at_0.001", "tar_at_0.0001", "auc", "eer"}) {
    INFO(figure);
    const json& found = out["all"][figure];
    CHECK(found["ci95"][0] <= found["value"]);
    CHECK(found["ci95"][1] >= found["value"]);
  }
  CHECK(out["threshold"].is_number());
  CHECK(out["roc"].size() > 10);
  CHECK(out["roc"].back()["tar"] == 1);
  CHECK(std::filesystem::exists(run.evaluations() /
                                "verification_pairs=2000_tasks=6_steps=2_seed=1_after=3.json"));
  for (const char* picture : {"verification.png", "verification.svg"})
    CHECK(std::filesystem::file_size(run.root() / picture) > 1000);
  CHECK(!std::filesystem::exists(run.root() / "analysis.json"));

  const auto refused = run_program({"analyse", "--run", path, "--study", "steps", "--pairs", "5"});
  CHECK(refused.code == 2);
  CHECK_THAT(refused.output, contains("it belongs to --study verification"));
}

TEST_CASE("a study of curves says where CCA needs more samples, and works with them", "[analyse]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const std::string path = run.root().string();
  REQUIRE(run_program(sine(run)).code == 0);
  const auto few = run_program({"analyse", "--run", path, "--tasks", "3", "--queries", "5"});
  INFO(few.output);
  REQUIRE(few.code == 0);
  CHECK_THAT(few.output, contains("--queries N gives") && contains("layer0"));
  CHECK(read_json(run.root() / "analysis.json")["layers"][0]["cca"]["mean"].is_null());
  const auto many = run_program({"analyse", "--run", path, "--tasks", "3", "--queries", "40"});
  REQUIRE(many.code == 0);
  CHECK_THAT(many.output, !contains("--queries N"));
  CHECK(read_json(run.root() / "analysis.json")["layers"][0]["cca"]["mean"].is_number());
  const auto steps = run_program({"analyse", "--run", path, "--tasks", "3", "--study", "steps"});
  REQUIRE(steps.code == 0);
  CHECK_THAT(steps.output, contains("20 gradient steps") && contains("lowest"));
  const auto far =
      run_program({"analyse", "--run", path, "--tasks", "3", "--study", "steps", "--step-sizes", "1,1e9"});
  INFO(far.output);
  REQUIRE(far.code == 0);
  CHECK_THAT(far.output, contains("of 3 diverge"));
  const json sizes = read_json(run.root() / "analysis.json")["step_sizes"];
  CHECK(sizes[0]["steps"][20]["mse"]["mean"].is_number());
  CHECK(sizes[1]["steps"][20]["mse"]["mean"].is_null());
  CHECK(sizes[1]["steps"][20]["diverged"] == 3);
  const auto orders = run_program({"analyse", "--run", path, "--study", "permutations"});
  CHECK(orders.code == 2);
  CHECK_THAT(orders.output, contains("needs classes"));
}

TEST_CASE("requests for studies that cannot be understood are refused with what is expected", "[analyse]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run"), policy(folder / "policy"), prototypes(folder / "prototypes");
  const std::string path = run.root().string();
  REQUIRE(run_program(strokes(run)).code == 0);
  REQUIRE(run_program(strokes(prototypes, {"--algorithm", "prototypical"})).code == 0);
  REQUIRE(run_program(tiny_training(policy.root(), {"--meta.iterations", "0"})).code == 0);
  const std::vector<std::pair<Words, std::string>> cases{
      {{}, "--run is missing"},
      {{"--run", path, "--study", "permutation"}, "did you mean 'permutations'?"},
      {{"--run", path, "--permutations", "3"}, "belongs to --study permutations"},
      {{"--run", path, "--step-sizes", "1"}, "belongs to --study steps"},
      {{"--run", path, "--study", "steps", "--step-sizes", "1,-2"}, "positive numbers separated by commas"},
      {{"--run", path, "--study", "steps", "--step-sizes", ""}, "expected 1 to 6"},
      {{"--run", path, "--study", "steps", "--step-sizes", "1,2,3,4,5,6,7"}, "expected 1 to 6"},
      {{"--run", path, "--study", "permutations", "--permutations", "7"}, "there are 6"},
      {{"--run", path, "--study", "permutations", "--permutations", "0"}, "at least 1"},
      {{"--run", path, "--l2", "1"}, "belongs to --study linear_probe"},
      {{"--run", path, "--study", "linear_probe", "--l2", "0"}, "--l2 is '0', expected a number above 0"},
      {{"--run", path, "--study", "linear_probe", "--ways", "3"}, "--ways does nothing in the study"},
      {{"--run", path, "--study", "linear_probe", "--steps", "3"}, "--steps does nothing in the study"},
      {{"--run", path, "--study", "linear_probe", "--shots", "99"}, "99"},
      {{"--run", path, "--steps", "0"}, "expected 1 or more"},
      {{"--run", path, "--tasks", "none"}, "evaluation.tasks"},
      {{"--run", path, "--ways", "5"}, "learned for 3 ways"},
      {{"--run", prototypes.root().string()}, "without gradient steps"},
      {{"--run", policy.root().string()}, "innerloop adapt --run"},
  };
  for (const auto& [arguments, expected] : cases) {
    const auto outcome = run_program(with({"analyse"}, arguments));
    INFO(expected + "\n" + outcome.output);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.output, contains(expected));
  }
  CHECK(!std::filesystem::exists(run.root() / "analysis.json"));
  CHECK(!std::filesystem::exists(prototypes.root() / "analysis.json"));
  const auto missing = run_program({"analyse", "--run", (folder / "nowhere").string()});
  CHECK(missing.code == 1);
  const auto orders =
      run_program({"analyse", prototypes.root().string(), "--study", "permutations", "--tasks", "2"});
  INFO(orders.output);
  CHECK(orders.code == 0);
  CHECK_THAT(orders.output, contains("0.00 %"));
}
