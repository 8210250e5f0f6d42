#include "base/permutation.h"

#include <map>
#include <set>

#include "tests/catch.h"

using namespace innerloop;

TEST_CASE("a permutation gives every number once, and every order equally often", "[base]") {
  std::map<std::vector<int64_t>, int> orders;
  for (uint64_t number = 0; number < 6000; ++number) {
    Stream stream({.seed = 1, .purpose = Purpose::kTest, .task = number});
    Permutation permutation(3, stream);
    const std::vector<int64_t> order{permutation.next(), permutation.next(), permutation.next()};
    REQUIRE(std::set<int64_t>(order.begin(), order.end()) == std::set<int64_t>{0, 1, 2});
    ++orders[order];
  }
  CHECK(orders.size() == 6);
  for (const auto& [order, count] : orders) CHECK(std::abs(count - 1000) < 150);  // 5 standard deviations
}
