#include "networks/kernels/conv4_buffers.h"

#include <algorithm>

#include "networks/kernels/conv_kernels.h"

namespace innerloop {
namespace {

constexpr size_t kStages = Conv4Plan::kStages;

int64_t inputs(const Conv4Plan& plan, size_t l) {
  return l == 0 ? plan.geometry.channels : plan.geometry.filters;
}

}  // namespace

template <class T>
std::array<AlignedBuffer<T>, kStages> conv4_pooled_buffers(const Conv4Plan& plan) {
  std::array<AlignedBuffer<T>, kStages> out;
  for (size_t l = 0; l < kStages; ++l) {
    out[l] = AlignedBuffer<T>(plan.samples * plan.stages[l].out_pixels() * plan.pitch);
  }
  return out;
}

template <class T>
std::vector<ConvNorm<T>> conv4_norms(const Conv4Plan& plan) {
  std::vector<ConvNorm<T>> out;
  for (size_t l = 0; l < kStages; ++l) out.emplace_back(plan.pitch);
  return out;
}

template <class T>
Conv4Kernels<T>::Conv4Kernels(const Conv4Plan& plan, const std::array<const T*, kStages>& kernels)
    : plan_(plan), source_(kernels) {
  const int64_t filters = plan.geometry.filters;
  for (size_t l = 0; l < kStages; ++l) {
    forward_[l] = source_[l];
    if (plan.pitch == filters) continue;
    const int64_t rows = 9 * inputs(plan, l);
    T* to = held_.emplace_back(rows * plan.pitch).get();
    forward_[l] = to;
    for (int64_t i = 0; i < rows; ++i, to += plan.pitch) {
      std::copy(source_[l] + i * filters, source_[l] + (i + 1) * filters, to);
      std::fill(to + filters, to + plan.pitch, T(0));
    }
  }
}

template <class T>
void Conv4Kernels<T>::transpose() {
  if (transposed_[1] != nullptr) return;
  const int64_t filters = plan_.geometry.filters, pitch = plan_.pitch;
  for (size_t l = 1; l < kStages; ++l) {
    T* to = held_.emplace_back(9 * filters * pitch).get();
    const T* from = forward_[l];
    transposed_[l] = to;
    for (int64_t tap = 0; tap < 9; ++tap, from += filters * pitch, to += filters * pitch) {
      ConvKernels<T>::transpose(from, filters, pitch, to);
    }
  }
}

template <class T>
Conv4Activations<T>::Conv4Activations(const Conv4Plan& plan)
    : h(conv4_pooled_buffers<T>(plan)), features(plan.samples * plan.feature_count) {
  if (plan.geometry.max_pool) top = conv4_pooled_buffers<T>(plan);
  for (size_t l = 0; l < kStages; ++l) {
    const auto& stage = plan.stages[l];
    if (stage.keeps) z[l] = AlignedBuffer<T>(plan.samples * stage.pixels() * plan.pitch);
  }
}

template <class T>
Conv4Scratch<T>::Conv4Scratch(const Conv4Plan& plan)
    : dz(plan.unit_pixels * plan.pitch),
      dz_tangent(plan.unit_pixels * plan.pitch),
      z(plan.stages[0].keeps ? 0 : plan.unit_pixels * plan.pitch),
      z_tangent(plan.stages[0].keeps ? 0 : plan.unit_pixels * plan.pitch),
      kernel_gradient(9 * std::max(plan.geometry.filters, plan.geometry.channels) * plan.pitch),
      d_features(plan.samples * plan.feature_count),
      sums(plan.pitch),
      x_sums(plan.pitch) {}

template <class T>
Conv4Tangent<T>::Conv4Tangent(const Conv4Plan& plan)
    : at(plan), d(conv4_pooled_buffers<T>(plan)), norms(conv4_norms<T>(plan)) {}

template std::array<AlignedBuffer<float>, kStages> conv4_pooled_buffers<float>(const Conv4Plan&);
template std::array<AlignedBuffer<double>, kStages> conv4_pooled_buffers<double>(const Conv4Plan&);
template std::vector<ConvNorm<float>> conv4_norms<float>(const Conv4Plan&);
template std::vector<ConvNorm<double>> conv4_norms<double>(const Conv4Plan&);
template class Conv4Kernels<float>;
template class Conv4Kernels<double>;
template struct Conv4Activations<float>;
template struct Conv4Activations<double>;
template struct Conv4Scratch<float>;
template struct Conv4Scratch<double>;
template struct Conv4Tangent<float>;
template struct Conv4Tangent<double>;

}  // namespace innerloop
