// Claims about `innerloop act`: it is run as a user runs it.
#include <nlohmann/json.hpp>

#include "runners/experiment/safetensors.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using nlohmann::json;

namespace {

using Words = std::vector<std::string>;

Outcome act_on(const std::filesystem::path& run, const Words& more) {
  Words words{"act", "--run", run.string(), "--steps", "2", "--trajectories", "4"};
  words.insert(words.end(), more.begin(), more.end());
  return run_program(words);
}

// "-12.34" of the line of the table that begins with this step.
std::string return_after(const std::string& output, int step) {
  std::istringstream in(output);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string first, second;
    words >> first >> second;
    if (first == std::to_string(step)) return second;
  }
  return "no such step";
}

}  // namespace

TEST_CASE("act adapts to a task of one's choosing, and the policy that it saves acts so", "[act]") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  REQUIRE(run_program(tiny_training(run, {"--meta.iterations", "2"})).code == 0);
  const auto saved = (folder / "adapted.safetensors").string();
  const auto outcome = act_on(run, {"--task", "goal_x=0.3,goal_y=-0.2", "--save", saved});
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.output,
             contains("task goal_x=0.3,goal_y=-0.2 (goal (0.30, -0.20)), 4 trajectories per step") &&
                 contains("success") && !contains("outside"));
  const auto content = read_safetensors(saved);
  CHECK(content.metadata.at("kind") == "policy");
  CHECK(content.metadata.at("task") == "goal_x=0.3,goal_y=-0.2");
  CHECK(content.tensors.contains("adapted/layer0.weight"));
  const auto meta = read_safetensors(run / "checkpoints/last.safetensors").tensors.at("meta/layer0.weight");
  CHECK_FALSE(torch::equal(content.tensors.at("adapted/layer0.weight"), meta));

  // Other noise than that of step 2 above, the same policy.
  std::filesystem::remove_all(run);
  const auto again = run_program({"act", "--adapted", saved, "--trajectories", "4"});
  INFO(again.output);
  REQUIRE(again.code == 0);
  CHECK_THAT(again.output, contains("adapted by 2 gradient steps to goal_x=0.3,goal_y=-0.2"));
  CHECK(return_after(again.output, 1) == "no such step");
  const auto fixed = run_program({"predict", "--adapted", saved, "--query", "."});
  CHECK(fixed.code == 1);
  CHECK_THAT(fixed.output, contains("holds a policy"));
}

TEST_CASE("a random task is the first one that adapt draws with the seed", "[act]") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  REQUIRE(run_program(tiny_training(run, {"--meta.iterations", "2"})).code == 0);
  REQUIRE(run_program({"adapt", "--run", run.string(), "--tasks", "1", "--steps", "2", "--trajectories", "4",
                       "--seed", "3"})
              .code == 0);
  const json adapted = json::parse(read_file(run / "adapt.json"));
  const auto outcome = act_on(run, {"--task", "random", "--seed", "3"});
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  for (int k = 0; k <= 2; ++k) {
    char expected[32];
    std::snprintf(expected, sizeof expected, "%.2f", adapted["steps"][k]["return_mean"].get<double>());
    CHECK(return_after(outcome.output, k) == expected);
  }
}

TEST_CASE("act films what it does", "[act]") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  REQUIRE(run_program(tiny_training(run, {"--meta.iterations", "1"})).code == 0);
  const auto film = folder / "goal.mp4";
  const auto outcome = act_on(run, {"--task", "goal_x=2,goal_y=0", "--film", film.string()});
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK(std::filesystem::file_size(film) > 2000);
  CHECK_THAT(outcome.output,
             contains("note: outside of the tasks that it was trained on: goal_x = 2 (tasks: -0.50 to "
                      "0.50)"));
}

TEST_CASE("what act cannot do it says", "[act]") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  REQUIRE(run_program(tiny_training(run, {"--meta.iterations", "1"})).code == 0);
  const auto refused = [&](const Words& words, int code, const auto& expected) {
    const auto outcome = run_program(words);
    INFO(outcome.output);
    CHECK(outcome.code == code);
    CHECK_THAT(outcome.output, expected);
  };
  const std::string r = run.string();
  refused({"act", "--task", "random"}, 2, contains("--run is missing"));
  refused({"act", "--run", r}, 2, contains("--task is missing, expected goal_x=X,goal_y=X, or random"));
  refused({"act", "--run", r, "--task", "goal_q=1,goal_y=0"}, 2,
          contains("did you mean") && contains("goal_x"));
  refused({"act", "--run", r, "--task", "random", "--film", "a.gif"}, 2, contains("ends in .mp4"));
  refused({"act", "--run", r, "--adapted", r, "--task", "random"}, 2, contains("both given"));
  refused({"act", "--adapted", (run / "checkpoints/last.safetensors").string()}, 1,
          contains("holds no adaptation") && contains("checkpoint"));
  refused({"act", "--adapted", "x", "--evaluation.steps", "2"}, 2, contains("changes the adaptation"));
  refused({"predict", "--run", r, "--support", r, "--query", r}, 2, contains("innerloop act"));
}
