#include "datasets/image_operations.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

std::vector<float> noise(const ImageShape& shape, uint64_t seed = 1) {
  Stream stream(StreamKey{seed});
  std::vector<float> out(static_cast<size_t>(shape.size()));
  for (auto& x : out) x = static_cast<float>(stream.uniform());
  return out;
}

torch::Tensor tensor_of(const ImageShape& shape, const std::vector<float>& image) {
  return torch::tensor(image).view({shape.channels, shape.height, shape.width});
}

bool near(const std::vector<float>& a, const std::vector<float>& b, float most = 1e-6F) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::abs(a[i] - b[i]) > most) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("operations whose numbers say nothing keep every bit of an image", "[datasets][images]") {
  const auto channels = GENERATE(as<int64_t>{}, 1, 3);
  const ImageShape shape{channels, 7, 5};
  const auto image = noise(shape);
  std::vector<float> out(image.size());
  resized_crop(shape, image.data(), {0, 0, 7, 5}, out.data());
  CHECK(out == image);
  turned(shape, image.data(), 0, out.data());
  CHECK(out == image);
  flip_left_right(shape, out.data());
  CHECK(out != image);
  flip_left_right(shape, out.data());
  CHECK(out == image);
  scale_brightness(shape, 1, out.data());
  CHECK(out == image);
  scale_contrast(shape, 1, out.data());
  CHECK(out == image);
  if (channels == 1) return;
  scale_saturation(shape, 1, out.data());
  CHECK(out == image);
  turn_hue(shape, 0, out.data());
  CHECK(near(out, image));
}

TEST_CASE("an image is turned as LibTorch's rot90 turns it", "[datasets][images]") {
  const ImageShape shape{3, 6, 6};
  const auto image = noise(shape);
  for (const int64_t quarters : {1, 2, 3}) {
    std::vector<float> out(image.size());
    turned(shape, image.data(), quarters, out.data());
    CHECK(tensor_of(shape, out).equal(torch::rot90(tensor_of(shape, image), quarters, {1, 2})));
  }
  const ImageShape high{1, 6, 4};
  std::vector<float> out(static_cast<size_t>(high.size()));
  CHECK_THROWS_WITH(turned(high, image.data(), 1, out.data()), contains("6 x 4 found, expected a square"));
  CHECK_THROWS_WITH(turned(shape, image.data(), 4, out.data()), contains("4 quarters found"));
  turned(high, noise(high).data(), 2, out.data());
  CHECK(tensor_of(high, out).equal(torch::rot90(tensor_of(high, noise(high)), 2, {1, 2})));
}

// A quarter of a ramp stretched to twice its size is a ramp of half the slope, but for the edge.
TEST_CASE("a crop is the box stretched to the image's size, bilinear between pixel centres",
          "[datasets][images]") {
  const ImageShape shape{1, 4, 4};
  std::vector<float> ramp(16), out(16);
  for (size_t i = 0; i < 16; ++i) ramp[i] = static_cast<float>(i / 4 * 10 + i % 4);
  resized_crop(shape, ramp.data(), {1, 2, 2, 2}, out.data());
  const float columns[4] = {2, 2.25F, 2.75F, 3}, rows[4] = {10, 12.5F, 17.5F, 20};
  std::vector<float> expected;
  for (const float r : rows) {
    for (const float c : columns) expected.push_back(r + c);
  }
  CHECK(near(out, expected, 1e-5F));
  CHECK_THROWS_WITH(resized_crop(shape, ramp.data(), {1, 2, 2, 3}, out.data()), contains("within 4 x 4"));
  CHECK_THROWS_WITH(resized_crop(shape, ramp.data(), {0, 0, 0, 3}, out.data()), contains("0 x 3"));
}

TEST_CASE("a blur keeps the sum of what lies within, spreads a dot by its deviation and leaves a flat image",
          "[datasets][images]") {
  const ImageShape shape{3, 21, 21};
  std::vector<float> image(static_cast<size_t>(shape.size()), 0);
  image[10 * 21 + 10] = 1;  // of the first channel
  for (size_t i = 441; i < 882; ++i) image[i] = 0.25F;
  const double deviation = 1.5;
  blur(shape, deviation, image.data());
  double sum = 0, variance = 0;
  for (size_t i = 0; i < 441; ++i) {
    const double row = static_cast<double>(i / 21) - 10;
    sum += static_cast<double>(image[i]);
    variance += row * row * static_cast<double>(image[i]);
  }
  CHECK(sum == Approx(1).epsilon(1e-5));
  CHECK(variance == Approx(deviation * deviation).epsilon(0.03));
  for (size_t i = 441; i < 882; ++i) CHECK(image[i] == Approx(0.25F));
  CHECK(std::all_of(image.begin() + 882, image.end(), [](float x) { return x == 0; }));
}

TEST_CASE("brightness, contrast, saturation and grey are those worked out by hand", "[datasets][images]") {
  const ImageShape two{3, 1, 2};  // (.5, .4, .2) and (.1, .8, .6)
  const std::vector<float> image{.5F, .1F, .4F, .8F, .2F, .6F};
  const auto after = [&](auto operation) {
    auto out = image;
    operation(out.data());
    return out;
  };
  CHECK(near(after([&](float* x) { scale_brightness(two, 1.5, x); }), {.75F, .15F, .6F, 1, .3F, .9F}));
  // Luminances .299 .5 + .587 .4 + .114 .2 = .4071 and .0299 + .4696 + .0684 = .5679; mean .4875.
  CHECK(near(after([&](float* x) { scale_contrast(two, 0.5, x); }),
             {.49375F, .29375F, .44375F, .64375F, .34375F, .54375F}));
  CHECK(near(after([&](float* x) { scale_saturation(two, 0, x); }),
             {.4071F, .5679F, .4071F, .5679F, .4071F, .5679F}));
  CHECK(
      near(after([&](float* x) { to_luminance(two, x); }), {.4071F, .5679F, .4071F, .5679F, .4071F, .5679F}));
  const ImageShape one{1, 1, 2};
  std::vector<float> grey{.2F, .6F};
  scale_contrast(one, 3, grey.data());
  CHECK(near(grey, {0, 1}));  // .4 -+ .6, cut
  CHECK_THROWS_WITH(to_luminance(one, grey.data()), contains("1 channels found, expected 3"));
}

TEST_CASE("a third of the colour circle takes red to green to blue, and turns undo each other",
          "[datasets][images]") {
  const ImageShape one{3, 1, 1};
  std::vector<float> colour{1, 0.2F, 0.2F};
  turn_hue(one, 1.0 / 3, colour.data());
  CHECK(near(colour, {0.2F, 1, 0.2F}));
  turn_hue(one, 1.0 / 3, colour.data());
  CHECK(near(colour, {0.2F, 0.2F, 1}));
  turn_hue(one, 1.0 / 6, colour.data());
  CHECK(near(colour, {1, 0.2F, 1}));
  std::vector<float> grey{0.3F, 0.3F, 0.3F};
  turn_hue(one, 0.4, grey.data());
  CHECK(near(grey, {0.3F, 0.3F, 0.3F}));
  const ImageShape shape{3, 8, 8};
  const auto image = noise(shape);
  auto out = image;
  turn_hue(shape, 0.37, out.data());
  CHECK(!near(out, image, 0.1F));
  turn_hue(shape, -0.37, out.data());
  CHECK(near(out, image, 1e-5F));
}
