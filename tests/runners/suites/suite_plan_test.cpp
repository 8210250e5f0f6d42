// Claims about what a suite comes to.
#include "runners/suites/suite_plan.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "tests/catch.h"

using namespace innerloop;

namespace {

constexpr char kBase[] = "[base]\ndataset.name = sine\nnetwork.hidden = 8\n";

SuitePlan planned(const std::string& text, SuiteRequest request = {}) {
  if (request.directory.empty()) request.directory = "out";
  return plan_suite(parse_suite(concat(kBase, text), "s.ini"), request);
}

std::vector<std::string> ids_here(const SuitePlan& plan) {
  std::vector<std::string> ids;
  for (const auto& run : plan.runs) {
    if (run.here) ids.push_back(run.id);
  }
  return ids;
}

}  // namespace

TEST_CASE("the side of a configuration decides what is run", "[suite]") {
  const auto plan = planned("[run a]\n[run b]\nconfig = online_sine\n");
  CHECK(plan.runs[0].command == "bench");
  CHECK(plan.runs[1].command == "online");
  const auto policies =
      plan_suite(parse_suite("[run a]\nconfig = navigation_2d\n", "s.ini"), {.directory = "o"});
  CHECK(policies.runs[0].command == "train");
  CHECK(planned("[suite]\nsearch = grid\n[run a]\n[search]\ninner.steps = 1, 2\n").runs[0].command ==
        "train");
}

TEST_CASE("the command line counts over a run, a run over its file, and seeds over both", "[suite]") {
  const auto plan = planned("[suite]\nseeds = 4\n[run a]\ninner.steps = 2\nmeta.batch_size = 3\n",
                            {.settings = {{"inner.steps", "5", "--inner.steps"}}, .iterations = 7});
  const auto& config = plan.runs.at(0).config;
  CHECK(config.supervised.inner.steps == 5);
  CHECK(config.meta().meta_batch_size == 3);
  CHECK(config.meta().seed == 4);
  CHECK(config.iterations == 7);
  CHECK(planned("[suite]\nseeds = 4\n[run a]\n", {.seeds = {1, 2}}).runs.size() == 2);
  CHECK(config.threads == plan.threads);
  CHECK(planned("[run a]\nthreads = 3\n").runs[0].config.threads == 3);
}

TEST_CASE("parts share the runs out without rest, and keep together what needs one another", "[suite]") {
  const std::string text = "[suite]\nseeds = 1,2,3\n[run a]\n[run b]\nmeta.start = suite:a\n[run c]\n";
  std::set<std::string> seen;
  for (int64_t index = 1; index <= 4; ++index) {
    const auto ids = ids_here(planned(text, {.part = {index, 4}}));
    for (const auto& id : ids) {
      CHECK(seen.insert(id).second);
      const std::string start = "a" + id.substr(1);
      if (id[0] == 'b') CHECK(std::find(ids.begin(), ids.end(), start) != ids.end());
    }
  }
  CHECK(seen.size() == 9);
  // What a budget of minutes buys is measured once for all seeds.
  const auto first =
      ids_here(planned("[suite]\nseeds = 1,2\nminutes = 1\n[run a]\n[run b]\n", {.part = {1, 2}}));
  CHECK(first == std::vector<std::string>{"a-seed1", "a-seed2"});
}

TEST_CASE("a run starts from another of the suite with the same seed", "[suite]") {
  const auto plan = planned("[suite]\nseeds = 1,2\n[run b]\nmeta.start = suite:a\n[run a]\n");
  CHECK(plan.runs[1].after == "a-seed2");
  CHECK(plan.runs[1].config.meta().start == "out/a-seed2");
  CHECK(plan.runs[2].after.empty());
  CHECK_THROWS_WITH(planned("[run maml]\n[run b]\nmeta.start = suite:mamal\n"),
                    contains("did you mean 'maml'?"));
  CHECK_THROWS_WITH(planned("[run a]\nmeta.start = suite:b\n[run b]\nmeta.start = suite:a\n"),
                    contains("itself starts from another"));
  CHECK_THROWS_WITH(planned("[run a]\n[run b]\nmeta.start = suite:a\n", {.runs = {"b"}}),
                    contains("b-seed1 starts from a-seed1, which --runs leaves out"));
}

TEST_CASE("a search validates, with the same budget for all, and is refused where nothing can judge",
          "[suite]") {
  const std::string grid = "[suite]\nsearch = grid\niterations = 50\n[search]\ninner.steps = 1, 2\n";
  const auto plan = planned(grid + "[run a]\nvalidation.every = 9\nvalidation.patience = 2\n[run b]\n");
  REQUIRE(plan.runs.size() == 4);
  CHECK(plan.runs[0].config.validation.every == 9);
  CHECK(plan.runs[0].config.validation.patience == 0);
  CHECK(plan.runs[2].config.validation.every == 5);
  CHECK(plan.runs[3].id == "b-002-seed1");
  CHECK(plan.runs[3].config.supervised.inner.steps == 2);
  const auto own = planned(grid + "[run a]\n[run b]\n[search b]\nmeta.batch_size = 3, 4, 5\n");
  REQUIRE(own.runs.size() == 5);
  CHECK(own.runs[1].id == "a-002-seed1");
  CHECK(own.runs[4].id == "b-003-seed1");
  CHECK(own.runs[4].config.meta().meta_batch_size == 5);
  CHECK(own.runs[4].config.supervised.inner.steps == own.runs[2].config.supervised.inner.steps);
  CHECK_THROWS_WITH(
      planned("[suite]\nsearch = grid\n[run a]\nconfig = online_sine\n[search]\ninner.steps = 1, 2\n"),
      contains("has no validation tasks"));
  CHECK_THROWS_WITH(
      planned("[suite]\nsearch = grid\n[run a]\nmeta.iterations = 0\n[search]\ninner.steps = 1, 2\n"),
      contains("nothing to search over"));
}

TEST_CASE("a plan that makes no sense is refused before anything is started", "[suite]") {
  CHECK_THROWS_WITH(
      planned("[run a]\nconfig = sine_11shot\n"),
      contains("s.ini:4: run a: --config: no file 'sine_11shot'") && contains("did you mean 'sine_"));
  CHECK_THROWS_WITH(planned("[run a]\nmeta.batch_size = 0\n"), contains("s.ini:5: meta.batch_size is '0'"));
  CHECK_THROWS_WITH(planned("[run a]\nenvironment.name = navigation_2d\n"),
                    contains("a configuration is of one side"));
  CHECK_THROWS_WITH(planned("[suite]\nbaseline = maml\n[run a]\n[run b]\ninner.steps = 3\n"),
                    contains("the runs a and b have the same, maml"));
  CHECK_THROWS_WITH(planned("[suite]\niterations = 5\n[run a]\nconfig = online_sine\n"),
                    contains("no other budget"));
  CHECK_THROWS_WITH(planned("[run a]\nconfig = sine_5shot\n[run b]\n", {.config = "sine_10shot"}),
                    contains("configurations of their own"));
}

TEST_CASE("a part is I/N and anything else is refused", "[suite]") {
  CHECK(parse_part("2/4").index == 2);
  CHECK(parse_part("2/4").count == 4);
  for (const char* wrong : {"0/4", "5/4", "2", "/4", "2/", "a/b", "2/4/6", "-1/4"}) {
    INFO(wrong);
    CHECK_THROWS_WITH(parse_part(wrong), contains("expected I/N"));
  }
}
