// Which pixels meet which in a 3 x 3 convolution, as lists the kernels walk (conv_kernels.h).
//
// Positions of the result are grouped into classes that see the same taps, so that nothing is computed in the
// padding (a third of all products on a 4 x 4 image), and the gradient in the input of a convolution of
// stride 2 costs exactly what the convolution does: its positions fall into parity classes of 1, 2, 2 and 4
// taps. Within a class a tap's pixel lies at a fixed distance from the position's base.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace innerloop {

struct ConvTap {
  int64_t weight;  // which of the kernel's taps, row-major
  int64_t offset;  // elements from a position's base to the tap's pixel
};

struct ConvPosition {
  int32_t input, output;  // elements from the first item's start: base in the input, place in the result
};

struct ConvClass {
  std::vector<ConvTap> taps;
  std::vector<ConvPosition> positions;  // item after item
  int64_t per_item = 0;
};

// Items are images, or rows of one image; one call of a kernel works on the first few of them.
struct ConvPlan {
  struct Use {
    int64_t of_class;
    int64_t offset;
  };
  std::vector<ConvClass> classes;
  std::vector<std::vector<Use>> uses;  // [tap]: the classes that see it, and its offset there
};

// One axis of a convolution: [position][k] the index met through tap k, or -1 in the padding.
using ConvAxis = std::vector<std::array<int64_t, 3>>;

// The axis n -> (n + 2 before + ... ) of a convolution with `before` zeros in front: position o meets
// o * stride + k - before.
ConvAxis forward_axis(int64_t inputs, int64_t outputs, int64_t stride, int64_t before);
// The same meetings seen from the input.
ConvAxis backward_axis(int64_t inputs, int64_t outputs, int64_t stride, int64_t before);

// Pixels of `in_width` columns and `in_pixels` pixels per item in the buffer that is read; pitches are
// elements per pixel.
ConvPlan conv_plan(const ConvAxis& rows, const ConvAxis& columns, int64_t items, int64_t in_width,
                   int64_t in_pixels, int64_t in_pitch, int64_t out_pitch);

// One item = one row of the result, read from an image whose padding is stored: the taps are the kernel's
// three rows, each 3 * in_pitch contiguous elements.
ConvPlan padded_row_plan(int64_t width, int64_t rows, int64_t stride, int64_t in_width, int64_t in_pitch,
                         int64_t out_pitch);

}  // namespace innerloop
