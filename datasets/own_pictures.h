// Pictures of one's own as samples of a data set of images: made the size, the colours and the numbers that
// its own images are, by the same code. This is how what was trained on it sees a new picture.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/dataset_config.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// What a data set does to its images beside their size (PixelRules, datasets/image_block.h).
struct PictureRules {
  bool ink = false;                     // characters: ink is 1 and paper 0, whichever is darker in a file
  bool crop = false;                    // to a square by resize_and_crop, otherwise by resize_lanczos
  bool upright = true;                  // as the orientation in Exif data says
  std::vector<double> mean{0}, std{1};  // pixels p in [0, 1] enter as (p - mean) / std
};

// Those of the data set. UsageError if it is not one of images, or its settings are wrong.
PictureRules picture_rules(const DatasetConfig& config);

// Whether most pixels at the border of a picture are light: dark ink on light paper.
bool light_paper(const std::filesystem::path& file);

// The files in this order, [1, N, channels, height, width] float32; `input`: {channels, height, width}.
// `invert`: p becomes 255 - p (dark ink). A colour picture becomes grey where the data set reads ink; where
// it reads grey photographs, it is an Error. Error that names the file for one that is missing, not regular,
// damaged or no picture.
torch::Tensor read_pictures(const std::vector<std::filesystem::path>& files, const PictureRules& rules,
                            const std::vector<int64_t>& input, bool invert);

}  // namespace innerloop
