#include "datasets/own_pictures.h"

#include <algorithm>

#include "base/error.h"
#include "datasets/image_decode.h"
#include "datasets/names.h"
#include "datasets/pixel_values.h"
#include "datasets/regular_file.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

Image picture_in(const fs::path& file, int64_t channels, bool upright) {
  const std::string name = printable(file.string());
  require(fs::exists(file), "no such picture: ", name);
  return decode_image(read_regular(file, name), channels, name, upright);
}

// Whether its channels are the same: a grey picture in a file of colours.
bool without_colour(const Image& image) {
  const auto plane = static_cast<std::ptrdiff_t>(image.height * image.width);
  const auto red = image.planes.begin();
  return std::equal(red, red + plane, red + plane) && std::equal(red, red + plane, red + 2 * plane);
}

Image fitting_picture(const fs::path& file, const PictureRules& rules, int64_t channels) {
  if (channels != 1 || rules.ink) return picture_in(file, channels, rules.upright);
  const Image found = picture_in(file, 0, rules.upright);
  require(found.channels == 1 || without_colour(found), printable(file.string()),
          " is in colour (3 channels), but this was trained on grey images (1 channel); turn it grey first");
  return picture_in(file, 1, rules.upright);
}

}  // namespace

bool light_paper(const fs::path& file) {
  const Image image = picture_in(file, 1, true);
  int64_t light = 0, all = 0;
  for (int64_t r = 0; r < image.height; ++r) {
    const bool edge = r == 0 || r + 1 == image.height;
    for (int64_t c = 0; c < image.width; c += edge ? 1 : std::max<int64_t>(1, image.width - 1)) {
      light += image.planes[static_cast<size_t>(r * image.width + c)] > 127 ? 1 : 0;
      ++all;
    }
  }
  return 2 * light > all;
}

torch::Tensor read_pictures(const std::vector<fs::path>& files, const PictureRules& rules,
                            const std::vector<int64_t>& input, bool invert) {
  require(input.size() == 3 && (input[0] == 1 || input[0] == 3), "samples of ", input.size(),
          " dimensions are no pictures");
  const int64_t channels = input[0], height = input[1], width = input[2];
  const auto table = pixel_values(channels, rules.mean, rules.std, "pictures");
  const auto x = torch::empty({1, static_cast<int64_t>(files.size()), channels, height, width});
  std::vector<uint8_t> bytes(static_cast<size_t>(channels * height * width));
  float* to = x.data_ptr<float>();
  for (const auto& file : files) {
    const Image image = fitting_picture(file, rules, channels);
    if (rules.crop && height == width) {
      resize_and_crop(image, height, bytes.data());
    } else {
      resize_lanczos(image, height, width, bytes.data());
    }
    for (size_t i = 0; i < bytes.size(); ++i) {
      const size_t channel = i / static_cast<size_t>(height * width);
      const auto p = static_cast<uint8_t>(invert ? 255 - bytes[i] : bytes[i]);
      *to++ = static_cast<float>(table[channel * 256 + p]);
    }
  }
  return x;
}

}  // namespace innerloop
