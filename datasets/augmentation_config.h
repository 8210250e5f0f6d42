// What may be drawn anew of an image that stays the same thing (datasets/augmentation.h). No torch.
#pragma once

#include <string>
#include <vector>

#include "base/settings.h"

namespace innerloop {

struct AugmentationConfig {
  // A box of the image, stretched to its size: a share of the area from crop_least to crop_most, of the ratio
  // width : height from 1 / crop_ratio to crop_ratio, log-uniform. Both 1: the image as it is.
  double crop_least = 0.08, crop_most = 1, crop_ratio = 4.0 / 3;
  double flip = 0.5;  // probability of left for right
  // Probability of other brightness, contrast and, of three channels, saturation and hue, in random order:
  // factors from 1 - .8 s to 1 + .8 s, at least 0, and a turn of the hue of at most .2 s of the circle.
  double jitter = 0, jitter_strength = 1;
  double grey = 0;  // probability of three channels becoming their luminance
  double blur = 0;  // probability of a Gaussian blur of a deviation from 0.1 to blur_most, in pixels
  double blur_most = 2;
};

// `section` holds them: "contrastive".
std::vector<Key> augmentation_keys(const std::string& section);

}  // namespace innerloop
