#include "runners/drawing/smoothing.h"

#include "tests/catch.h"

using namespace innerloop;

TEST_CASE("smoothing takes the mean of both sides alike, bends no trend and keeps the ends", "[plot]") {
  CHECK(smoothed_values({0, 3, 6, 0, 0}, 1) == std::vector<double>{0, 3, 3, 2, 0});
  CHECK(smoothed_values({1, 2, 3, 4, 5, 6}, 2) == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(smoothed_values({7}, 3) == std::vector<double>{7});
  CHECK(smoothed_values({}, 3).empty());
}
