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

// H.264's constant rate factor: from kBestQuality, where no difference from the pictures can be seen, to
// kWorstQuality; six more halve the size of the file.
inline constexpr int kBestQuality = 1, kWorstQuality = 51, kDefaultQuality = 20;

class Video {
 public:
  // Pictures are 8-bit BGR, all of one size with even sides (colour is stored at half resolution). Error if
  // the file or the encoder cannot be opened. The file appears at finish(). While it runs, no other thread
  // may read or change the environment's variables: OpenCV takes the quality from one.
  Video(const std::filesystem::path& file, cv::Size size, double fps, int quality = kDefaultQuality);
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
