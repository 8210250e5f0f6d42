// Claims about `innerloop online`: it is run as a user runs it.
#include <signal.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "runners/experiment/checkpoint.h"
#include "runners/experiment/online_report.h"
#include "runners/experiment/run_directory.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using nlohmann::json;

namespace {

using Words = std::vector<std::string>;

Words tiny(const std::string& config, const std::filesystem::path& run, const Words& more = {}) {
  Words words{"online",     "--config",
              config,       "--run-dir",
              run.string(), "--meta.batch_size",
              "3",          "--online.rounds",
              "4",          "--online.batches",
              "2",          "--online.steps",
              "3",          "--evaluation.queries",
              "5"};
  if (config == "online_rainbow_strokes") {
    const Words thin{"--network.filters", "4", "--dataset.image_size", "14", "--online.batch", "2"};
    words.insert(words.end(), thin.begin(), thin.end());
  }
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Lines of progress.csv without their last column, milliseconds.
Words rows(const RunDirectory& run) {
  std::istringstream in(read_file(run.progress()));
  Words lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line.substr(0, line.rfind(',')));
  return lines;
}

}  // namespace

TEST_CASE("proficiency is what a round ends with, efficiency the samples until the level", "[online]") {
  const auto accuracy = online_rounds({.5, .9, .8, .95, .1, .2}, 2, 20, .9, true);
  REQUIRE(accuracy.size() == 3);
  CHECK((accuracy[0].proficiency == .9 && accuracy[0].samples == 40 && accuracy[0].reached));
  CHECK((accuracy[1].proficiency == .95 && accuracy[1].samples == 40 && accuracy[1].reached));
  CHECK((accuracy[2].proficiency == .2 && accuracy[2].samples == 40 && !accuracy[2].reached));
  const auto error = online_rounds({.05, .3}, 2, 10, .1, false);
  CHECK((error[0].proficiency == .3 && error[0].samples == 10 && error[0].reached));  // once counts
  CHECK_THROWS_AS(online_rounds({.1, .2, .3}, 2, 10, .1, false), Error);
}

TEST_CASE("online learning tells all learners by round, on the terminal, in JSON, CSV and a picture",
          "[online]") {
  const std::string config = GENERATE("online_sine", "online_rainbow_strokes");
  const bool images = config != "online_sine";
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const auto outcome = run_program(tiny(config, run.root()));
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  for (const auto* name : {"ftml", "toe", "scratch", "joint"}) CHECK_THAT(outcome.output, contains(name));
  const json out = json::parse(read_file(run.root() / "online.json"));
  CHECK(out["rounds"] == 4);
  CHECK(out["samples_per_batch"] == (images ? 20 : 10));
  REQUIRE(out["by_round"].size() == 4);
  const std::string metric = images ? "accuracy" : "mse";
  const auto lines = rows(run);
  CHECK(lines.size() == 9);
  CHECK(lines[0] == "iteration,round,samples,ftml_" + metric + ",toe_" + metric + ",scratch_" + metric +
                        ",joint_" + metric);
  for (const auto& round : out["by_round"]) {
    for (const auto* name : {"ftml", "toe", "scratch", "joint"}) {
      const auto& one = round[name];
      REQUIRE(one[metric + "_after_batch"].size() == 2);
      CHECK(one[metric + "_after_batch"][1] == one[metric]);
      CHECK(one[metric].get<double>() >= 0);
      CHECK(one["samples"].get<int>() <= (images ? 40 : 20));
    }
    CHECK(round["ftml"][metric] != round["toe"][metric]);
  }
  CHECK(out["learners"]["ftml"]["all_rounds"]["rounds"] == 4);
  CHECK(out["learners"]["scratch"]["second_half"]["rounds"] == 2);
  std::istringstream csv(read_file(run.root() / "online.csv"));
  int64_t csv_lines = 0;
  for (std::string line; std::getline(csv, line); ++csv_lines)
    CHECK(std::count(line.begin(), line.end(), ',') == 5);
  CHECK(csv_lines == 17);
  CHECK(std::filesystem::file_size(run.root() / "online.png") > 10'000);
  CHECK(!std::filesystem::exists(run.root() / "progress.png"));
}

TEST_CASE("online learning has the same bits for any number of threads, and after kill -9", "[online]") {
  const TemporaryFolder folder;
  const auto words = [&](const RunDirectory& run, const Words& last) {
    Words all{"online",
              "--config",
              "online_sine",
              "--run-dir",
              run.root().string(),
              "--meta.batch_size",
              "30",
              "--online.rounds",
              "12",
              "--online.batches",
              "3",
              "--online.steps",
              "40",
              "--evaluation.queries",
              "5"};
    all.insert(all.end(), last.begin(), last.end());
    return all;
  };
  const RunDirectory whole(folder / "whole"), other(folder / "other"), killed(folder / "killed");
  REQUIRE(run_program(words(whole, {"--threads", "1"})).code == 0);
  REQUIRE(run_program(words(other, {"--threads", "3"})).code == 0);
  const auto bytes = read_file(whole.last_checkpoint());
  CHECK(read_file(other.last_checkpoint()) == bytes);
  CHECK(rows(other) == rows(whole));
  CHECK(read_file(other.root() / "online.json") == read_file(whole.root() / "online.json"));

  // Killed when a further round is on the disk: at once, or some time into the next.
  int64_t done = 0;
  for (useconds_t later = 0; later < 3; ++later) {
    const pid_t child = start_program(words(killed, {"--resume", "--threads", "2"}), folder / "output");
    int64_t found = done;
    for (int wait = 0; wait < 10'000 && found == done; ++wait) {
      usleep(10'000);
      if (std::filesystem::exists(killed.last_checkpoint()))
        found = load_checkpoint(killed.last_checkpoint()).iteration;  // whole at every moment
    }
    usleep(60'000 * later);
    kill(child, SIGKILL);
    CHECK(wait_for(child) == 1000 + SIGKILL);
    CHECK(found > done);
    done = load_checkpoint(killed.last_checkpoint()).iteration;
  }
  CHECK(done < 36);
  REQUIRE(run_program(words(killed, {"--resume"})).code == 0);
  CHECK(read_file(killed.last_checkpoint()) == bytes);
  CHECK(rows(killed) == rows(whole));
  CHECK(read_file(killed.root() / "online.csv") == read_file(whole.root() / "online.csv"));
}

TEST_CASE("a learner's results do not depend on which others are compared", "[online]") {
  const TemporaryFolder folder;
  const auto of = [&](const std::string& learners, const std::string& name) {
    const auto run = folder / learners;
    REQUIRE(run_program(tiny("online_sine", run, {"--online.learners", learners})).code == 0);
    const json out = json::parse(read_file(run / "online.json"));
    return out["by_round"][3][name]["mse_after_batch"];
  };
  CHECK(of("ftml,toe,scratch,joint", "toe") == of("toe", "toe"));
  CHECK(of("joint,ftml", "ftml") == of("ftml", "ftml"));
}

TEST_CASE("online learning says what it cannot do", "[online]") {
  const TemporaryFolder folder;
  const auto refused = [&](Words words, const std::string& message, int code = 2) {
    const auto outcome = run_program(words);
    INFO(outcome.output);
    CHECK(outcome.code == code);
    CHECK_THAT(outcome.output, contains(message));
    CHECK(!std::filesystem::exists(folder / "run"));
  };
  const auto run = folder / "run";
  refused({"online", "--config", "sine_10shot", "--run-dir", run.string()}, "online.rounds is 0");
  refused({"online", "--config", "navigation_2d", "--run-dir", run.string()},
          "online is for supervised learning");
  refused({"bench", "--config", "online_sine", "--run-dir", run.string()}, "innerloop online runs");
  refused({"train", "--config", "online_sine", "--run-dir", run.string()}, "innerloop online runs");
  refused({"train", "--online.rounds", "3"}, "unknown option '--online.rounds'");
  refused(tiny("online_sine", run, {"--meta.iterations", "5"}), "unknown option '--meta.iterations'");
  refused(tiny("online_sine", run, {"--online.learners", "ftml,maml"}), "some of ftml, toe, scratch, joint");
  refused(tiny("online_sine", run, {"--online.learners", "ftml,ftml"}), "each once");
  refused(tiny("online_sine", run, {"--online.batch", "9"}), "online.batch: 9");
  refused(tiny("online_rainbow_strokes", run, {"--dataset.ways", "5"}), "share their 10 classes");
  refused(tiny("online_rainbow_strokes", run, {"--network.batch_norm", "global_running"}), "global_running");

  REQUIRE(run_program(tiny("online_sine", run)).code == 0);
  const auto again = run_program(tiny("online_sine", run));
  CHECK(again.code == 1);
  CHECK_THAT(again.output, contains("--resume"));
  const auto other = run_program(tiny("online_sine", run, {"--resume", "--inner.steps", "3"}));
  CHECK(other.code == 1);
  CHECK_THAT(other.output, contains("inner.steps"));
  // The level decides nothing but the report.
  REQUIRE(run_program(tiny("online_sine", run, {"--resume", "--online.level", "1000"})).code == 0);
  CHECK(json::parse(read_file(run / "online.json"))["learners"]["toe"]["all_rounds"]["reached"] == 4);
  const auto adapted = run_program({"adapt", "--run", run.string()});
  CHECK(adapted.code != 0);
  CHECK_THAT(adapted.output, contains("is a run of online learning"));
}
