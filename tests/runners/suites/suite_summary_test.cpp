// Claims about what is told of a suite: while it works, and at its end.
#include "runners/suites/suite_summary.h"

#include <signal.h>

#include "base/error.h"
#include "tests/catch.h"

using namespace innerloop;

namespace {

// A grid of two step sizes with two seeds, of two runs.
SuitePlan grid() {
  return plan_suite(
      parse_suite("[suite]\nsearch = grid\nseeds = 1,2\niterations = 50\n[base]\ndataset.name = sine\n"
                  "[run a]\n[run b]\n[search]\ninner.step_size = 0.1, 0.03\nnetwork.hidden = (4,4)\n",
                  "s.ini"),
      {.directory = "out"});
}

SuiteOutcome found(const std::vector<double>& values, const std::string& metric) {
  SuiteOutcome outcome;
  for (const double value : values)
    outcome.runs.push_back(
        {.state = RunState::kDone, .result = RunResult{.metric = metric, .value = value, .ci95 = 0.1}});
  return outcome;
}

std::vector<std::string> names_in(const std::vector<Candidate>& ranking) {
  std::vector<std::string> names;
  for (const auto& candidate : ranking) names.push_back(candidate.name);
  return names;
}

}  // namespace

TEST_CASE("candidates are ranked by the mean over seeds within their run, errors up and accuracies down",
          "[suite]") {
  const auto plan = grid();
  REQUIRE(plan.runs.size() == 8);
  const std::vector<double> values{0.5, 0.9, 0.6, 0.6, 0.1, 0.2, 0.3, 0.4};
  const auto errors = rank_candidates(plan, found(values, "mse"));
  CHECK(names_in(errors) == std::vector<std::string>{"a-002", "a-001", "b-001", "b-002"});
  CHECK(errors[1].mean == Approx(0.7));
  CHECK(errors[1].lowest == 0.5);
  CHECK(errors[1].highest == 0.9);
  CHECK_FALSE(errors[1].ci95.has_value());  // that of one seed says nothing of two
  const auto accuracies = rank_candidates(plan, found(values, "accuracy"));
  CHECK(names_in(accuracies) == std::vector<std::string>{"a-001", "a-002", "b-002", "b-001"});
  // One whose second seed failed has no rank, however good its first one was.
  auto outcome = found(values, "mse");
  outcome.runs[5] = {.state = RunState::kFailed, .error = "it broke"};
  const auto partly = rank_candidates(plan, outcome);
  CHECK(names_in(partly) == std::vector<std::string>{"a-002", "a-001", "b-002", "b-001"});
  CHECK_FALSE(partly.back().whole);
  CHECK_THAT(ranking_csv(plan, partly), contains("b,,b-001,0.1,\"4,4\",mse,0.1,0.1,0.1,0.1,1\n"));
}

TEST_CASE("the best configuration reads back as the candidate's", "[suite]") {
  const auto plan = grid();
  const auto ranking = rank_candidates(plan, found({4, 4, 3, 3, 2, 2, 1, 1}, "mse"));
  const auto text = best_configuration(plan, ranking[0], 2);
  CHECK_THAT(text, StartsWith("# The best of 2 candidates of the suite s, run a: inner.step_size 0.03"));
  const auto config = make_config(parse_settings(text, "best.ini"));
  CHECK(training_text(config) == training_text(plan.runs[2].config));
  CHECK(config.iterations == 50);
}

TEST_CASE("what a child printed tells how far it is and why it failed", "[suite]") {
  const auto progress =
      progress_of("$ innerloop train\n  1/300  loss 2\n 42/300  loss 1  0:02 left\nnot 1/2 of it\n");
  CHECK(progress.done == 42);
  CHECK(progress.total == 300);
  CHECK(progress.line == "42/300  loss 1  0:02 left");
  CHECK(progress_of("1/0  x\n3/4 of all\n5/6").total == 0);
  CHECK(error_line("one\ninnerloop: it broke\n\nlater\n") == "it broke");
  CHECK(error_line("one\ntwo\n \n") == "two");
  CHECK(error_line("") == "");
  CHECK(end_text({.signal = SIGSEGV}) == "killed by signal 11 (SIGSEGV)");
  CHECK_THAT(end_text({.signal = SIGKILL}), contains("SIGKILL") && contains("memory"));
  CHECK(end_text({.code = 1}) == "exit code 1");
}
