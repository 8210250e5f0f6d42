#include "runners/experiment/class_results.h"

#include <sstream>

#include "tests/torch_catch.h"

using namespace innerloop;

TEST_CASE("mistakes are counted from class to class over all tasks", "[evaluation]") {
  // Two tasks of two ways with three queries a label: apple, pear; then pear, plum. Fig is never asked for.
  const std::vector<std::string> names{"apple", "fig", "pear", "plum"};
  const TaskOutcomes outcomes{
      .metrics = {}, .classes = {{0, 2}, {2, 3}}, .predicted = {{0, 1, 1, 1, 1, 0}, {0, 0, 1, 1, 1, 1}}};
  const auto found = by_class(outcomes, 3, names);
  REQUIRE(found.size() == 3);
  CHECK(found[0].name == "apple");
  CHECK(found[0].queries == 3);
  CHECK(found[0].right == 1);
  CHECK(found[0].taken_for == std::map<std::string, int64_t>{{"pear", 2}});
  CHECK(found[1].name == "pear");
  CHECK(found[1].queries == 6);
  CHECK(found[1].right == 4);
  CHECK(found[1].taken_for == std::map<std::string, int64_t>{{"apple", 1}, {"plum", 1}});
  CHECK(found[2].accuracy() == 1);
  CHECK(by_class({.metrics = {}, .classes = {{}}, .predicted = {{0, 1}}}, 1, names).empty());
}

TEST_CASE("the worst classes are shown worst first, those asked for often enough", "[evaluation]") {
  const std::vector<ClassResult> classes{{"apple", 20, 15, {{"fig", 1}, {"pear", 4}}},
                                         {"fig", 9, 0, {{"pear", 9}}},
                                         {"pear", 10, 5, {{"apple", 5}}},
                                         {"plum", 10, 10, {}}};
  std::ostringstream out;
  print_worst_classes(out, classes);
  CHECK(out.str() ==
        "lowest of 4 classes:\n"
        "                  50.00 % of 10 queries   pear, taken for apple (5)\n"
        "                  75.00 % of 20 queries   apple, taken for pear (4), fig (1)\n"
        "                 100.00 % of 10 queries   plum\n");
  std::ostringstream nothing;
  print_worst_classes(nothing, {classes[1]});
  CHECK(nothing.str().empty());
}
