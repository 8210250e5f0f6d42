#include "runners/panel.h"

#include <iomanip>
#include <opencv2/imgproc.hpp>
#include <sstream>

#include "base/error.h"

namespace innerloop {
namespace {

// Pixels.
constexpr int kMargin = 18, kHeader = 72, kFooter = 50;
constexpr double kTitleSize = 24, kSubtitleSize = 15, kFigureSize = 19;

// BGR.
const cv::Scalar kPaper(252, 250, 249), kInk(55, 41, 31), kPale(128, 114, 102);

}  // namespace

cv::Mat PanelPainter::panel(const cv::Mat& picture, const Caption& caption) const {
  const bool footer = !caption.left.empty() || !caption.right.empty();
  cv::Mat image(kHeader + picture.rows + (footer ? kFooter : kMargin), picture.cols + 2 * kMargin, CV_8UC3,
                kPaper);
  picture.copyTo(image(cv::Rect(kMargin, kHeader, picture.cols, picture.rows)));
  draw_text(image, bold_, caption.title, {kMargin, 34}, Align::kLeft, kTitleSize, kInk);
  draw_text(image, book_, caption.subtitle, {kMargin, 58}, Align::kLeft, kSubtitleSize, kPale);
  const double baseline = kHeader + picture.rows + 32;
  draw_text(image, book_, caption.left, {kMargin, baseline}, Align::kLeft, kFigureSize, kPale);
  draw_text(image, bold_, caption.right, {static_cast<double>(image.cols - kMargin), baseline}, Align::kRight,
            kFigureSize, kInk);
  return image;
}

cv::Mat PanelPainter::legend(int width, const std::vector<LegendEntry>& entries) const {
  cv::Mat image(kFooter, width, CV_8UC3, kPaper);
  double x = kMargin;
  const double baseline = 24;
  for (const auto& entry : entries) {
    const int y = static_cast<int>(baseline) - 6;
    cv::line(image, {static_cast<int>(x), y}, {static_cast<int>(x) + 26, y}, entry.colour, 4, cv::LINE_AA);
    x += 36;
    draw_text(image, book_, entry.label, {x, baseline}, Align::kLeft, kSubtitleSize + 1, kInk);
    x += book_.width(entry.label, kSubtitleSize + 1) + 30;
  }
  return image;
}

cv::Mat side_by_side(const std::vector<cv::Mat>& panels) {
  require(!panels.empty(), "no panels to set side by side");
  for (const auto& panel : panels) {
    require(panel.rows == panels.front().rows, "panels of ", panels.front().rows, " and ", panel.rows,
            " rows");
  }
  cv::Mat image;
  cv::hconcat(panels, image);
  return image;
}

std::string step_title(int64_t step) {
  if (step == 0) return "Before adaptation";
  return concat("After ", step, " gradient step", step == 1 ? "" : "s");
}

std::string figure(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << std::abs(value);
  // No minus before what is printed as zero.
  const bool zero = out.str().find_first_of("123456789") == std::string::npos;
  return value < 0 && !zero ? "\u2212" + out.str() : out.str();
}

}  // namespace innerloop
