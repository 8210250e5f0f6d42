#include "networks/kernels/conv4_plan.h"

#include <algorithm>

namespace innerloop {
namespace {

constexpr int64_t kKeptBytes = 8 * 1024 * 1024;  // of z of the first stage, where pooling leaves a quarter
constexpr int64_t kUnitBytes = 256 * 1024;  // of a unit's largest activation: several fit a level-2 cache

struct Side {  // one axis of a convolution
  int64_t outputs, before, padded;
};

Side side(int64_t n, int64_t stride) {
  const int64_t outputs = (n + stride - 1) / stride;
  const int64_t total = std::max<int64_t>((outputs - 1) * stride + 3 - n, 0);  // TensorFlow's SAME
  return {outputs, total / 2, (outputs - 1) * stride + 3};
}

}  // namespace

Conv4Plan::Conv4Plan(const Conv4Geometry& of, int64_t n, int64_t pitch_, int64_t bytes)
    : geometry(of), samples(n), pitch(pitch_), element_bytes(bytes) {
  const int64_t stride = of.max_pool ? 1 : 2;
  int64_t height = of.height, width = of.width;
  unit_pixels = 0;
  for (size_t l = 0; l < kStages; ++l) {
    auto& stage = stages[l];
    const Side rows = side(height, stride), columns = side(width, stride);
    stage.height = rows.outputs;
    stage.width = columns.outputs;
    stage.out_height = of.max_pool ? stage.height / 2 : stage.height;
    stage.out_width = of.max_pool ? stage.width / 2 : stage.width;
    stage.keeps = l > 0 || !of.max_pool || n * stage.pixels() * pitch * element_bytes <= kKeptBytes;
    if (l == 0) {
      before_rows = rows.before;
      before_columns = columns.before;
      stage.in_height = rows.padded;
      stage.in_width = columns.padded;
      stage.taps = 3;
      stage.depth = 3 * of.channels;
      const int64_t fitting = kUnitBytes / (stage.width * pitch * element_bytes) / 2 * 2;
      const int64_t step = std::min(std::max<int64_t>(fitting, 2), stage.height);
      stage.forward = padded_row_plan(stage.width, step, stride, stage.in_width, of.channels, pitch);
      for (int64_t image = 0; image < n; ++image) {
        for (int64_t y = 0; y < stage.height; y += step) {
          const int64_t count = std::min(step, stage.height - y);
          const int64_t out_y = of.max_pool ? y / 2 : y;
          stage.units.push_back({(image * stage.in_height + y * stride) * stage.in_width * of.channels,
                                 (image * stage.height + y) * stage.width,
                                 (image * stage.out_height + out_y) * stage.out_width, 1, count, count});
        }
      }
    } else {
      stage.in_height = height;
      stage.in_width = width;
      stage.taps = 9;
      stage.depth = of.filters;
      const int64_t in_pixels = height * width;
      const int64_t fitting = kUnitBytes / (std::max(in_pixels, stage.pixels()) * pitch * element_bytes);
      const int64_t step = std::clamp<int64_t>(fitting, 1, std::max<int64_t>(n, 1));
      stage.forward = conv_plan(forward_axis(height, rows.outputs, stride, rows.before),
                                forward_axis(width, columns.outputs, stride, columns.before), step, width,
                                in_pixels, pitch, pitch);
      stage.backward = conv_plan(backward_axis(height, rows.outputs, stride, rows.before),
                                 backward_axis(width, columns.outputs, stride, columns.before), step,
                                 stage.width, stage.pixels(), pitch, pitch);
      for (int64_t image = 0; image < n; image += step) {
        const int64_t count = std::min(step, n - image);
        stage.units.push_back({image * in_pixels * pitch, image * stage.pixels(), image * stage.out_pixels(),
                               count, stage.height, count});
      }
    }
    for (const auto& unit : stage.units) {
      unit_pixels = std::max(unit_pixels, unit.images * unit.rows * stage.width);
    }
    height = stage.out_height;
    width = stage.out_width;
  }
  feature_count = of.mean_head ? of.filters : of.filters * height * width;
}

std::shared_ptr<const Conv4Plan> conv4_plan(const Conv4Geometry& geometry, int64_t samples, int64_t pitch,
                                            int64_t element_bytes) {
  constexpr size_t kPlans = 4;  // support and query sets, for training and evaluation
  thread_local std::vector<std::shared_ptr<const Conv4Plan>> plans;
  for (const auto& plan : plans) {
    if (plan->geometry == geometry && plan->samples == samples && plan->pitch == pitch &&
        plan->element_bytes == element_bytes) {
      return plan;
    }
  }
  if (plans.size() == kPlans) plans.erase(plans.begin());
  return plans.emplace_back(std::make_shared<const Conv4Plan>(geometry, samples, pitch, element_bytes));
}

}  // namespace innerloop
