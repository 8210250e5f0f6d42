// H.264 films (MP4, yuv420p: what browsers play) from pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>

#include "runners/pending_file.h"

namespace cv {
class VideoWriter;
}

namespace innerloop {

class Video {
 public:
  // Pictures are 8-bit BGR, all of one size with even sides (colour is stored at half resolution). Error if
  // the file or the encoder cannot be opened. The file appears at finish(). The
  // quality is OpenCV's: a constant rate factor of 23.
  Video(const std::filesystem::path& file, cv::Size size, double fps);
  ~Video();

  void add(const cv::Mat& picture);
  int64_t frames() const { return frames_; }
  void finish();  // Error if the film cannot be read back with as many frames as were added

 private:
  PendingFile file_;
  cv::Size size_;
  double fps_;
  std::unique_ptr<cv::VideoWriter> writer_;
  int64_t frames_ = 0;
};

// A PNG, whole or not at all.
void write_picture(const std::filesystem::path& file, const cv::Mat& picture);

}  // namespace innerloop
