#include "networks/tensors/k_means.h"

#include <algorithm>

#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

TEST_CASE("a point belongs to the nearest centre, the first of several", "[k_means]") {
  const Tensor centres = torch::tensor({0., 0., 4., 0.}, torch::kFloat64).view({2, 2});
  const Tensor points = torch::tensor({1.9, 5., 2.1, -5., 2., 7.}, torch::kFloat64).view({3, 2});
  CHECK(nearest_centres(points, centres) == std::vector<int64_t>{0, 1, 0});
  // Far from the origin, where float32 holds little of a difference.
  const Tensor far = torch::tensor({1000.f, 1000.01f, 1000.006f}).view({3, 1});
  CHECK(nearest_centres(far.narrow(0, 2, 1), far.narrow(0, 0, 2)) == std::vector<int64_t>{1});
}

TEST_CASE("k-means finds clusters that lie apart, whatever it begins with", "[k_means]") {
  constexpr int64_t kEach = 300;
  Stream stream(StreamKey{7});
  std::vector<double> numbers;
  for (int64_t i = 0; i < 3 * kEach; ++i) {
    for (int64_t d = 0; d < 4; ++d) numbers.push_back(0.3 * stream.normal() + (i % 3 == d ? 5 : 0));
  }
  const Tensor points = torch::tensor(numbers, torch::kFloat64).view({-1, 4});
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Stream draws(StreamKey{seed});
    const Tensor centres = k_means(points, 3, 4, draws);
    const auto members = nearest_centres(points, centres);
    for (int64_t c = 0; c < 3; ++c) {
      CHECK(std::count(members.begin(), members.end(), c) == kEach);
      CHECK((points.index_select(0, torch::tensor(members).eq(c).nonzero().squeeze(1)).mean(0) - centres[c])
                .abs()
                .max()
                .item<double>() < 1e-12);
    }
    for (size_t i = 3; i < members.size(); ++i) CHECK(members[i] == members[i - 3]);
  }
}

TEST_CASE("k-means of as many points as centres has them all, of fewer is refused", "[k_means]") {
  const Tensor points = torch::tensor({1., 5., 9.}, torch::kFloat64).view({3, 1});
  Stream stream(StreamKey{1});
  const Tensor centres = k_means(points, 3, 3, stream);
  CHECK(std::get<0>(centres.sort(0)).equal(points));
  CHECK_THROWS_WITH(k_means(points, 4, 1, stream), contains("at least 4 rows"));
  CHECK(k_means(torch::zeros({5, 2}, torch::kFloat64), 2, 2, stream)
            .equal(torch::zeros({2, 2}, torch::kFloat64)));
}
