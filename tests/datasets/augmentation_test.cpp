#include "datasets/augmentation.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

DatasetSpec images_of(int64_t channels, int64_t height, int64_t width) {
  return {.name = "pictures",
          .description = "",
          .input = {channels, height, width},
          .protocol = "",
          .black = std::vector<double>(static_cast<size_t>(channels), -1),
          .white = std::vector<double>(static_cast<size_t>(channels), 3)};
}

constexpr AugmentationConfig kNone{.crop_least = 1, .crop_most = 1, .flip = 0};

std::vector<float> ramp_image(int64_t size) {
  std::vector<float> out;
  for (int64_t i = 0; i < size; ++i)
    out.push_back(-1 + 4 * static_cast<float>(i % 23) / 22);  // from black to white
  return out;
}

std::vector<float> view(const AugmentationConfig& config, const DatasetSpec& spec, uint64_t seed) {
  const Augmentation augmentation(config, spec, "contrastive");
  const auto image = ramp_image(augmentation.image_size());
  std::vector<float> out(image.size());
  Stream stream(StreamKey{seed});
  augmentation.draw(image.data(), stream, out.data());
  return out;
}

}  // namespace

TEST_CASE("a view by settings that change nothing is the image, bit for bit", "[datasets][images]") {
  const auto spec = images_of(3, 9, 7);
  CHECK(view(kNone, spec, 1) == ramp_image(3 * 9 * 7));
}

TEST_CASE("each setting changes views by itself, and a view follows from the stream", "[datasets][images]") {
  const auto channels = GENERATE(as<int64_t>{}, 1, 3);
  const auto spec = images_of(channels, 11, 11);
  const auto plain = ramp_image(channels * 121);
  std::vector<AugmentationConfig> all(4, kNone);
  all[0].crop_least = 0.2;
  all[1].flip = 1;
  all[2].jitter = 1;
  all[3].blur = 1;
  if (channels == 3) {
    all.push_back(kNone);
    all.back().grey = 1;
  }
  for (const auto& config : all) {
    const auto first = view(config, spec, 1);
    CHECK(first != plain);
    CHECK(first == view(config, spec, 1));
    const bool random = config.flip == 0 && config.grey == 0;
    CHECK((first == view(config, spec, 2)) == !random);
    for (const float x : first) {
      CHECK(x >= -1.0001F);
      CHECK(x <= 3.0001F);
    }
  }
}

TEST_CASE("crops show as large a share of the image as is asked, at any place", "[datasets][images]") {
  // Of an image whose pixels are their columns a crop's right minus left columns is its width, nearly.
  const auto spec = images_of(1, 100, 100);
  const Augmentation augmentation({.crop_least = 0.25, .crop_most = 0.5, .crop_ratio = 1, .flip = 0}, spec,
                                  "contrastive");
  std::vector<float> image, out(10'000);
  for (int64_t i = 0; i < 10'000; ++i) image.push_back(static_cast<float>(i % 100));
  double least = 100, most = 0, leftmost = 100, rightmost = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Stream stream(StreamKey{seed});
    augmentation.draw(image.data(), stream, out.data());
    const auto left = static_cast<double>(out[0]), right = static_cast<double>(out[99]);
    least = std::min(least, right - left + 1), most = std::max(most, right - left + 1);
    leftmost = std::min(leftmost, left), rightmost = std::max(rightmost, right);
  }
  CHECK(least == Approx(50).margin(1.5));  // sqrt(.25) of 100
  CHECK(most == Approx(100 * std::sqrt(0.5)).margin(1.5));
  CHECK(leftmost < 2);
  CHECK(rightmost > 97);
}

TEST_CASE("half of the views are flipped where half are asked for", "[datasets][images]") {
  auto config = kNone;
  config.flip = 0.5;
  const auto spec = images_of(1, 3, 5);
  const auto plain = ramp_image(15);
  int flipped = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) flipped += view(config, spec, seed) != plain ? 1 : 0;
  CHECK(flipped > 160);
  CHECK(flipped < 240);
}

TEST_CASE("settings that images cannot be put through are refused by their keys", "[datasets][images]") {
  const auto refused = [](auto change, DatasetSpec spec, const std::string& why) {
    AugmentationConfig config;
    change(config);
    CHECK_THROWS_WITH(Augmentation(config, spec, "contrastive"), contains(why));
  };
  const auto grey = [](auto& c) { c.grey = 0.2; };
  refused(grey, images_of(1, 4, 4), "contrastive.grey: 0.2 found, expected 0");
  refused([](auto& c) { c.jitter = 0.8; }, images_of(2, 4, 4), "contrastive.jitter: 0.8 found, expected 0");
  refused([](auto& c) { c.crop_least = 0.9, c.crop_most = 0.5; }, images_of(1, 4, 4),
          "contrastive.crop_least: 0.9 found");
  auto unknown = images_of(3, 4, 4);
  unknown.black.clear();
  AugmentationConfig all_grey{.flip = 0, .grey = 1};
  CHECK_THROWS_WITH(view(all_grey, unknown, 1), contains("does not say which numbers are black and white"));
  refused([](auto&) {}, {.name = "sine", .description = "", .input = {1}, .protocol = ""},
          "the data set sine has none");
}
