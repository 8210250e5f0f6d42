// H.264 films (MP4, yuv420p: what browsers play) from pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>

#include "base/files.h"

namespace innerloop {

// Of a film, from 0 (the smallest file) to 100: x264's constant rate factor is 51 - quality / 2. This is
// x264's own, 23. (A factor of 0 would be lossless in a profile that browsers do not play.)
inline constexpr int kFilmQuality = 56;

class Video {
 public:
  // Pictures are 8-bit BGR, all of one size with even sides (colour is stored at half resolution). Error if
  // the file or the encoder cannot be opened. The file appears at finish().
  Video(const std::filesystem::path& file, cv::Size size, double fps, int quality = kFilmQuality);
  ~Video();

  void add(const cv::Mat& picture);  // Error if the file cannot be written, as in finish()
  int64_t frames() const { return frames_; }
  void finish();

 private:
  struct Encoder;

  PendingFile file_;
  cv::Size size_;
  std::unique_ptr<Encoder> encoder_;
  int64_t frames_ = 0;
};

// A PNG, whole or not at all.
void write_picture(const std::filesystem::path& file, const cv::Mat& picture);

}  // namespace innerloop
