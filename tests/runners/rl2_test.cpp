// Runs of policies that remember, as a user has them.
#include <nlohmann/json.hpp>

#include "runners/experiment/checkpoint.h"
#include "runners/experiment/run_directory.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

using Words = std::vector<std::string>;

// Small in every direction; starts are random in the arena with walls, so that a film must find the draws of
// the episodes before.
Words small(const std::filesystem::path& run, const Words& more) {
  Words words{"train",
              "--run-dir",
              run.string(),
              "--algorithm",
              "rl2",
              "--environment.name",
              "navigation_2d_walls",
              "--environment.horizon",
              "12",
              "--policy.name",
              "gaussian_lstm",
              "--policy.units",
              "7",
              "--policy.hidden",
              "none",
              "--sampler.trajectories",
              "3",
              "--meta.batch_size",
              "13",
              "--rl2.episodes",
              "3",
              "--rl2.minibatches",
              "2",
              "--meta.epochs",
              "2"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE("a run of rl2 ends with the same bits whatever the threads, killed at any moment and resumed",
          "[program]") {
  const TemporaryFolder folder;
  const RunDirectory whole(folder / "whole"), other(folder / "other"), killed(folder / "killed");
  const Words until{"--meta.iterations", "30", "--checkpoint.every", "1"};
  const auto words = [&](const RunDirectory& run, Words last) {
    last.insert(last.end(), until.begin(), until.end());
    return small(run.root(), last);
  };
  REQUIRE(run_program(words(whole, {"--threads", "1"})).code == 0);
  REQUIRE(run_program(words(other, {"--threads", "3"})).code == 0);
  const auto bytes = read_file(whole.last_checkpoint());
  CHECK(read_file(other.last_checkpoint()) == bytes);
  int64_t done = 0;
  for (int time = 0; time < 2; ++time) {
    Words last{"--threads", "2"};
    if (done > 0) last.push_back("--resume");
    const pid_t child = start_program(words(killed, last), folder / "output");
    int64_t found = done;
    for (int wait = 0; wait < 10'000 && found <= done; ++wait) {
      usleep(1'000);
      if (std::filesystem::exists(killed.last_checkpoint()))
        found = load_checkpoint(killed.last_checkpoint()).iteration;
    }
    kill(child, SIGKILL);
    wait_for(child);
    CHECK(found > done);
    done = load_checkpoint(killed.last_checkpoint()).iteration;
  }
  REQUIRE(run_program(words(killed, {"--resume"})).code == 0);
  CHECK(read_file(killed.last_checkpoint()) == bytes);
  const std::string header = read_file(whole.progress()).substr(0, 400);
  for (const char* column :
       {"step_0_return_mean", "step_2_return_mean", "step_2_success_rate", "step_2_explained_variance"})
    CHECK_THAT(header, contains(column));
  CHECK(header.find("step_3_") == std::string::npos);
}

TEST_CASE("episodes are what adapt, act, record and export count of a policy that remembers", "[program]") {
  const TemporaryFolder folder;
  const std::string run = (folder / "run").string();
  const auto trained = run_program(small(run, {"--meta.iterations", "1", "--evaluation.steps", "2"}));
  REQUIRE(trained.code == 0);
  CHECK_THAT(trained.output, contains("3 episodes each"));

  const auto adapt = run_program({"adapt", "--run", run, "--tasks", "3", "--trajectories", "4"});
  REQUIRE(adapt.code == 0);
  CHECK_THAT(adapt.output, contains("\nepisodes             return") && contains("trials of 3 episodes") &&
                               contains("after 2 of 2 episodes"));
  const auto found = nlohmann::json::parse(read_file(folder / "run/adapt.json"));
  CHECK(found["steps"].size() == 3);
  CHECK(found["step_is"].get<std::string>() == "episode");
  CHECK(found["step_sizes"].is_null());
  CHECK(found["step_scales"].is_null());
  CHECK(found["per_task"][2]["returns"].size() == 3);
  CHECK(std::filesystem::exists(folder / "run/adapt.png"));
  CHECK(std::filesystem::exists(folder / "run/progress.png"));

  const auto film = run_program({"record", "--run", run, "--tasks", "1", "--trajectories", "2"});
  REQUIRE(film.code == 0);  // replayed to the bit, else it refuses
  for (const char* name : {"task_1_step_0.mp4", "task_1_step_1.mp4", "task_1_step_2.mp4", "adaptation.mp4"})
    CHECK_THAT(film.output, contains(name));

  const auto act = run_program({"act", "--run", run, "--task", "random", "--trajectories", "3"});
  REQUIRE(act.code == 0);
  CHECK_THAT(act.output, contains("\nepisodes             return"));
  const auto saved = run_program({"act", "--run", run, "--task", "random", "--trajectories", "3", "--save",
                                  (folder / "a.safetensors").string()});
  CHECK(saved.code == 1);
  CHECK_THAT(saved.output, contains("adapts by what it remembers"));

  const auto numbers =
      run_program({"export", "--run", run, "--out", (folder / "e.npz").string(), "--tasks", "2"});
  CHECK(numbers.code == 0);
  CHECK_THAT(numbers.output, contains("0 to 2 episodes"));
  const auto parameters = run_program({"export", "--run", run, "--out", (folder / "p.safetensors").string()});
  CHECK(parameters.code == 0);
  CHECK_THAT(read_file(folder / "p.safetensors"), contains("cell.weight_hh"));
  const auto model = run_program({"export", "--run", run, "--out", (folder / "p.onnx").string()});
  CHECK(model.code == 2);
  CHECK_THAT(model.output, contains("rl2") && contains("remembers") && contains("safetensors"));
  CHECK_FALSE(std::filesystem::exists(folder / "p.onnx"));
}

TEST_CASE("rl2 says which policies it takes, and the others that they take none of these", "[program]") {
  const TemporaryFolder folder;
  const std::string run = (folder / "run").string();
  const auto forgets = run_program({"train", "--run-dir", run, "--algorithm", "rl2"});
  CHECK(forgets.code == 2);
  CHECK_THAT(forgets.output,
             contains("policy.name: gaussian_mlp") && contains("gaussian_gru or gaussian_lstm"));
  const auto remembers = run_program({"train", "--run-dir", run, "--policy.name", "gaussian_gru"});
  CHECK(remembers.code == 2);
  CHECK_THAT(remembers.output, contains("policy.name: gaussian_gru") && contains("rl2"));
  const auto steps = run_program({"train", "--run-dir", run, "--algorithm", "rl2", "--inner.steps", "2"});
  CHECK(steps.code == 2);
  CHECK_THAT(steps.output, contains("algorithm rl2 means inner.steps = 0"));
  const auto scale =
      run_program({"train", "--run-dir", run, "--algorithm", "rl2", "--evaluation.later_step_scale", "0.3"});
  CHECK(scale.code == 2);
  CHECK_THAT(scale.output, contains("algorithm rl2 means evaluation.later_step_scale = 1"));
  CHECK_FALSE(std::filesystem::exists(run));
}
