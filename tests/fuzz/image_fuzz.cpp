// Encoded images: the first byte chooses how they are read, the others are the file.
#include "datasets/image_decode.h"
#include "tests/fuzz/fuzz.h"

using namespace innerloop;
using namespace innerloop::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int64_t kChannels[] = {0, 1, 3}, kSide = 28;
  Input input(data, size);
  const uint8_t how = input.byte();
  const int64_t channels = kChannels[how % 3];
  const std::string rest = input.rest();
  Image image;
  const auto read = [&] { image = decode_image({rest.begin(), rest.end()}, channels, "it", how < 128); };
  if (!taken(read)) return 0;
  claim(image.channels == (channels == 0 ? image.channels : channels), "channels that nobody asked for");
  claim(image.channels == 1 || image.channels == 3, "neither grey nor colours");
  claim(image.height > 0 && image.width > 0, "an image without pixels");
  claim(static_cast<int64_t>(image.planes.size()) == image.channels * image.height * image.width,
        "an image has other pixels than its size says");
  std::vector<uint8_t> out(static_cast<size_t>(image.channels * kSide * kSide));
  resize_lanczos(image, kSide, kSide, out.data());
  resize_and_crop(image, kSide, out.data());
  return 0;
}
