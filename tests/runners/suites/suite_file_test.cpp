// Claims about the file of a suite: what it says is what is read, and what makes no sense is refused by line.
#include "runners/suites/suite_file.h"

#include "base/error.h"
#include "tests/catch.h"

using namespace innerloop;

namespace {

Suite parsed(const std::string& text) { return parse_suite(text, "folder/of/mine.ini"); }

std::string value_of(const SuiteEntry& run, const std::string& key) {
  for (const auto& setting : run.settings) {
    if (setting.key == key) return setting.value;
  }
  return "(not there)";
}

}  // namespace

TEST_CASE("a run has the keys of [base] and its own over them, wherever [base] stands", "[suite]") {
  const auto suite = parsed(
      "# What it is for.\n[run second]\ninner.steps = 5\n[suite]\nseeds = 3,1\nminutes = 0.5\n"
      "[base]\nconfig = sine_10shot\ninner.steps = 1\nmeta.batch_size = 7\n[run first]\n");
  CHECK(suite.name == "mine");
  CHECK(suite.folder == "folder/of");
  CHECK(suite.description == "What it is for.");
  CHECK(suite.settings.seeds == std::vector<int64_t>{3, 1});
  CHECK(suite.settings.minutes == 0.5);
  REQUIRE(suite.runs.size() == 2);
  CHECK(suite.runs[0].name == "second");
  CHECK(suite.runs[0].config == "sine_10shot");
  CHECK(value_of(suite.runs[0], "inner.steps") == "5");
  CHECK(value_of(suite.runs[0], "meta.batch_size") == "7");
  CHECK(suite.runs[1].name == "first");  // an empty section is a run too
  CHECK(value_of(suite.runs[1], "inner.steps") == "1");
}

TEST_CASE("a run has a search of its own in the place of that of all", "[suite]") {
  const auto suite = parsed(
      "[search b]\nnetwork.filters = 8, 16\ninner.steps = 3, 4\n[suite]\nsearch = grid\n[run a]\n[run b]\n"
      "[search]\ninner.steps = 1, 2\n");
  const auto keys = [](const SuiteEntry& run) {
    std::vector<std::string> found;
    for (const auto& setting : run.space) found.push_back(setting.key + " " + setting.value);
    return found;
  };
  CHECK(keys(suite.runs[0]) == std::vector<std::string>{"inner.steps 1, 2"});
  CHECK(keys(suite.runs[1]) == std::vector<std::string>{"network.filters 8, 16", "inner.steps 3, 4"});
}

TEST_CASE("a suite that makes no sense is refused with file and line", "[suite]") {
  const std::string run = "[run a]\n";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "no run, expected at least one section [run NAME]"},
      {"[suite]\nseeds = 1\n", "no run"},
      {"[run a]\n[run b]\n[run a]\n", "mine.ini:3: [run a] stands twice, first at folder/of/mine.ini:1"},
      {"[run a]\n[run  a]\n", "mine.ini:2: there are two runs 'a', the first at folder/of/mine.ini:1"},
      {"[run a/b]\n", "mine.ini:1: the run's name is 'a/b'"},
      {"[run .]\n", "the run's name is '.'"},
      {"[run -a]\n", "the run's name is '-a'"},
      {"[run ]\n", "mine.ini:1: "},
      {"[runs a]\n",
       "mine.ini:1: unknown section 'runs a'; known: suite, base, run NAME, search, search NAME"},
      {run + "[suit]\nseeds = 1\n", "mine.ini:2: unknown section 'suit'; did you mean 'suite'?"},
      {run + "[suite]\nseed = 1\n", "mine.ini:3: unknown key of [suite] 'seed'; did you mean 'seeds'?"},
      {run + "[suite]\nseeds = 1,1\n", "suite.seeds names 1 twice"},
      {run + "[suite]\nseeds =\n", "suite.seeds is empty"},
      {run + "[suite]\nseeds = a\n", "mine.ini:3: suite.seeds is 'a'"},
      {run + "[suite]\niterations = 5\nminutes = 5\n", "both given, expected one budget"},
      {run + "[suite]\nsearch = gird\n", "did you mean 'grid'?"},
      {run + "[suite]\nsearch = grid\n", "there is no [search]"},
      {run + "[search]\ninner.steps = 1, 2\n", "suite.search is none"},
      {run + "[suite]\nsearch = random\n[search]\ninner.steps = 1, 2\n", "suite.draws is 0"},
      {run + "[suite]\nsearch = grid\ndraws = 3\n[search]\ninner.steps = 1, 2\n",
       "suite.draws would do nothing"},
      {run + "[suite]\nsearch = grid\nbaseline = maml\n[search]\ninner.steps = 1, 2\n", "suite.baseline"},
      {run + "[search]\nconfig = a, b\n", "config cannot be searched over"},
      {run + "[search a]\nconfig = a, b\n", "config cannot be searched over"},
      {run + "[search a]\ninner.steps = 1, 2\n", "suite.search is none"},
      {run + "[suite]\nsearch = grid\n[search b]\ninner.steps = 1, 2\n",
       "mine.ini:4: [search b]: unknown run of this suite 'b'"},
      {run + "[run b]\n[suite]\nsearch = grid\n[search a]\ninner.steps = 1, 2\n",
       "mine.ini:2: suite.search is grid, but there is no [search] or [search b] with keys to search over"},
      {run + "[suite]\nsearch = grid\n[search a]\n[search]\ninner.steps = 1, 2\n",
       "mine.ini: [search a] is empty, expected keys"},
      {run + "[suite]\nsearch = grid\n[search a]\ninner.steps = 1, 2\n[search  a]\ninner.steps = 3\n",
       "mine.ini:6: [search a] stands twice, first at folder/of/mine.ini:4"},
      {run + "inner.stesp = 1\n", "mine.ini:2: unknown key 'inner.stesp'; did you mean 'inner.steps'?"},
      {run + "seed = 1\n", "mine.ini:2: seed is that of each run, suite.seeds names them"},
      {run + "config =\n", "mine.ini:2: config is empty"},
      {"inner.steps = 1\n" + run, "'inner.steps' stands in no section"},
      {"algorithm = maml\n" + run, "'algorithm' stands in no section"},
      {run + "[base]\ninner.steps\n", "mine.ini:3: cannot read 'inner.steps'"},
      {run + "inner.steps = 1\ninner.steps = 2\n", "mine.ini:3: run a.inner.steps is given twice"},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    CHECK_THROWS_WITH(parsed(text), contains(expected));
    CHECK_THROWS_AS(parsed(text), UsageError);
  }
}
