#include "runners/video.h"

#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>

#include "base/error.h"

namespace innerloop {

Video::Video(const std::filesystem::path& file, cv::Size size, double fps)
    : file_(file), size_(size), fps_(fps), writer_(std::make_unique<cv::VideoWriter>()) {
  require(std::isfinite(fps) && fps > 0, "cannot film ", file, ": ", fps,
          " pictures per second, expected more than 0");
  require(size.width > 0 && size.height > 0 && size.width % 2 == 0 && size.height % 2 == 0, "cannot film ",
          file, ": pictures of ", size.width, " x ", size.height, ", expected even sides");
  // The name of OpenCV's FFmpeg backend is given so that no other backend (GStreamer, MJPEG) steps in.
  const int h264 = cv::VideoWriter::fourcc('a', 'v', 'c', '1');
  bool opened = false;
  try {
    opened = writer_->open(file_.path().string(), cv::CAP_FFMPEG, h264, fps, size);
  } catch (const cv::Exception&) {
  }
  require(
      opened, "cannot film ", file,
      ": OpenCV has no FFmpeg encoder for H.264 here; expected an OpenCV with FFmpeg and libx264 (Debian's "
      "libopencv-videoio has both)");
}

Video::~Video() {
  if (writer_->isOpened()) writer_->release();
}

void Video::add(const cv::Mat& picture) {
  require(picture.size() == size_ && picture.type() == CV_8UC3, "cannot film ", file_.target(),
          ": picture of ", picture.cols, " x ", picture.rows, ", type ", picture.type(), ", expected ",
          size_.width, " x ", size_.height, ", type ", CV_8UC3);
  writer_->write(picture);
  ++frames_;
}

void Video::finish() {
  require(frames_ > 0, "cannot film ", file_.target(), ": no picture was added");
  writer_->release();
  // VideoWriter reports no error of the encoder or the disk; the film itself does.
  cv::VideoCapture film(file_.path().string(), cv::CAP_FFMPEG);
  int64_t found = 0;
  while (film.grab()) ++found;
  require(found == frames_, "cannot film ", file_.target(), ": the film holds ", found,
          " pictures, expected ", frames_, "; is the disk full?");
  film.release();
  file_.commit();
}

void write_picture(const std::filesystem::path& file, const cv::Mat& picture) {
  PendingFile pending(file);
  bool written = false;
  try {
    written = cv::imwrite(pending.path().string(), picture);
  } catch (const cv::Exception& error) {
    throw Error(concat("cannot write ", file, ": ", error.what()));
  }
  require(written, "cannot write ", file, "; is the disk full?");
  pending.commit();
}

}  // namespace innerloop
