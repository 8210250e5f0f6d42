// Encoded images to bytes, and their size changed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace innerloop {

struct Image {
  int64_t channels = 0, height = 0, width = 0;
  std::vector<uint8_t> planes;  // [channels][height][width]; red, green, blue
};

// Whether the name ends in .png, .jpg or .jpeg, in capitals or not.
bool is_image_name(const std::string& path);

// Decodes PNG or JPEG, whatever its name says. channels: 1 = grey, 3 = red, green and blue, 0 = what the file
// holds. Transparency is dropped, 16 bits become 8. An orientation in the file's Exif data is not applied:
// Pillow, which prepared the published data sets, does not either. `name` is what errors call the image; a
// damaged or shortened one is an Error.
Image decode_image(const std::vector<uint8_t>& bytes, int64_t channels, const std::string& name);

// Lanczos-3 with the kernel widened when an image shrinks, so that nothing aliases: Pillow's LANCZOS, to the
// byte (fixed-point weights of 22 bits, rows first, bytes between the passes; Pillow's Resample.c). The
// aspect is not kept. `out` takes [channels][height][width]. Any number of threads.
void resize_lanczos(const Image& image, int64_t height, int64_t width, uint8_t* out);

}  // namespace innerloop
