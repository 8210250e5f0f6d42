// What views of an image are made of (datasets/augmentation.h): each operation with its numbers given, on
// images [channels, height, width] of float32, contiguous. Where levels matter 0 is black and 1 is white.
#pragma once

#include <cstdint>

namespace innerloop {

struct ImageShape {
  int64_t channels = 1, height = 1, width = 1;
  int64_t area() const { return height * width; }
  int64_t size() const { return channels * area(); }
};

// Rows and columns [top, top + height) x [left, left + width) of an image.
struct ImageBox {
  int64_t top = 0, left = 0, height = 0, width = 0;
};

// The box at the image's size, bilinear between pixel centres; the bits of the image where the box is all of
// it.
void resized_crop(const ImageShape& shape, const float* from, const ImageBox& box, float* to);

void flip_left_right(const ImageShape& shape, float* image);

// By `quarters` of a turn counter-clockwise, 0 to 3; odd ones need height == width. As torch.rot90.
void turned(const ImageShape& shape, const float* from, int64_t quarters, float* to);

// A Gaussian of this deviation in pixels, of three deviations' reach, mirrored at the edge.
void blur(const ImageShape& shape, double deviation, float* image);

// The rest is of one or three channels; the results are cut to [0, 1].
void scale_brightness(const ImageShape& shape, double factor, float* image);
void scale_contrast(const ImageShape& shape, double factor, float* image);    // about the mean luminance
void scale_saturation(const ImageShape& shape, double factor, float* image);  // three channels
// By `turn` of the colour circle, from -0.5 to 0.5; three channels.
void turn_hue(const ImageShape& shape, double turn, float* image);
void to_luminance(const ImageShape& shape, float* image);  // .299 r + .587 g + .114 b in all three

}  // namespace innerloop
