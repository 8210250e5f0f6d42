#include "meta/algorithms/affine_distortion.h"

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

void check_map(const AffineMap& found, const std::array<double, 6>& expected) {
  for (size_t i = 0; i < 6; ++i) CHECK(found.m[i] == Approx(expected[i]).margin(1e-12));
}

Tensor picture(int64_t side) {
  return torch::arange(2 * side * side, torch::kFloat64).view({2, side, side}) / static_cast<double>(side);
}

}  // namespace

TEST_CASE("an affine map is rotation, shear and scale as worked out by hand", "[meta]") {
  check_map(affine_map({}), {1, 0, 0, 0, 1, 0});
  check_map(affine_map({.shift_x = .1, .shift_y = -.2}), {1, 0, .1, 0, 1, -.2});
  check_map(affine_map({.scale_x = .8, .scale_y = 1.2}), {.8, 0, 0, 0, 1.2, 0});
  check_map(affine_map({.shear_x = .3, .shear_y = -.2}), {1, .3, 0, -.2, 1, 0});
  check_map(affine_map({.turn = std::numbers::pi / 2}), {0, -1, 0, 1, 0, 0});
  // [1 .5; .25 1] diag(2, 4) = [2 2; .5 4], turned by 90 degrees: rows (-.5, -4) and (2, 2).
  check_map(
      affine_map({.turn = std::numbers::pi / 2, .shear_x = .5, .shear_y = .25, .scale_x = 2, .scale_y = 4}),
      {-.5, -4, 0, 2, 2, 0});
  // Forth and back, and the inverse by hand of [2 1 | 1; 0 4 | 2]: [.5 -.125 | -.25; 0 .25 | -.5].
  check_map(inverse({{2, 1, 1, 0, 4, 2}}), {.5, -.125, -.25, 0, .25, -.5});
  CHECK_THROWS_WITH(inverse({{1, 2, 0, 2, 4, 0}}), contains("no inverse"));
}

TEST_CASE("a picture under the identity keeps its bits, and quarter turns and shifts move its pixels",
          "[meta]") {
  for (const int64_t side : {5, 28, 105}) {
    const Tensor x = picture(side);
    CHECK(distorted(x, {}).equal(x));
    CHECK(distorted(x.to(torch::kFloat32), {}).equal(x.to(torch::kFloat32)));
    // y points down: from x to y is clockwise to the eye.
    CHECK(distorted(x, affine_map({.turn = std::numbers::pi / 2})).equal(torch::rot90(x, -1, {1, 2})));
    const double pixel = 1 / static_cast<double>(side);
    const Tensor right = distorted(x, affine_map({.shift_x = pixel}));
    CHECK(right.narrow(2, 1, side - 1).equal(x.narrow(2, 0, side - 1)));
    CHECK(right.select(2, 0).equal(x.select(2, 0)));  // beyond the edge what lies on it
  }
}

// Half a pixel to the right: the mean of two neighbours. Twice as wide: every pixel from the middle half.
TEST_CASE("between pixels a distorted picture is interpolated", "[meta]") {
  const Tensor x = torch::tensor({{{0.0, 1.0, 4.0, 9.0}}}, torch::kFloat64);
  const Tensor half = distorted(x, affine_map({.shift_x = 0.125}));
  CHECK(torch::allclose(half, torch::tensor({{{0.0, 0.5, 2.5, 6.5}}}, torch::kFloat64)));
  const Tensor wide = distorted(x, affine_map({.scale_x = 2}));
  CHECK(torch::allclose(wide, torch::tensor({{{0.75, 1.75, 3.25, 5.25}}}, torch::kFloat64)));
}

TEST_CASE("each part of a distortion is there half of the time, over the whole of its range", "[meta]") {
  constexpr int kDraws = 4000;
  std::array<int, 7> there{};
  std::array<double, 7> least{}, most{};
  Stream stream(StreamKey{.seed = 3});
  for (int i = 0; i < kDraws; ++i) {
    const AffineParts p = draw_affine_parts(stream);
    const std::array<double, 7> parts{p.turn * 180 / std::numbers::pi / 10,
                                      p.shear_x / .3,
                                      p.shear_y / .3,
                                      (p.scale_x - 1) / .2,
                                      (p.scale_y - 1) / .2,
                                      p.shift_x * 105 / 2,
                                      p.shift_y * 105 / 2};
    for (size_t j = 0; j < 7; ++j) {
      there[j] += parts[j] == 0 ? 0 : 1;
      least[j] = std::min(least[j], parts[j]);
      most[j] = std::max(most[j], parts[j]);
    }
  }
  for (size_t j = 0; j < 7; ++j) {
    CHECK(there[j] == Approx(kDraws / 2).margin(4 * std::sqrt(kDraws) / 2));
    CHECK(least[j] == Approx(-1).margin(.01));
    CHECK(most[j] == Approx(1).margin(.01));
    CHECK(least[j] >= -1);
    CHECK(most[j] <= 1);
  }
}
