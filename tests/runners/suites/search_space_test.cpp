// Claims about what a search tries.
#include "runners/suites/search_space.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "tests/catch.h"

using namespace innerloop;

namespace {

using Values = std::vector<std::string>;

SearchDimension dimension(const std::string& key, const std::string& value) {
  return read_dimension({key, value, "s.ini:9"});
}

}  // namespace

TEST_CASE("values are separated by commas, a value that has commas stands in parentheses", "[suite]") {
  CHECK(dimension("inner.step_size", "0.1, 0.03").values == Values{"0.1", "0.03"});
  CHECK(dimension("network.hidden", "(40,40), (100,100)").values == Values{"40,40", "100,100"});
  CHECK(dimension("network.hidden", "( 40,40 )").values == Values{"40,40"});
  CHECK(dimension("network.hidden", "(40), (100)").values == Values{"40", "100"});
  CHECK(dimension("network.hidden", "none").values == Values{"none"});
  CHECK(dimension("algorithm", "maml, fomaml").values == Values{"maml", "fomaml"});
  CHECK(dimension("cavia.contexts", "2, 4").values == Values{"2", "4"});
}

TEST_CASE("values that could be meant in two ways, or that the key refuses, are refused with their place",
          "[suite]") {
  const std::vector<std::pair<Setting, std::string>> cases{
      {{"network.hidden", "40, 100", ""}, "may be one value or several"},
      {{"network.hidden", "40,40", ""}, "put each in parentheses"},
      {{"inner.adapt", "conv*.weight,linear.*", ""}, "put each in parentheses"},
      {{"inner.step_size", "0.1, 0.10", ""}, "'0.10' stands there twice"},
      {{"inner.step_size", "0.1, -1", ""}, "'-1' is refused"},
      {{"inner.step_size", "0.1,", ""}, "'' is refused"},
      {{"inner.steps", "1, 1.5", ""}, "'1.5' is refused, expected a whole number"},
      {{"network.hidden", "(40,40, (1)", ""}, "parentheses do not match"},
      {{"network.hidden", "40), (1", ""}, "parentheses do not match"},
      {{"inner.step_size", "0.1 to", ""}, "expected LOW to HIGH"},
      {{"inner.step_size", "0.1 to 0.2 exp", ""}, "expected LOW to HIGH"},
      {{"inner.step_size", "0.2 to 0.1", ""}, "expected a lower and a higher number"},
      {{"inner.step_size", "0 to 0.1 log", ""}, "a logarithm needs numbers above 0"},
      {{"inner.steps", "1.5 to 3", ""}, "'1.5' is refused"},
      {{"inner.stesp", "1, 2", ""}, "did you mean 'inner.steps'?"},
  };
  for (auto [setting, expected] : cases) {
    INFO(setting.key << " = " << setting.value);
    setting.where = "s.ini:9";
    CHECK_THROWS_AS(read_dimension(setting), UsageError);
    CHECK_THROWS_WITH(read_dimension(setting), contains(expected) && StartsWith("s.ini:9: "));
  }
}

TEST_CASE("a grid has every combination once, the last key running fastest", "[suite]") {
  const auto points = grid_points(
      {dimension("inner.step_size", "0.1, 0.03"), dimension("network.hidden", "(8), (8,8), (9)")});
  REQUIRE(points.size() == 6);
  CHECK(point_text(points[0]) == "inner.step_size 0.1, network.hidden 8");
  CHECK(point_text(points[1]) == "inner.step_size 0.1, network.hidden 8,8");
  CHECK(point_text(points[5]) == "inner.step_size 0.03, network.hidden 9");
  CHECK_THROWS_WITH(grid_points({dimension("inner.step_size", "0.01 to 0.1")}), contains("is a range"));
}

TEST_CASE("draws are those of their seed, differ, lie in their ranges and fill them", "[suite]") {
  const std::vector<SearchDimension> space{
      dimension("inner.step_size", "0.001 to 0.1 log"), dimension("inner.steps", "1 to 3"),
      dimension("meta.step_size", "0.5 to 1"), dimension("algorithm", "maml, fomaml")};
  const auto points = random_points(space, 1, 300);
  REQUIRE(points.size() == 300);
  const auto fewer = random_points(space, 1, 20), other = random_points(space, 2, 20);
  for (size_t i = 0; i < fewer.size(); ++i) CHECK(point_text(fewer[i]) == point_text(points[i]));
  CHECK(point_text(other[0]) != point_text(points[0]));
  std::set<std::string> seen, steps, algorithms;
  int64_t below = 0;
  for (const auto& point : points) {
    seen.insert(point_text(point));
    const double size = std::stod(point[0].value), rate = std::stod(point[2].value);
    CHECK((size >= 0.001 && size <= 0.1));
    CHECK((rate >= 0.5 && rate <= 1));
    below += size < 0.01 ? 1 : 0;
    steps.insert(point[1].value);
    algorithms.insert(point[3].value);
  }
  CHECK(seen.size() == 300);
  CHECK(steps == std::set<std::string>{"1", "2", "3"});  // both ends
  CHECK(algorithms.size() == 2);
  // Half of a logarithm's range lies below 0.01, a tenth of the numbers would: 150 +- 4 standard deviations.
  CHECK(std::abs(static_cast<double>(below) - 150) < 35);
}

TEST_CASE("more draws than there are points are refused", "[suite]") {
  const std::vector<SearchDimension> space{dimension("inner.steps", "1 to 3"),
                                           dimension("algorithm", "maml, fomaml")};
  CHECK(random_points(space, 1, 6).size() == 6);
  CHECK_THROWS_WITH(random_points(space, 1, 7), contains("only 6 points"));
}
