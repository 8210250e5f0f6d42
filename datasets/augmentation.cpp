#include "datasets/augmentation.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/permutation.h"
#include "datasets/image_operations.h"

namespace innerloop {
namespace {

// torchvision's RandomResizedCrop.get_params.
ImageBox drawn_box(const ImageShape& shape, const AugmentationConfig& config, Stream& stream) {
  constexpr int kTries = 10;
  const auto height = static_cast<double>(shape.height), width = static_cast<double>(shape.width);
  const auto place = [&stream](int64_t room) {
    return static_cast<int64_t>(stream.below(static_cast<uint64_t>(room) + 1));
  };
  const double widest = std::log(config.crop_ratio);
  for (int i = 0; i < kTries; ++i) {
    const double area = height * width * stream.uniform(config.crop_least, config.crop_most);
    const double ratio = std::exp(stream.uniform(-widest, widest));
    const int64_t h = std::lround(std::sqrt(area / ratio)), w = std::lround(std::sqrt(area * ratio));
    if (h < 1 || w < 1 || h > shape.height || w > shape.width) continue;
    const int64_t top = place(shape.height - h);
    return {top, place(shape.width - w), h, w};
  }
  // As large a box in the middle as the ratio allows.
  const double ratio = std::clamp(width / height, 1 / config.crop_ratio, config.crop_ratio);
  const int64_t h = std::min<int64_t>(shape.height, std::max<int64_t>(1, std::lround(width / ratio)));
  const int64_t w = std::min<int64_t>(shape.width, std::max<int64_t>(1, std::lround(height * ratio)));
  return {(shape.height - h) / 2, (shape.width - w) / 2, h, w};
}

}  // namespace

std::vector<Key> augmentation_keys(const std::string& section) {
  using C = AugmentationConfig;
  constexpr keys::Interval kShare{1e-4, 1, false, false, "a number from 0.0001 to 1"};
  constexpr keys::Interval kRatio{1, 100, false, false, "a number from 1 to 100"};
  constexpr keys::Interval kStrength{0, 10, true, false, "a number above 0 and at most 10"};
  constexpr keys::Interval kPixels{0.1, 100, false, false, "a number from 0.1 to 100"};
  const auto with = [&section](const char* other, Key key) {
    return keys::needs(std::move(key), {section + "." + other, "above 0", [](const std::string& value) {
                                          double number = 0;
                                          return keys::read_number(value, keys::kPositive, number);
                                        }});
  };
  return {keys::number("crop_least", &C::crop_least, kShare, "least share of the area that a view shows"),
          keys::number("crop_most", &C::crop_most, kShare, "largest share; 1 of both: views are not cut out"),
          keys::number("crop_ratio", &C::crop_ratio, kRatio, "how much longer one side of the cut may be"),
          keys::number("flip", &C::flip, keys::kZeroToOne, "probability that left and right change places"),
          keys::number("jitter", &C::jitter, keys::kZeroToOne,
                       "probability of other brightness, contrast, saturation and hue"),
          with("jitter", keys::number("jitter_strength", &C::jitter_strength, kStrength,
                                      "of the jitter; 1 for ImageNet, 0.5 for CIFAR")),
          keys::number("grey", &C::grey, keys::kZeroToOne, "probability that colours are lost"),
          keys::number("blur", &C::blur, keys::kZeroToOne, "probability of a Gaussian blur"),
          with("blur", keys::number("blur_most", &C::blur_most, kPixels,
                                    "its largest deviation in pixels, the least is 0.1"))};
}

Augmentation::Augmentation(const AugmentationConfig& config, const DatasetSpec& spec,
                           const std::string& section)
    : config_(config), section_(section), data_set_(spec.name), black_(spec.black), white_(spec.white) {
  require_usage(spec.input.size() == 3, section, " draws views of images; the data set ", spec.name,
                " has none");
  channels_ = spec.input[0], height_ = spec.input[1], width_ = spec.input[2];
  require_usage(config.crop_least <= config.crop_most, section, ".crop_least: ", config.crop_least,
                " found, expected at most ", section, ".crop_most, ", config.crop_most);
  require_usage(config.grey == 0 || channels_ == 3, section, ".grey: ", config.grey,
                " found, expected 0: images of ", spec.name, " have ", channels_,
                channels_ == 1 ? " channel" : " channels", ", colours are three");
  require_usage(config.jitter == 0 || channels_ == 1 || channels_ == 3, section, ".jitter: ", config.jitter,
                " found, expected 0: images of ", spec.name, " have ", channels_, " channels");
}

void Augmentation::draw(const float* from, Stream& stream, float* to) const {
  const ImageShape shape{channels_, height_, width_};
  if (config_.crop_least == 1 && config_.crop_most == 1) {
    std::copy_n(from, shape.size(), to);
  } else {
    resized_crop(shape, from, drawn_box(shape, config_, stream), to);
  }
  const auto happens = [&stream](double probability) {
    return probability > 0 && stream.uniform() < probability;
  };
  if (happens(config_.flip)) flip_left_right(shape, to);
  const bool jitters = happens(config_.jitter), greys = happens(config_.grey);
  if (jitters || greys) {
    rescale(to, /*to_levels=*/true);
    if (jitters) jitter(stream, to);
    if (greys) to_luminance(shape, to);
    rescale(to, /*to_levels=*/false);
  }
  if (happens(config_.blur)) blur(shape, stream.uniform(0.1, config_.blur_most), to);
}

// torchvision's ColorJitter: brightness, contrast, saturation and hue in random order.
void Augmentation::jitter(Stream& stream, float* image) const {
  const ImageShape shape{channels_, height_, width_};
  const double reach = 0.8 * config_.jitter_strength, turn = std::min(0.5, 0.2 * config_.jitter_strength);
  Permutation order(channels_ == 3 ? 4 : 2, stream);
  for (int64_t i = 0; i < (channels_ == 3 ? 4 : 2); ++i) {
    const int64_t what = order.next();
    if (what == 3) {
      turn_hue(shape, stream.uniform(-turn, turn), image);
      continue;
    }
    const double factor = stream.uniform(std::max(0.0, 1 - reach), 1 + reach);
    if (what == 0) scale_brightness(shape, factor, image);
    if (what == 1) scale_contrast(shape, factor, image);
    if (what == 2) scale_saturation(shape, factor, image);
  }
}

void Augmentation::rescale(float* image, bool to_levels) const {
  require_usage(black_.size() == static_cast<size_t>(channels_), section_, ".jitter and ", section_,
                ".grey: ", config_.jitter, " and ", config_.grey, " found, expected 0: the data set ",
                data_set_, " does not say which numbers are black and white");
  for (int64_t c = 0; c < channels_; ++c) {
    const auto black = static_cast<float>(black_[static_cast<size_t>(c)]);
    const float range = static_cast<float>(white_[static_cast<size_t>(c)]) - black;
    for (float* x = image + c * height_ * width_; x < image + (c + 1) * height_ * width_; ++x)
      *x = to_levels ? (*x - black) / range : black + range * *x;
  }
}

}  // namespace innerloop
