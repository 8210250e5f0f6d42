#include "datasets/image_block.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/thread_pool.h"
#include "datasets/archive.h"
#include "datasets/hash.h"
#include "datasets/image_decode.h"

namespace innerloop {
namespace {

// A line on stderr every five seconds.
class Progress {
 public:
  Progress(const std::string& dataset, size_t all) : dataset_(dataset), all_(all) {}

  void add(size_t images) {
    done_ += images;
    if (Clock::now() - told_ < std::chrono::seconds(5)) return;
    told_ = Clock::now();
    std::cerr << dataset_ << ": " << done_ << " of " << all_ << " images decoded\n";
  }

 private:
  using Clock = std::chrono::steady_clock;
  const std::string& dataset_;
  size_t all_, done_ = 0;
  Clock::time_point told_ = Clock::now();
};

// An image does not fit the block that the images before it made look right; these rules take it in.
struct StartOver {
  PixelRules rules;
};

class Decoder {
 public:
  Decoder(const std::vector<ImageSource>& sources, const PixelRules& rules, Progress& progress)
      : sources_(sources), rules_(rules), progress_(progress) {
    for (const auto& source : sources_) images_ += source.files.size();
    hashes_.resize(images_);
  }

  PixelBlock decode() {
    size_t first = 0;
    for (const auto& source : sources_) {
      const auto take = [&](size_t i, std::vector<uint8_t>&& bytes) {
        waiting_bytes_ += bytes.size();
        waiting_.push_back({first + i, entry_name(source.path, source.files[i]), std::move(bytes)});
        if (waiting_.size() >= 512 || waiting_bytes_ >= kMostBytes) decode_waiting();
      };
      const auto leave_out = [&](size_t i, const std::string& reason) {
        damaged_.emplace(first + i, reason);
      };
      read_files(source.path, source.files, take, rules_.skip_damaged ? DamageVisitor(leave_out) : nullptr);
      first += source.files.size();
    }
    decode_waiting();
    finish();
    return std::move(block_);
  }

 private:
  struct Encoded {
    size_t index;
    std::string name;
    std::vector<uint8_t> bytes;
  };

  static constexpr size_t kMostBytes = size_t{32} << 20;  // encoded ones that wait in memory

  void decode_waiting() {
    if (block_.pixels.empty()) shape_block();
    pool_.run(static_cast<int64_t>(waiting_.size()),
              [&](int64_t i, int) { decode_into_place(waiting_[static_cast<size_t>(i)]); });
    progress_.add(waiting_.size());
    waiting_.clear();
    waiting_bytes_ = 0;
  }

  // The first images show what the block is like, all but always.
  void shape_block() {
    std::vector<Image> images(waiting_.size());  // without their pixels
    pool_.run(static_cast<int64_t>(images.size()), [&](int64_t i, int) {
      auto image = decode(waiting_[static_cast<size_t>(i)], rules_.channels);
      if (!image) return;
      image->planes = {};
      images[static_cast<size_t>(i)] = *image;
    });
    std::erase_if(images, [](const Image& image) { return image.channels == 0; });
    if (images.empty()) return;
    block_.channels = images.front().channels;
    block_.height = images.front().height;
    block_.width = images.front().width;
    for (const auto& image : images) {
      block_.channels = std::max(block_.channels, image.channels);
      if (!fits(image)) rules_.size = kMixedSize;
    }
    if (rules_.size > 0) block_.height = block_.width = rules_.size;
    const double gigabytes = 1e-9 * static_cast<double>(images_) * static_cast<double>(image_bytes());
    const double memory =
        1e-9 * static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
    require(gigabytes < memory, images_, " images of ", block_.width, " x ", block_.height, " need ",
            gigabytes, " GB of memory, this machine has ", memory,
            "; dataset.image_size = N makes them N x N");
    block_.pixels.resize(images_ * image_bytes());
  }

  bool fits(const Image& image) const {
    return rules_.size > 0 || (image.height == block_.height && image.width == block_.width);
  }

  // Nothing if it is damaged and such images are left out.
  std::optional<Image> decode(const Encoded& encoded, int64_t channels) {
    try {
      return decode_image(encoded.bytes, channels, encoded.name, rules_.upright);
    } catch (const Error& error) {
      if (!rules_.skip_damaged) throw;
      const std::lock_guard<std::mutex> lock(damaged_mutex_);
      damaged_.emplace(encoded.index, error.what());
      return std::nullopt;
    }
  }

  void decode_into_place(const Encoded& encoded) {
    hashes_[encoded.index] = Hash().add(encoded.bytes.data(), encoded.bytes.size()).value();
    const auto image = decode(encoded, block_.channels == 3 ? 3 : rules_.channels);
    if (!image) return;
    auto rules = rules_;
    if (!fits(*image)) rules.size = kMixedSize;
    if (image->channels != block_.channels) rules.channels = 3;
    if (rules != rules_) throw StartOver{rules};
    uint8_t* out = block_.pixels.data() + encoded.index * image_bytes();
    if (rules_.crop && rules_.size > 0) {
      resize_and_crop(*image, rules_.size, out);
    } else {
      resize_lanczos(*image, block_.height, block_.width, out);
    }
    if (rules_.invert) {
      std::transform(out, out + image_bytes(), out, [](uint8_t p) { return static_cast<uint8_t>(255 - p); });
    }
  }

  void finish() {
    require(damaged_.empty() || damaged_.size() < images_, "none of the ", images_,
            " images can be read: ", damaged_.empty() ? "" : damaged_.begin()->second);
    Hash encoded;
    for (const uint64_t hash : hashes_) encoded.add(hash);
    block_.encoded = encoded.value();
    for (const auto& [index, reason] : damaged_) {
      std::cerr << "left out: " << reason << '\n';
      block_.damaged.push_back(index);
    }
  }

  size_t image_bytes() const { return static_cast<size_t>(block_.channels * block_.height * block_.width); }

  const std::vector<ImageSource>& sources_;
  PixelRules rules_;
  Progress& progress_;
  ThreadPool pool_{static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))};
  size_t images_ = 0;
  PixelBlock block_;
  std::vector<Encoded> waiting_;
  size_t waiting_bytes_ = 0;
  std::vector<uint64_t> hashes_;           // of the encoded images
  std::map<size_t, std::string> damaged_;  // index: why
  std::mutex damaged_mutex_;
};

}  // namespace

PixelBlock decode_images(const std::string& dataset, const std::vector<ImageSource>& sources,
                         PixelRules rules) {
  size_t images = 0;
  for (const auto& source : sources) images += source.files.size();
  for (;;) {
    try {
      Progress progress(dataset, images);
      return Decoder(sources, rules, progress).decode();
    } catch (const StartOver& wanted) {
      rules = wanted.rules;
    }
  }
}

}  // namespace innerloop
