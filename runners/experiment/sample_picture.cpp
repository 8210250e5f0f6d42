#include "runners/experiment/sample_picture.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "base/error.h"

namespace innerloop {

cv::Mat sample_picture(const torch::Tensor& image, int smallest) {
  const auto bytes = (image.clamp(0, 1) * 255).round().to(torch::kUInt8).permute({1, 2, 0}).contiguous();
  const bool grey = bytes.size(2) == 1;
  require(grey || bytes.size(2) == 3, "an image of ", bytes.size(2), " channels cannot be shown");
  const cv::Mat shown(static_cast<int>(bytes.size(0)), static_cast<int>(bytes.size(1)),
                      grey ? CV_8UC1 : CV_8UC3, bytes.data_ptr<uint8_t>());
  const int times = std::max(1, (smallest + shown.rows - 1) / shown.rows);
  cv::Mat colour, large;
  cv::cvtColor(shown, colour, grey ? cv::COLOR_GRAY2BGR : cv::COLOR_RGB2BGR);
  cv::resize(colour, large, {}, times, times, cv::INTER_NEAREST);
  return large;
}

std::string fitting_end(const Font& font, const std::string& text, double pixels, double width) {
  if (font.width(text, pixels) <= width) return text;
  for (size_t from = 1; from < text.size(); ++from) {
    if ((text[from] & 0xC0) == 0x80) continue;  // within a character of UTF-8
    const std::string end = "…" + text.substr(from);
    if (font.width(end, pixels) <= width) return end;
  }
  return "";
}

}  // namespace innerloop
