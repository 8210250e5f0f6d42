#include "datasets/image_reader.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "base/error.h"
#include "base/thread_pool.h"
#include "datasets/archive.h"
#include "datasets/hash.h"
#include "datasets/image_decode.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

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
  }

  PixelBlock decode() {
    size_t first = 0;
    for (const auto& source : sources_) {
      read_files(source.path, source.files, [&](size_t i, std::vector<uint8_t>&& bytes) {
        waiting_bytes_ += bytes.size();
        waiting_.push_back({first + i, entry_name(source.path, source.files[i]), std::move(bytes)});
        if (waiting_.size() >= 512 || waiting_bytes_ >= kMostBytes) decode_waiting();
      });
      first += source.files.size();
    }
    decode_waiting();
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
    if (waiting_.empty()) return;
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
      auto& image = images[static_cast<size_t>(i)];
      image = decode_image(waiting_[static_cast<size_t>(i)].bytes, rules_.channels,
                           waiting_[static_cast<size_t>(i)].name);
      image.planes = {};
    });
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

  void decode_into_place(const Encoded& encoded) {
    const auto image = decode_image(encoded.bytes, block_.channels == 3 ? 3 : rules_.channels, encoded.name);
    auto rules = rules_;
    if (!fits(image)) rules.size = kMixedSize;
    if (image.channels != block_.channels) rules.channels = 3;
    if (rules.size != rules_.size || rules.channels != rules_.channels) throw StartOver{rules};
    uint8_t* out = block_.pixels.data() + encoded.index * image_bytes();
    resize_lanczos(image, block_.height, block_.width, out);
    if (rules_.invert) {
      std::transform(out, out + image_bytes(), out, [](uint8_t p) { return static_cast<uint8_t>(255 - p); });
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
};

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

CacheKey cache_key(const std::string& dataset, const std::vector<ImageSource>& sources,
                   const PixelRules& rules) {
  CacheKey key{.name = dataset};
  key.origin = concat("lanczos ", rules.size, " ", rules.channels, " ", rules.invert);
  Hash content;
  for (const auto& source : sources) {
    key.origin += concat("\n", fs::canonical(source.path).string());
    content.add(content_hash(source.path, source.files)).add(source.files.size());
    for (const auto& file : source.files) content.add(file);
  }
  key.content = content.value();
  return key;
}

}  // namespace

fs::path find_data(const std::string& dataset, const std::string& path, const std::string& own,
                   const std::string& origin) {
  const char* data = std::getenv("INNERLOOP_DATA");
  const bool known = data != nullptr && *data != '\0';
  const std::string set = known ? concat("INNERLOOP_DATA is ", data) : "INNERLOOP_DATA is not set";
  const auto advice = concat(" (", set, ").\n", origin,
                             "\nThen set dataset.path to the file or folder, or the environment variable "
                             "INNERLOOP_DATA to the folder above it.");
  require_usage(!path.empty() || !own.empty(), dataset, " needs dataset.path", advice);
  std::error_code ignored;
  if (!path.empty() && fs::exists(path, ignored)) return path;
  const auto inside = path.empty() ? own : path;
  if (known && fs::exists(fs::path(data) / inside, ignored)) return fs::path(data) / inside;
  throw Error(concat(
      dataset, ": no such file or folder: ", known ? (fs::path(data) / inside).string() : inside, advice));
}

PixelBlock read_images(const std::string& dataset, const std::vector<ImageSource>& sources,
                       const PixelRules& rules) {
  return cached_pixels(cache_key(dataset, sources, rules),
                       [&] { return decode_images(dataset, sources, rules); });
}

std::string describe_splits(const ImageStore& store) {
  std::vector<std::string> classes, images;
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    int64_t count = 0;
    for (const auto& c : store.of(split)) count += c.count;
    classes.push_back(std::to_string(store.of(split).size()));
    images.push_back(std::to_string(count));
  }
  return concat(join(classes, " / "), " classes with ", join(images, " / "),
                " images (train / validation / test)");
}

std::string describe_normalisation(const DatasetConfig& config) {
  const auto list = [](const std::vector<double>& numbers) {
    std::vector<std::string> words;
    for (const double number : numbers) words.push_back(concat(number));
    return join(words, " ");
  };
  return concat("(pixel - mean ", list(config.mean), ") / std ", list(config.std));
}

}  // namespace innerloop
