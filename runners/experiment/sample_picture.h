// Samples of data sets of images as pictures on a sheet.
#pragma once

#include <opencv2/core.hpp>
#include <string>

#include "networks/tensors/tensor.h"
#include "runners/drawing/text.h"

namespace innerloop {

// image [channels, height, width] with pixels in [0, 1], in whole multiples of its size, at least `smallest`
// pixels high; BGR. Error for another number of channels than 1 or 3.
cv::Mat sample_picture(const torch::Tensor& image, int smallest);

// The text, or as much of its end as is at most `width` wide: class names often begin alike (alphabets,
// WordNet numbers).
std::string fitting_end(const Font& font, const std::string& text, double pixels, double width);

}  // namespace innerloop
