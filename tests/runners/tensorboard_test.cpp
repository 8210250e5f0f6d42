// Claims about the event files that trainings leave: the program is run as a user runs it.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <thread>

#include "runners/drawing/number_table.h"
#include "runners/experiment/run_directory.h"
#include "tests/runners/experiment/event_reader.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

using Words = std::vector<std::string>;

Words tiny_regression(const std::string& command, const std::filesystem::path& run, const Words& more = {}) {
  Words words{command, "--run-dir",          run.string(), "--dataset.name",     "sine", "--network.hidden",
              "8,8",   "--threads",          "1",          "--meta.batch_size",  "3",    "--progress.every",
              "5",     "--evaluation.tasks", "6",          "--evaluation.steps", "2"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Steps and values of a tag, in the order of TensorBoard's reading.
struct Tagged {
  std::vector<double> steps;
  std::vector<float> values;
};
Tagged tagged(const std::vector<ReadEvent>& events, const std::string& tag) {
  Tagged out;
  for (const auto& event : events) {
    const auto found = event.scalars.find(tag);
    if (found == event.scalars.end()) continue;
    out.steps.push_back(static_cast<double>(event.step));
    out.values.push_back(found->second);
  }
  return out;
}

// The event files say what the column of the CSV file says, row for row.
void check_same(const std::vector<ReadEvent>& events, const std::string& tag,
                const std::filesystem::path& csv, const std::string& column) {
  const NumberTable table(csv);
  const Tagged found = tagged(events, tag);
  CAPTURE(tag, column);
  CHECK(found.steps == table.column("iteration"));
  std::vector<float> expected;
  for (const double value : table.column(column)) expected.push_back(static_cast<float>(value));
  CHECK(found.values == expected);
}

}  // namespace

TEST_CASE("bench tells TensorBoard its rows and validations", "[tensorboard]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const auto outcome = run_program(
      tiny_regression("bench", run.root(),
                      {"--meta.iterations", "20", "--validation.every", "10", "--validation.tasks", "4"}));
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  const auto events = read_events(run.tensorboard());
  check_same(events, "train/loss", run.progress(), "query_loss");
  check_same(events, "train/mse", run.progress(), "query_mse");
  check_same(events, "time/milliseconds_per_iteration", run.progress(), "milliseconds");
  check_same(events, "validation/mse", run.validation(), "mse_mean");
  check_same(events, "validation/mse_ci95", run.validation(), "ci95");
  int64_t histograms = 0;
  for (const auto& event : events) {
    if (event.histograms.count("validation/mse_per_task") == 0) continue;
    CHECK(event.histograms.at("validation/mse_per_task").number == 4);
    ++histograms;
  }
  CHECK(histograms == 2);
}

TEST_CASE("a policy's training tells returns by inner step, their spread over tasks and stills of its films",
          "[tensorboard]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const auto outcome = run_program(tiny_training(
      run.root(), {"--meta.iterations", "2", "--video-every", "2", "--evaluation.trajectories", "2"}));
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  const auto events = read_events(run.tensorboard());
  check_same(events, "return/after_0_steps", run.progress(), "step_0_return_mean");
  check_same(events, "return/after_1_step", run.progress(), "step_1_return_mean");
  check_same(events, "train/environment_steps", run.progress(), "environment_steps");
  check_same(events, "train/kl_after", run.progress(), "kl_after");
  check_same(events, "explained_variance/after_1_step", run.progress(), "step_1_explained_variance");
  const auto& last = events.back();
  CHECK(last.histograms.at("return_per_task/after_0_steps").number == 5);
  const double mean = last.histograms.at("return_per_task/after_1_step").sum / 5;
  CHECK(mean == Approx(last.scalars.at("return/after_1_step")));
  int64_t stills = 0;
  for (const auto& event : events) {
    for (const auto& [tag, picture] : event.pictures) {
      ++stills;
      CHECK(tag == "film/adaptation");
      CHECK(event.step == 2);
      CHECK(picture.width > 100);
      CHECK(picture.png == read_file(run.root() / "videos" / "iteration_000002.png"));
    }
  }
  CHECK(stills == 1);
}

TEST_CASE("online tells what each learner was judged at", "[tensorboard]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const auto outcome =
      run_program({"online", "--config", "online_sine", "--run-dir", run.root().string(), "--online.rounds",
                   "2", "--online.batches", "2", "--online.steps", "1", "--online.learners", "ftml,toe"});
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  const auto events = read_events(run.tensorboard());
  check_same(events, "mse/ftml", run.progress(), "ftml_mse");
  check_same(events, "mse/toe", run.progress(), "toe_mse");
  check_same(events, "online/round", run.progress(), "round");
}

TEST_CASE("killed at any time and resumed, a training leaves each step once in its event files",
          "[tensorboard]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const Words words =
      tiny_regression("train", run.root(), {"--meta.iterations", "3000", "--checkpoint.every", "50"});
  Words resumed = words;
  resumed.push_back("--resume");
  for (int part = 1; part <= 3; ++part) {  // each is killed in the middle of its rows
    const pid_t child = start_program(part == 1 ? words : resumed, folder / "output");
    const auto file = run.tensorboard() / concat("events.out.tfevents.00000", part);
    std::error_code missing;
    for (int i = 0; i < 60000; ++i) {  // a minute: a busy machine takes seconds to start it
      const auto size = std::filesystem::file_size(file, missing);
      if (!missing && size > 4000) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    kill(child, SIGKILL);
    REQUIRE(wait_for(child) == 1000 + SIGKILL);
  }
  REQUIRE(run_program(resumed).code == 0);
  CHECK(std::distance(std::filesystem::directory_iterator(run.tensorboard()), {}) == 4);
  check_same(read_events(run.tensorboard()), "train/loss", run.progress(), "query_loss");
  const RunDirectory whole(folder / "whole");
  REQUIRE(run_program(tiny_regression("train", whole.root(), {"--meta.iterations", "3000"})).code == 0);
  CHECK(tagged(read_events(run.tensorboard()), "train/loss").values ==
        tagged(read_events(whole.tensorboard()), "train/loss").values);
}

TEST_CASE("progress.tensorboard = false leaves no event files and the same training", "[tensorboard]") {
  const TemporaryFolder folder;
  const RunDirectory with(folder / "with"), without(folder / "without");
  REQUIRE(run_program(tiny_regression("train", with.root(), {"--meta.iterations", "10"})).code == 0);
  REQUIRE(run_program(tiny_regression("train", without.root(),
                                      {"--meta.iterations", "10", "--progress.tensorboard", "false"}))
              .code == 0);
  CHECK(std::filesystem::exists(with.tensorboard()));
  CHECK(!std::filesystem::exists(without.tensorboard()));
  CHECK(read_file(with.last_checkpoint()) == read_file(without.last_checkpoint()));
  const NumberTable one(with.progress()), other(without.progress());
  CHECK(one.column("query_loss") == other.column("query_loss"));
}
