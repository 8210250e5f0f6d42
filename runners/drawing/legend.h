// A line that says what the marks of a picture are.
#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

namespace innerloop {

struct LegendEntry {
  enum class Symbol { kLine, kDisc, kRing, kBox, kText };  // kText: words alone
  Symbol symbol = Symbol::kText;
  cv::Scalar colour;
  std::string text;

  bool operator==(const LegendEntry& other) const {
    return symbol == other.symbol && colour == other.colour && text == other.text;
  }
};

// A strip of paper `width` pixels wide with the entries in as many lines as they need; its height is even.
cv::Mat legend(const std::vector<LegendEntry>& entries, int width);

}  // namespace innerloop
