// Random views of an image, as contrastive learning draws them (Chen et al. 2020, SimCLR, appendix A, and
// torchvision's RandomResizedCrop, ColorJitter, RandomGrayscale and GaussianBlur, whose order and numbers
// these are):
//
//   crop -> flip -> jitter -> grey -> blur
//
// Otherwise than there the deviation of the blur is in pixels and its kernel reaches three deviations (there
// a kernel of a tenth of the image's side), and a crop is stretched bilinearly (there bicubically, in
// SimCLR's own code).
//
// An image is [channels, height, width] float32, contiguous. A view is a pure function of image, settings and
// stream.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "datasets/augmentation_config.h"
#include "datasets/dataset.h"

namespace innerloop {

class Augmentation {
 public:
  // `section` begins the names of the keys in messages. UsageError for what this data set's images cannot be
  // put through: a data set without images, grey of other than three channels.
  Augmentation(const AugmentationConfig& config, const DatasetSpec& spec, const std::string& section);

  // One view of the image at `from` into `to`; they do not overlap. Any number of threads at once. UsageError
  // for jitter and grey where it is not known which numbers are black and white.
  void draw(const float* from, Stream& stream, float* to) const;

  int64_t image_size() const { return channels_ * height_ * width_; }  // numbers

 private:
  void jitter(Stream& stream, float* image) const;   // levels
  void rescale(float* image, bool to_levels) const;  // between a channel's numbers and levels in [0, 1]

  AugmentationConfig config_;
  std::string section_, data_set_;
  int64_t channels_, height_, width_;
  std::vector<double> black_, white_;
};

}  // namespace innerloop
