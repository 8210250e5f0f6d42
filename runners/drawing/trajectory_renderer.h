// One recorded trajectory as pictures: the seam between the films and the kinds of environment
// (drawings.h).
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "runners/drawing/legend.h"

namespace innerloop {

class TrajectoryRenderer {
 public:
  virtual ~TrajectoryRenderer() = default;
  virtual cv::Size size() const = 0;           // of a frame
  virtual int64_t frames() const = 0;          // the start, then one for every step
  virtual cv::Mat frame(int64_t t) const = 0;  // after t steps, 0 <= t < frames(); 8-bit BGR
  virtual cv::Mat whole() const = 0;           // the trajectory from start to end in one picture
  // What there is to say after t steps beside the return: "1.32 m/s forward". Empty: nothing.
  virtual std::string figures(int64_t) const { return ""; }
  virtual std::vector<LegendEntry> legend() const { return {}; }
};

}  // namespace innerloop
