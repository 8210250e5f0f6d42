#include "runners/drawing/legend.h"

#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "runners/drawing/colours.h"
#include "runners/drawing/text.h"

namespace innerloop {
namespace {

using Symbol = LegendEntry::Symbol;

// Pixels.
constexpr int kLegendMargin = 18, kLineHeight = 24, kGap = 26;
constexpr double kSize = 15, kSymbol = 24, kBeside = 8;

void draw_symbol(cv::Mat& image, const LegendEntry& entry, cv::Point2d left) {
  constexpr int kShift = 4;
  const auto fixed = [](cv::Point2d p) { return cv::Point(p * (1 << kShift)); };
  const auto middle = fixed(left + cv::Point2d(kSymbol / 2, 0));
  const int radius = 6 << kShift;
  switch (entry.symbol) {
    case Symbol::kLine:
      cv::line(image, fixed(left), fixed(left + cv::Point2d(kSymbol, 0)), entry.colour, 3, cv::LINE_AA,
               kShift);
      break;
    case Symbol::kDisc:
      cv::circle(image, middle, radius, entry.colour, cv::FILLED, cv::LINE_AA, kShift);
      break;
    case Symbol::kRing:
      cv::circle(image, middle, radius, entry.colour, 2, cv::LINE_AA, kShift);
      break;
    case Symbol::kBox:
      cv::rectangle(image, middle - cv::Point(radius, radius), middle + cv::Point(radius, radius),
                    entry.colour, cv::FILLED, cv::LINE_AA, kShift);
      break;
    case Symbol::kText:
      break;
  }
}

}  // namespace

cv::Mat legend(const std::vector<LegendEntry>& entries, int width) {
  require(!entries.empty(), "a legend without entries");
  const Font font;
  const auto symbol_width = [](const LegendEntry& entry) {
    return entry.symbol == Symbol::kText ? 0 : kSymbol + kBeside;
  };
  std::vector<cv::Point2d> places;  // left, at half the height of a small letter
  cv::Point2d pen(kLegendMargin, kLineHeight / 2.0);
  for (const auto& entry : entries) {
    const double wide = symbol_width(entry) + font.width(entry.text, kSize);
    if (pen.x > kLegendMargin && pen.x + wide > width - kLegendMargin)
      pen = {kLegendMargin, pen.y + kLineHeight};
    places.push_back(pen);
    pen.x += wide + kGap;
  }
  const int height = static_cast<int>(pen.y) + kLineHeight;
  cv::Mat image(height + height % 2, width, CV_8UC3, kPanelPaper);
  for (size_t i = 0; i < entries.size(); ++i) {
    draw_symbol(image, entries[i], places[i]);
    const cv::Point2d text = places[i] + cv::Point2d(symbol_width(entries[i]), 5);
    draw_text(image, font, entries[i].text, text, Align::kLeft, kSize, kInk);
  }
  return image;
}

}  // namespace innerloop
