// The colours that pictures share, BGR.
#pragma once

#include <opencv2/core.hpp>

namespace innerloop {

inline const cv::Scalar kPaper(255, 255, 255), kPanelPaper(252, 250, 249);
inline const cv::Scalar kFrame(190, 178, 168), kLabel(150, 136, 124), kInk(102, 86, 75);

}  // namespace innerloop
