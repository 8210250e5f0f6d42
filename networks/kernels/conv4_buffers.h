// What the passes of a conv4 network (conv4_passes.h) read and write.
#pragma once

#include <array>
#include <vector>

#include "networks/kernels/aligned_buffer.h"
#include "networks/kernels/conv4_plan.h"
#include "networks/kernels/conv_channels.h"

namespace innerloop {

// Parameters of one task, a direction in them, or a gradient.
template <class T>
struct Conv4View {
  std::array<T*, Conv4Plan::kStages> kernels;  // [3, 3, in, filters]
  std::array<T*, Conv4Plan::kStages> scales;   // [filters]; null without scale
  std::array<T*, Conv4Plan::kStages> shifts;   // [filters]
  T* weight;                                   // [outputs, features]
  T* bias;                                     // [outputs]
};

// Kernels as the passes read them; they refer to the caller's where these need no padding.
template <class T>
class Conv4Kernels {
 public:
  Conv4Kernels(const Conv4Plan& plan, const std::array<const T*, Conv4Plan::kStages>& kernels);
  const T* forward(size_t l) const { return forward_[l]; }        // [tap][in][pitch]
  const T* transposed(size_t l) const { return transposed_[l]; }  // [tap][filters][pitch], l >= 1
  void transpose();                                               // makes the latter, once

 private:
  const Conv4Plan& plan_;
  std::array<const T*, Conv4Plan::kStages> source_, forward_{}, transposed_{};
  std::vector<AlignedBuffer<T>> held_;
};

// Statistics of batch normalisation, [filters] per stage.
template <class T>
struct Conv4Statistics {
  std::array<T*, Conv4Plan::kStages> means, variances;
};

// Images, or activations and cotangents of every stage.
template <class T>
std::array<AlignedBuffer<T>, Conv4Plan::kStages> conv4_pooled_buffers(const Conv4Plan& plan);  // as h below

template <class T>
std::vector<ConvNorm<T>> conv4_norms(const Conv4Plan& plan);

template <class T>
struct Conv4Activations {
  explicit Conv4Activations(const Conv4Plan& plan);
  const T* tops(size_t l) const { return top[l] ? top[l].get() : z[l].get(); }
  // h[l] is what stage l puts out; top: of z, with max-pool only.
  std::array<AlignedBuffer<T>, Conv4Plan::kStages> z, top, h;
  AlignedBuffer<T> features;  // [samples][feature_count]
};

// Memory that tasks use one after another.
template <class T>
struct Conv4Scratch {
  explicit Conv4Scratch(const Conv4Plan& plan);
  AlignedBuffer<T> dz, dz_tangent;   // of a unit
  AlignedBuffer<T> z, z_tangent;     // of a unit of a stage that does not keep them
  AlignedBuffer<T> kernel_gradient;  // padded
  AlignedBuffer<T> d_features;
  AlignedBuffer<T> sums, x_sums;  // of a unit, [pitch]
};

// What the tangent passes of a task make.
template <class T>
struct Conv4Tangent {
  explicit Conv4Tangent(const Conv4Plan& plan);
  Conv4Activations<T> at;
  std::array<AlignedBuffer<T>, Conv4Plan::kStages> d;  // cotangents of h
  std::vector<ConvNorm<T>> norms;
};

}  // namespace innerloop
