#include "datasets/class_split.h"

#include <set>

#include "base/error.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

using Sizes = std::array<int64_t, 3>;

}  // namespace

TEST_CASE("classes are shared out by the shares, at least one to each", "[datasets][class_split]") {
  CHECK(split_sizes(100, {}) == Sizes{64, 16, 20});
  CHECK(split_sizes(10, {}) == Sizes{6, 2, 2});
  CHECK(split_sizes(3, {}) == Sizes{1, 1, 1});
  CHECK(split_sizes(2, {}) == Sizes{0, 0, 0});
  CHECK(split_sizes(0, {}) == Sizes{0, 0, 0});
  CHECK(split_sizes(10, {.shares = {8, 1, 1}}) == Sizes{8, 1, 1});
  CHECK(split_sizes(10, {.shares = {1, 0, 1}}) == Sizes{5, 0, 5});
  CHECK(split_sizes(1, {.shares = {1, 0, 0}}) == Sizes{1, 0, 0});
  CHECK_THROWS_AS(split_sizes(10, {.shares = {0, 0.5, 0.5}}), UsageError);
  CHECK_THROWS_WITH(split_sizes(10, {.shares = {1, -0.5, 0.5}}),
                    contains("dataset.split") && contains("-0.5"));
  CHECK_THROWS_AS(split_sizes(10, {.shares = {1, NAN, 0.5}}), UsageError);
}

TEST_CASE("which class goes where is chance, fixed by the seed", "[datasets][class_split]") {
  const auto once = share_out(50, {});
  CHECK((share_out(50, {}) == once));
  CHECK((share_out(50, {.seed = 2}) != once));
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    const auto size = split_sizes(50, {})[static_cast<size_t>(split)];
    CHECK(std::count(once.begin(), once.end(), split) == size);
  }
  std::array<int, 6> tested{};  // each of six classes is tested by some of 60 seeds, about 10
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const auto splits = share_out(6, {.seed = seed});
    for (size_t i = 0; i < 6; ++i) tested[i] += splits[i] == Split::kTest ? 1 : 0;
  }
  for (const int times : tested) CHECK((times > 2 && times < 25));
}
