#include "runners/drawing/panel.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "base/error.h"
#include "runners/drawing/colours.h"

namespace innerloop {
namespace {

// Pixels.
constexpr int kMargin = 18, kHeader = 72, kFooter = 50;
constexpr double kTitleSize = 24, kSubtitleSize = 15, kFigureSize = 19, kLeastFigureSize = 11;
constexpr double kFigureWidth = 740;  // of a picture under which the longest figures fit

// BGR.
const cv::Scalar kTitleInk(55, 41, 31), kPale(128, 114, 102);  // BGR

// The text up to one of its commas, as much as is at most `width` pixels wide.
std::string fitting(const Font& font, std::string text, double pixels, double width) {
  if (font.width(text, pixels) <= width) return text;
  const std::string ellipsis = ", \u2026";
  while (!text.empty() && font.width(text + ellipsis, pixels) > width) {
    const size_t comma = text.rfind(", ");
    text.resize(comma == std::string::npos ? 0 : comma);
  }
  return text + ellipsis;
}

// Of the parts between " · " as many as are at most `width` pixels wide.
std::string fitting_parts(const Font& font, std::string text, double pixels, double width) {
  while (!text.empty() && font.width(text, pixels) > width) {
    const size_t end = text.rfind(" \u00b7 ");
    text.resize(end == std::string::npos ? 0 : end);
  }
  return text;
}

}  // namespace

cv::Mat PanelPainter::panel(const cv::Mat& picture, const Caption& caption) const {
  const bool footer = !caption.left.empty() || !caption.right.empty();
  cv::Mat image(kHeader + picture.rows + (footer ? kFooter : kMargin), picture.cols + 2 * kMargin, CV_8UC3,
                kPanelPaper);
  picture.copyTo(image(cv::Rect(kMargin, kHeader, picture.cols, picture.rows)));
  draw_text(image, bold_, caption.title, {kMargin, 34}, Align::kLeft, kTitleSize, kTitleInk);
  draw_text(image, book_, caption.corner, {static_cast<double>(image.cols - kMargin), 34}, Align::kRight,
            kSubtitleSize, kPale);
  draw_text(image, book_, fitting(book_, caption.subtitle, kSubtitleSize, picture.cols), {kMargin, 58},
            Align::kLeft, kSubtitleSize, kPale);
  const double baseline = kHeader + picture.rows + 32;
  // Of one size in all frames of a film, whatever the figures are.
  const double size = std::clamp(kFigureSize * picture.cols / kFigureWidth, kLeastFigureSize, kFigureSize);
  const double room = picture.cols - (caption.right.empty() ? 0 : kMargin + bold_.width(caption.right, size));
  draw_text(image, book_, fitting_parts(book_, caption.left, size, room), {kMargin, baseline}, Align::kLeft,
            size, kPale);
  draw_text(image, bold_, caption.right, {static_cast<double>(image.cols - kMargin), baseline}, Align::kRight,
            size, kTitleInk);
  return image;
}

cv::Mat in_rows(const std::vector<cv::Mat>& pictures, size_t columns) {
  require(!pictures.empty() && columns > 0, "no pictures to set side by side");
  cv::Size all(0, 0);
  std::vector<cv::Point> places;
  for (size_t first = 0; first < pictures.size(); first += columns) {
    cv::Size row(0, 0);
    for (size_t i = first; i < std::min(pictures.size(), first + columns); ++i) {
      places.emplace_back(row.width, all.height);
      row = {row.width + pictures[i].cols, std::max(row.height, pictures[i].rows)};
    }
    all = {std::max(all.width, row.width), all.height + row.height};
  }
  cv::Mat image(all, CV_8UC3, kPanelPaper);
  for (size_t i = 0; i < pictures.size(); ++i)
    pictures[i].copyTo(image(cv::Rect(places[i], pictures[i].size())));
  return image;
}

std::string step_title(int64_t step, bool of_trials) {
  if (step == 0) return of_trials ? "First episode" : "Before adaptation";
  return concat("After ", step, of_trials ? " episode" : " gradient step", step == 1 ? "" : "s");
}

std::string figure(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << std::abs(value);
  // No minus before what is printed as zero.
  const bool zero = out.str().find_first_of("123456789") == std::string::npos;
  return value < 0 && !zero ? "\u2212" + out.str() : out.str();
}

std::string true_minus(const std::string& text) {
  const auto is = [&](size_t i, int (*kind)(int)) {
    return i < text.size() && kind(static_cast<unsigned char>(text[i])) != 0;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool minus = text[i] == '-' && is(i + 1, std::isdigit) && (i == 0 || !is(i - 1, std::isalnum));
    out += minus ? "\u2212" : std::string(1, text[i]);
  }
  return out;
}

}  // namespace innerloop
