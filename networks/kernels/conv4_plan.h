// The geometry of a conv4 network on N images: sizes, pixel lists and the units in which its passes go
// through memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "networks/kernels/conv_plan.h"

namespace innerloop {

struct Conv4Geometry {  // as Conv4Config
  int64_t channels, height, width, filters, outputs;
  bool max_pool, mean_head;
  double epsilon;  // of batch normalisation
  bool operator==(const Conv4Geometry&) const = default;
};

// A part of a stage's images small enough for the cache: whole images, or some rows of one image. Rows are
// even in number except at the end of an image, so that no pooling window is cut.
struct Conv4Unit {
  int64_t input;   // first element of the stage's input
  int64_t z;       // first pixel of the convolution's result
  int64_t h;       // first pixel after pooling
  int64_t images;  // images of `rows` rows of z
  int64_t rows;
  int64_t items;  // of the stage's forward plan
};

struct Conv4Stage {
  int64_t in_height, in_width;  // the first stage's include its padding
  int64_t height, width;        // of the convolution's result
  int64_t out_height, out_width;
  int64_t taps, depth;  // of the forward plan
  ConvPlan forward;     // input -> z
  ConvPlan backward;    // z -> input; none for the first stage
  std::vector<Conv4Unit> units;
  bool keeps;  // z; else it is computed anew from the images, which costs less than a trip to main memory

  int64_t pixels() const { return height * width; }
  int64_t out_pixels() const { return out_height * out_width; }
};

struct Conv4Plan {
  static constexpr size_t kStages = 4;

  // pitch: elements per pixel in activations of `filters` channels.
  Conv4Plan(const Conv4Geometry& geometry, int64_t samples, int64_t pitch, int64_t element_bytes);

  Conv4Geometry geometry;
  int64_t samples, pitch, element_bytes;
  int64_t before_rows, before_columns;  // zeros in front of the images
  std::array<Conv4Stage, kStages> stages;
  int64_t unit_pixels;    // of z in the largest unit
  int64_t feature_count;  // what the linear layer sees
};

// The same, from the thread's last few if it is among them: making one takes a hundredth of a small task.
std::shared_ptr<const Conv4Plan> conv4_plan(const Conv4Geometry& geometry, int64_t samples, int64_t pitch,
                                            int64_t element_bytes);

}  // namespace innerloop
