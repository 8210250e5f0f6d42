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

// Whether the name ends in .png, .jpg, .jpeg, .webp, .bmp, .tif or .tiff, in capitals or not. (Not .gif: only
// OpenCV from 4.11 on reads it, and what counts as an image must not depend on the machine.)
bool is_image_name(const std::string& path);

// Decodes PNG, JPEG, WebP, BMP or TIFF (its first page), whatever its name says. channels: 1 = grey, 3 = red,
// green and blue, 0 = what the file holds. Transparency is dropped, 16 bits become 8. upright: turns and
// mirrors the image as the orientation in its Exif data says; without, it stays as stored. (Pillow, which
// prepared the published data sets, leaves it as stored. A TIFF file's own orientation is always applied.)
// `name` is what errors call the image; a damaged or shortened one is an Error, and one that declares more
// than a hundred million pixels, before any are decoded.
Image decode_image(const std::vector<uint8_t>& bytes, int64_t channels, const std::string& name,
                   bool upright = true);

// Lanczos-3 with the kernel widened when an image shrinks, so that nothing aliases: Pillow's LANCZOS, to the
// byte (fixed-point weights of 22 bits, rows first, bytes between the passes; Pillow's Resample.c). The
// aspect is not kept. `out` takes [channels][height][width]. Any number of threads.
void resize_lanczos(const Image& image, int64_t height, int64_t width, uint8_t* out);

// The aspect is kept: as resize_lanczos with the shorter side at `side` and the longer one in proportion
// (rounded down), of which the middle side x side pixels go into `out`. An image of that size is not changed.
void resize_and_crop(const Image& image, int64_t side, uint8_t* out);

}  // namespace innerloop
