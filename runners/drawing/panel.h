// Pictures with a caption above and a line of figures below, and several of them side by side.
#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "runners/drawing/text.h"

namespace innerloop {

struct Caption {
  std::string title;     // "After 1 gradient step"
  std::string corner;    // at the right of the title, small: "0.5 × real time"
  std::string subtitle;  // what and which task; ends in an ellipsis where it does not fit
  std::string left;      // below the picture: "step 12 of 100"; without its last parts where they do not fit
  std::string right;     // "return -3.21"
};

// Sets captions; holds the fonts.
class PanelPainter {
 public:
  cv::Mat panel(const cv::Mat& picture, const Caption& caption) const;

 private:
  Font book_{Font::Weight::kBook}, bold_{Font::Weight::kBold};
};

// Pictures left to right in rows of `columns`, on paper where the last row or a narrower picture leaves room.
cv::Mat in_rows(const std::vector<cv::Mat>& pictures, size_t columns);

// "Before adaptation", "After 1 gradient step", "After 3 gradient steps"; of trials, whose steps are
// episodes, "First episode", "After 1 episode".
std::string step_title(int64_t step, bool of_trials = false);

// "-3.21" with a true minus sign.
std::string figure(double value, int digits = 2);

// The text with true minus signs before its numbers.
std::string true_minus(const std::string& text);

}  // namespace innerloop
