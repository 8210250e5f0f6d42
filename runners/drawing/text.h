// Text in pictures: DejaVu Sans, set by FreeType, smooth at any size.
#pragma once

#include <memory>
#include <opencv2/core.hpp>
#include <string>

namespace innerloop {

class Font {
 public:
  enum class Weight { kBook, kBold };

  // Error that names the package to install if the font is not found.
  explicit Font(Weight weight = Weight::kBook);
  ~Font();
  Font(const Font&) = delete;
  Font& operator=(const Font&) = delete;

  // Width of one line of UTF-8 text set `pixels` high (em).
  double width(const std::string& text, double pixels) const;

  // Blends the text into an 8-bit BGR image, its first baseline point at `origin`. What lies outside is cut.
  void draw(cv::Mat& image, const std::string& text, cv::Point2d origin, double pixels,
            const cv::Scalar& colour) const;

 private:
  struct Face;
  std::unique_ptr<Face> face_;
};

enum class Align { kLeft, kCentre, kRight };

// The same with `anchor` at the left, middle or right of the baseline.
void draw_text(cv::Mat& image, const Font& font, const std::string& text, cv::Point2d anchor, Align align,
               double pixels, const cv::Scalar& colour);

}  // namespace innerloop
