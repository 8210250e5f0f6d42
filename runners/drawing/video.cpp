#include "runners/drawing/video.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

#include <array>
#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <string>

#include "base/error.h"

namespace innerloop {

// Named: Encoder, which has a header's linkage, holds these types, and sources may be compiled together.
namespace av {

template <auto release>
struct Releases {
  template <typename T>
  void operator()(T* resource) const {
    release(&resource);
  }
};

void close_container(AVFormatContext** container) {
  if (*container == nullptr) return;
  avio_closep(&(*container)->pb);
  avformat_free_context(*container);
}

void free_scaler(SwsContext** scaler) { sws_freeContext(*scaler); }

std::string meaning(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

}  // namespace av

// One film on its way through libswscale (BGR to YUV), libx264 and libavformat's MP4.
struct Video::Encoder {
  Encoder(const PendingFile& file, cv::Size size, double fps, int quality);

  void encode(const cv::Mat& picture, int64_t time);
  void finish();

 private:
  // Error if an FFmpeg function returned one.
  void check(int code, const char* what) const {
    require(code >= 0, "cannot film ", target_, ": ", what, ": ", av::meaning(code),
            code == AVERROR(ENOSPC) || code == AVERROR(EFBIG) ? "; is the disk full?" : "");
  }
  void send(const AVFrame* frame);  // nullptr: no more

  std::filesystem::path target_;
  std::unique_ptr<AVFormatContext, av::Releases<av::close_container>> container_;
  std::unique_ptr<AVCodecContext, av::Releases<avcodec_free_context>> codec_;
  std::unique_ptr<SwsContext, av::Releases<av::free_scaler>> scaler_;
  std::unique_ptr<AVFrame, av::Releases<av_frame_free>> frame_{av_frame_alloc()};
  std::unique_ptr<AVPacket, av::Releases<av_packet_free>> packet_{av_packet_alloc()};
  AVStream* stream_ = nullptr;
};

Video::Encoder::Encoder(const PendingFile& file, cv::Size size, double fps, int quality)
    : target_(file.target()) {
  av_log_set_level(AV_LOG_FATAL);  // what goes wrong is said here
  const std::string path = file.path().string();
  AVFormatContext* opened = nullptr;
  check(avformat_alloc_output_context2(&opened, nullptr, "mp4", path.c_str()), "no MP4");
  container_.reset(opened);
  container_->flags |= AVFMT_FLAG_BITEXACT;  // leaves out versions
  const AVCodec* x264 = avcodec_find_encoder_by_name("libx264");
  require(x264 != nullptr, "cannot film ", target_,
          ": FFmpeg's libavcodec has no libx264 here (Debian's libavcodec has it)");
  codec_.reset(avcodec_alloc_context3(x264));
  codec_->width = size.width;
  codec_->height = size.height;
  codec_->pix_fmt = AV_PIX_FMT_YUV420P;
  codec_->framerate = av_d2q(fps, 1'000'000);
  codec_->time_base = av_inv_q(codec_->framerate);
  codec_->color_range = AVCOL_RANGE_MPEG;  // what libswscale makes of BGR: BT.601
  codec_->colorspace = AVCOL_SPC_SMPTE170M;
  codec_->thread_count = 0;  // one a core
  codec_->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_GLOBAL_HEADER;
  check(av_opt_set_double(codec_->priv_data, "crf", 51 - quality / 2.0, 0), "no constant rate factor");
  check(avcodec_open2(codec_.get(), x264, nullptr), "libx264 does not start");

  stream_ = avformat_new_stream(container_.get(), nullptr);
  stream_->time_base = codec_->time_base;
  stream_->avg_frame_rate = codec_->framerate;
  check(avcodec_parameters_from_context(stream_->codecpar, codec_.get()), "no stream");
  check(avio_open(&container_->pb, path.c_str(), AVIO_FLAG_WRITE), "cannot open the file");
  AVDictionary* options = nullptr;
  av_dict_set(&options, "movflags", "+faststart", 0);  // browsers play it before it is loaded
  const int header = avformat_write_header(container_.get(), &options);
  av_dict_free(&options);
  check(header, "cannot write the file");

  scaler_.reset(sws_getContext(size.width, size.height, AV_PIX_FMT_BGR24, size.width, size.height,
                               codec_->pix_fmt, SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT, nullptr,
                               nullptr, nullptr));
  require(scaler_ != nullptr, "cannot film ", target_, ": libswscale refuses ", size.width, " x ",
          size.height);
  frame_->format = codec_->pix_fmt;
  frame_->width = size.width;
  frame_->height = size.height;
  check(av_frame_get_buffer(frame_.get(), 0), "no memory for a frame");
}

void Video::Encoder::send(const AVFrame* picture) {
  check(avcodec_send_frame(codec_.get(), picture), "libx264 refuses a picture");
  while (true) {
    const int code = avcodec_receive_packet(codec_.get(), packet_.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
    check(code, "libx264 failed");
    packet_->duration = 1;
    av_packet_rescale_ts(packet_.get(), codec_->time_base, stream_->time_base);
    check(av_write_frame(container_.get(), packet_.get()), "cannot write the file");
    av_packet_unref(packet_.get());
  }
}

void Video::Encoder::encode(const cv::Mat& picture, int64_t time) {
  check(av_frame_make_writable(frame_.get()), "no memory for a frame");
  const uint8_t* const rows[] = {picture.data};
  const int strides[] = {static_cast<int>(picture.step)};
  sws_scale(scaler_.get(), rows, strides, 0, picture.rows, frame_->data, frame_->linesize);
  frame_->pts = time;
  send(frame_.get());
}

void Video::Encoder::finish() {
  send(nullptr);
  check(av_write_trailer(container_.get()), "cannot write the file");
  avio_flush(container_->pb);
  check(container_->pb->error, "cannot write the file");
  check(avio_closep(&container_->pb), "cannot close the file");
}

Video::Video(const std::filesystem::path& file, cv::Size size, double fps, int quality)
    : file_(file), size_(size) {
  require(std::isfinite(fps) && fps > 0, "cannot film ", file, ": ", fps,
          " pictures per second, expected more than 0");
  require(size.width > 0 && size.height > 0 && size.width % 2 == 0 && size.height % 2 == 0, "cannot film ",
          file, ": pictures of ", size.width, " x ", size.height, ", expected even sides");
  require(quality >= 0 && quality <= 100, "cannot film ", file, ": quality ", quality, ", expected 0 to 100");
  encoder_ = std::make_unique<Encoder>(file_, size, fps, quality);
}

Video::~Video() = default;

void Video::add(const cv::Mat& picture) {
  require(picture.size() == size_ && picture.type() == CV_8UC3, "cannot film ", file_.target(),
          ": picture of ", picture.cols, " x ", picture.rows, ", type ", picture.type(), ", expected ",
          size_.width, " x ", size_.height, ", type ", CV_8UC3);
  encoder_->encode(picture, frames_++);
}

void Video::finish() {
  require(frames_ > 0, "cannot film ", file_.target(), ": no picture was added");
  encoder_->finish();
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
