#include "meta/supervised/representation_similarity.h"

#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

Tensor drawn(int64_t rows, int64_t columns, uint64_t task = 0) {
  Stream stream(StreamKey{.seed = 4, .task = task});
  const Tensor out = torch::empty({rows, columns}, torch::kFloat64);
  for (int64_t i = 0; i < out.numel(); ++i) out.data_ptr<double>()[i] = stream.normal();
  return out;
}

Tensor rotation() {
  const double c = std::cos(0.7), s = std::sin(0.7);
  return torch::tensor({c, -s, s, c}, torch::kFloat64).view({2, 2});
}

// X = [[1,0],[2,1],[3,-1],[4,0]].
Tensor four_points() {
  return torch::tensor({1., 0., 2., 1., 3., -1., 4., 0.}, torch::kFloat64).view({4, 2});
}

}  // namespace

// Centred, X^T y = (11, -1), X^T X = [[5, -1], [-1, 2]] and y^T y = 26: 122 / (sqrt(31) 26).
TEST_CASE("linear CKA is that worked out by hand", "[analysis]") {
  const Tensor y = torch::tensor({2., 4., 5., 9.}, torch::kFloat64).view({4, 1});
  const double found = *linear_cka(four_points(), y);
  CHECK(found == Approx(0.84276334).margin(5e-9));
  CHECK(*linear_cka(y, four_points()) == Approx(found));
  CHECK(*linear_cka(four_points(), four_points()) == Approx(1).margin(1e-12));
}

TEST_CASE("linear CKA does not see rotations, scales and shifts, and sees other maps", "[analysis]") {
  const Tensor x = drawn(30, 2);
  CHECK(*linear_cka(x, 3 * x.matmul(rotation()) + 7) == Approx(1).margin(1e-12));
  const Tensor stretch = torch::tensor({1., 0., 0., 20.}, torch::kFloat64).view({2, 2});
  CHECK(*linear_cka(x, x.matmul(stretch)) < 0.9);
  CHECK(*linear_cka(x, drawn(30, 2, 1)) < 0.5);
}

TEST_CASE("mean CCA of X and X A is 1 for any invertible A, and less where a direction is another",
          "[analysis]") {
  const Tensor x = drawn(50, 3);
  const Tensor a = torch::tensor({2., 1., 0., 0., .5, -3., 1., 0., 40.}, torch::kFloat64).view({3, 3});
  CHECK(*mean_cca(x, x.matmul(a) - 5, 1) == Approx(1).margin(1e-9));
  CHECK(*linear_cka(x, x.matmul(a)) < 0.95);
  // Two directions shared, the third orthogonal to all: (1 + 1 + 0) / 3.
  Tensor third = drawn(50, 1, 2);
  const Tensor base = x - x.mean(0, true);
  third = third - third.mean(0, true);
  for (int pass = 0; pass < 100; ++pass) {
    for (int64_t i = 0; i < 3; ++i) {
      const Tensor u = base.select(1, i).unsqueeze(1);
      third = third - u * (u.t().matmul(third) / u.square().sum());
    }
  }
  const Tensor y = torch::cat({x.narrow(1, 0, 2), third}, 1);
  CHECK(*mean_cca(x, y, 1) == Approx(2.0 / 3).margin(1e-6));
  // The mean is over the smaller of both dimensions.
  CHECK(*mean_cca(x, x.narrow(1, 0, 2), 1) == Approx(1).margin(1e-9));
}

// cos of the angle between two columns is their correlation.
TEST_CASE("mean CCA of single columns is the size of their correlation", "[analysis]") {
  const Tensor x = torch::tensor({1., 2., 3., 4.}, torch::kFloat64).view({4, 1});
  const Tensor y = torch::tensor({-1., -3., -2., -4.}, torch::kFloat64).view({4, 1});
  CHECK(*mean_cca(x, y) == Approx(0.8).margin(1e-12));  // covariance -4, variances 5 and 5
}

TEST_CASE("SVCCA leaves directions out that explain little", "[analysis]") {
  const Tensor shared = drawn(200, 1), faint = 1e-3 * drawn(200, 1, 1), other = 1e-3 * drawn(200, 1, 2);
  const Tensor x = torch::cat({shared, faint}, 1), y = torch::cat({shared, other}, 1);
  CHECK(*mean_cca(x, y) == Approx(1).margin(1e-4));
  CHECK(*mean_cca(x, y, 1) < 0.7);
}

TEST_CASE("similarities that are not defined are told apart from numbers", "[analysis]") {
  const Tensor x = drawn(3, 3), constant = torch::full({3, 2}, 0.1, torch::kFloat64);
  CHECK(!mean_cca(x, x));  // as few samples as neurons
  CHECK(linear_cka(x, x));
  CHECK(!linear_cka(x, constant));
  CHECK(!mean_cca(x.narrow(1, 0, 1), constant));
  CHECK_THROWS_WITH(linear_cka(x, drawn(4, 3)), contains("same samples"));
  CHECK_THROWS_WITH(mean_cca(x, x, 0), contains("above 0 and at most 1"));
}

TEST_CASE("channels are the neurons of a convolution and places its samples", "[analysis]") {
  const Tensor h = torch::tensor({0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11.}, torch::kFloat64)
                       .view({1, 2, 3, 1, 2});  // 2 images, 3 channels, 1 x 2 places
  const Tensor samples = as_samples(h);
  CHECK(samples.sizes() == at::IntArrayRef({4, 3}));
  CHECK(samples[1][2].item<double>() == 5);  // image 0, place 1, channel 2
  CHECK(samples[2][0].item<double>() == 6);  // image 1, place 0, channel 0
  CHECK(as_samples(h.flatten(2)).sizes() == at::IntArrayRef({2, 6}));
  CHECK_THROWS_WITH(as_samples(h[0]), contains("expected [1, N"));
}
