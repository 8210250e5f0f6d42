#include "networks/kernels/conv4_passes.h"

#include <algorithm>
#include <cmath>

#include "networks/kernels/conv4_head.h"
#include "networks/kernels/conv_channels.h"
#include "networks/kernels/conv_norm.h"

namespace innerloop {
namespace {

constexpr size_t kStages = Conv4Plan::kStages;

template <class T>
typename ConvNormKernels<T>::Block block_of(const Conv4Plan& plan, const Conv4Stage& stage,
                                            const Conv4Unit& unit) {
  return {unit.images, unit.rows, stage.width, plan.pitch};
}

// Pixels of a unit before and after pooling.
int64_t pixels(const Conv4Stage& stage, const Conv4Unit& unit) {
  return unit.images * unit.rows * stage.width;
}
int64_t out_pixels(const Conv4Plan& plan, const Conv4Stage& stage, const Conv4Unit& unit) {
  return unit.images * (plan.geometry.max_pool ? unit.rows / 2 : unit.rows) * stage.out_width;
}

}  // namespace

template <class T>
Conv4Passes<T>::Conv4Passes(std::shared_ptr<const Conv4Plan> plan, const T* x)
    : plan_(std::move(plan)), at_(*plan_), norms_(conv4_norms<T>(*plan_)) {
  const auto& stage = plan_->stages[0];
  const auto& of = plan_->geometry;
  const int64_t channels = of.channels, count = plan_->samples * stage.in_height * stage.in_width * channels;
  images_ = AlignedBuffer<T>(count);
  std::fill(images_.get(), images_.get() + count, T(0));
  const int64_t height = std::min(of.height, stage.in_height - plan_->before_rows);
  const int64_t width = std::min(of.width, stage.in_width - plan_->before_columns);
  for (int64_t n = 0; n < plan_->samples; ++n) {
    for (int64_t c = 0; c < channels; ++c, x += of.height * of.width) {
      for (int64_t i = 0; i < height; ++i) {
        T* to = images_.get() +
                ((n * stage.in_height + i + plan_->before_rows) * stage.in_width + plan_->before_columns) *
                    channels +
                c;
        for (int64_t j = 0; j < width; ++j) to[j * channels] = x[i * of.width + j];
      }
    }
  }
}

template <class T>
void Conv4Passes<T>::forward(const Conv4View<const T>& weights, std::shared_ptr<Conv4Kernels<T>> kernels,
                             T* y, const Conv4Statistics<const T>* use, const Conv4Statistics<T>* found) {
  weights_ = weights;
  kernels_ = std::move(kernels);
  for (size_t l = 0; l < kStages; ++l) forward_stage(l, use, found);
  const Conv4Head<T> head(*plan_);
  if (plan_->geometry.outputs == 0) {
    head.gather(at_.h.back().get(), y);
    return;
  }
  head.gather(at_.h.back().get(), at_.features.get());
  head.linear(at_.features.get(), weights_.weight, weights_.bias, y);
}

template <class T>
const T* Conv4Passes<T>::z_of(size_t l, const Conv4Unit& unit, T* scratch) const {
  const auto& stage = plan_->stages[l];
  if (stage.keeps) return at_.z[l].get() + unit.z * plan_->pitch;
  ConvKernels<T>::convolve(
      stage.forward, unit.items, stage.depth,
      std::array{typename ConvKernels<T>::Term{input(l) + unit.input, kernels_->forward(l)}}, plan_->pitch,
      scratch, nullptr);
  return scratch;
}

template <class T>
void Conv4Passes<T>::forward_stage(size_t l, const Conv4Statistics<const T>* use,
                                   const Conv4Statistics<T>* found) {
  using N = ConvNormKernels<T>;
  const auto& stage = plan_->stages[l];
  const int64_t filters = plan_->geometry.filters, pitch = plan_->pitch;
  const ConvNorm<T>& norm = norms_[l];
  for (int64_t c = 0; c < filters; ++c) {
    const T gain = weights_.scales[l] ? weights_.scales[l][c] : T(1);
    norm.gain()[c] = gain;
    norm.sign()[c] = static_cast<T>((gain > T(0)) - (gain < T(0)));
    norm.shift()[c] = weights_.shifts[l][c];
  }
  ChannelMoments<T> moments(pitch);
  AlignedBuffer<T> mean(pitch), squares(pitch), z_of_unit(stage.keeps ? 0 : plan_->unit_pixels * pitch);
  for (const auto& unit : stage.units) {
    T* z = stage.keeps ? at_.z[l].get() + unit.z * pitch : z_of_unit.get();
    ConvKernels<T>::convolve(
        stage.forward, unit.items, stage.depth,
        std::array{typename ConvKernels<T>::Term{input(l) + unit.input, kernels_->forward(l)}}, pitch, z,
        nullptr);
    const auto block = block_of<T>(*plan_, stage, unit);
    if (plan_->geometry.max_pool) N::choose(block, norm, z, z, at_.top[l].get() + unit.h * pitch);
    if (use && !found) continue;
    N::moments(block.pixels(), pitch, z, mean.get(), squares.get());
    moments.add(block.pixels(), mean.get(), squares.get());
  }
  for (int64_t c = 0; c < filters; ++c) {
    double centre = 0, variance = 0;
    if (!use || found) {
      centre = moments.mean(c);
      variance = moments.variance(c);
    }
    if (found) {
      found->means[l][c] = static_cast<T>(centre);
      found->variances[l][c] = static_cast<T>(variance);
    }
    if (use) {
      centre = static_cast<double>(use->means[l][c]);
      variance = static_cast<double>(use->variances[l][c]);
    }
    norm.mean()[c] = static_cast<T>(centre);
    norm.r()[c] = static_cast<T>(1 / std::sqrt(variance + plan_->geometry.epsilon));
  }
  N::activate(plan_->samples * stage.out_pixels(), pitch, norm, at_.tops(l), at_.h[l].get());
}

template <class T>
void Conv4Passes<T>::backward(const T* c, const Conv4View<T>& gradient, Conv4Scratch<T>& scratch) {
  kernels_->transpose();
  if (!d_[0]) d_ = conv4_pooled_buffers<T>(*plan_);
  const Conv4Head<T> head(*plan_);
  if (plan_->geometry.outputs == 0) {
    head.scatter(c, at_.h.back().get(), d_.back().get());
  } else {
    head.weight_gradient(c, at_.features.get(), false, gradient.weight);
    head.bias_gradient(c, gradient.bias);
    head.input_gradient(c, weights_.weight, false, scratch.d_features.get());
    head.scatter(scratch.d_features.get(), at_.h.back().get(), d_.back().get());
  }
  for (size_t l = kStages; l-- > 0;) {
    if (plan_->geometry.max_pool) {
      backward_stage<true>(l, gradient, scratch);
    } else {
      backward_stage<false>(l, gradient, scratch);
    }
  }
}

template <class T>
template <bool kPool>
void Conv4Passes<T>::backward_stage(size_t l, const Conv4View<T>& gradient, Conv4Scratch<T>& scratch) {
  using N = ConvNormKernels<T>;
  using K = ConvKernels<T>;
  const auto& stage = plan_->stages[l];
  const int64_t filters = plan_->geometry.filters, pitch = plan_->pitch;
  const int64_t count = plan_->samples * stage.pixels();
  const ConvNorm<T>& norm = norms_[l];
  ChannelSums<T> sums(filters), x_sums(filters);
  for (const auto& unit : stage.units) {
    N::gradient_sums(out_pixels(*plan_, stage, unit), pitch, norm, at_.tops(l) + unit.h * pitch,
                     d_[l].get() + unit.h * pitch, scratch.sums.get(), scratch.x_sums.get());
    sums.add(scratch.sums.get());
    x_sums.add(scratch.x_sums.get());
  }
  for (int64_t c = 0; c < filters; ++c) {
    gradient.shifts[l][c] = sums.sum(c);
    if (gradient.scales[l]) gradient.scales[l][c] = x_sums.sum(c);
    norm.a()[c] = sums.mean(c, count);
    norm.b()[c] = x_sums.mean(c, count);
  }
  T* dz = scratch.dz.get();
  for (const auto& unit : stage.units) {
    N::template gradient<kPool>(block_of<T>(*plan_, stage, unit), norm, z_of(l, unit, scratch.z.get()),
                                d_[l].get() + unit.h * pitch, dz);
    kernel_gradient(stage, unit, std::array{typename K::GradientTerm{input(l) + unit.input, dz}},
                    gradient.kernels[l], scratch);
    if (l == 0) continue;
    K::convolve(stage.backward, unit.items, filters,
                std::array{typename K::Term{dz, kernels_->transposed(l)}}, pitch,
                d_[l - 1].get() + unit.input, at_.h[l - 1].get() + unit.input);
  }
  copy_gradient(stage, gradient.kernels[l], scratch);
}

template <class T>
void Conv4Passes<T>::tangent(const Conv4View<const T>& direction, const Conv4Kernels<T>& kernels, T* yt,
                             Conv4Tangent<T>& tangent, Conv4Scratch<T>& scratch) const {
  for (size_t l = 0; l < kStages; ++l) tangent_stage(l, direction, kernels, tangent, scratch);
  const Conv4Head<T> head(*plan_);
  if (plan_->geometry.outputs == 0) {
    head.gather(tangent.at.h.back().get(), yt);
    return;
  }
  head.gather(tangent.at.h.back().get(), tangent.at.features.get());
  head.linear(at_.features.get(), direction.weight, direction.bias, yt);
  head.linear(tangent.at.features.get(), weights_.weight, nullptr, yt);
}

template <class T>
void Conv4Passes<T>::tangent_stage(size_t l, const Conv4View<const T>& direction,
                                   const Conv4Kernels<T>& kernels, Conv4Tangent<T>& tangent,
                                   Conv4Scratch<T>& scratch) const {
  using N = ConvNormKernels<T>;
  const auto& stage = plan_->stages[l];
  const int64_t filters = plan_->geometry.filters, pitch = plan_->pitch;
  const int64_t count = plan_->samples * stage.pixels();
  const ConvNorm<T>& norm = norms_[l];
  const ConvNorm<T>& along = tangent.norms[l];
  ChannelSums<T> sums(filters), x_sums(filters);
  for (const auto& unit : stage.units) {
    const T* z = z_of(l, unit, scratch.z.get());
    T* zt = stage.keeps ? tangent.at.z[l].get() + unit.z * pitch : scratch.z_tangent.get();
    z_tangent(l, unit, kernels, tangent, zt);
    N::tangent_sums(pixels(stage, unit), pitch, norm, z, zt, scratch.sums.get(), scratch.x_sums.get());
    sums.add(scratch.sums.get());
    x_sums.add(scratch.x_sums.get());
    if (plan_->geometry.max_pool) {
      N::choose(block_of<T>(*plan_, stage, unit), norm, z, zt, tangent.at.top[l].get() + unit.h * pitch);
    }
  }
  for (int64_t c = 0; c < filters; ++c) {
    along.mean()[c] = sums.mean(c, count);
    along.c()[c] = x_sums.mean(c, count);
    along.gain()[c] = direction.scales[l] ? direction.scales[l][c] : T(0);
    along.shift()[c] = direction.shifts[l][c];
  }
  N::tangent(plan_->samples * stage.out_pixels(), pitch, norm, along, at_.tops(l), at_.h[l].get(),
             tangent.at.tops(l), tangent.at.h[l].get());
}

template <class T>
void Conv4Passes<T>::z_tangent(size_t l, const Conv4Unit& unit, const Conv4Kernels<T>& kernels,
                               const Conv4Tangent<T>& tangent, T* zt) const {
  using Term = typename ConvKernels<T>::Term;
  const auto& stage = plan_->stages[l];
  const Term moved{input(l) + unit.input, kernels.forward(l)};
  if (l == 0) {
    ConvKernels<T>::convolve(stage.forward, unit.items, stage.depth, std::array{moved}, plan_->pitch, zt,
                             nullptr);
  } else {
    const Term carried{tangent.at.h[l - 1].get() + unit.input, kernels_->forward(l)};
    ConvKernels<T>::convolve(stage.forward, unit.items, stage.depth, std::array{moved, carried}, plan_->pitch,
                             zt, nullptr);
  }
}

template <class T>
void Conv4Passes<T>::backward_tangent(const Conv4View<const T>& direction, const Conv4Kernels<T>& kernels,
                                      const T* c, const T* ct, const Conv4View<T>& gradient,
                                      Conv4Tangent<T>& tangent, Conv4Scratch<T>& scratch) const {
  const Conv4Head<T> head(*plan_);
  if (plan_->geometry.outputs == 0) {
    head.scatter(ct, at_.h.back().get(), tangent.d.back().get());
  } else {
    head.weight_gradient(ct, at_.features.get(), false, gradient.weight);
    head.weight_gradient(c, tangent.at.features.get(), true, gradient.weight);
    head.bias_gradient(ct, gradient.bias);
    head.input_gradient(ct, weights_.weight, false, scratch.d_features.get());
    head.input_gradient(c, direction.weight, true, scratch.d_features.get());
    head.scatter(scratch.d_features.get(), at_.h.back().get(), tangent.d.back().get());
  }
  for (size_t l = kStages; l-- > 0;) {
    if (plan_->geometry.max_pool) {
      backward_tangent_stage<true>(l, kernels, gradient, tangent, scratch);
    } else {
      backward_tangent_stage<false>(l, kernels, gradient, tangent, scratch);
    }
  }
}

template <class T>
template <bool kPool>
void Conv4Passes<T>::backward_tangent_stage(size_t l, const Conv4Kernels<T>& kernels,
                                            const Conv4View<T>& gradient, Conv4Tangent<T>& tangent,
                                            Conv4Scratch<T>& scratch) const {
  using N = ConvNormKernels<T>;
  using K = ConvKernels<T>;
  using Term = typename K::Term;
  using GradientTerm = typename K::GradientTerm;
  const auto& stage = plan_->stages[l];
  const int64_t filters = plan_->geometry.filters, pitch = plan_->pitch;
  const int64_t count = plan_->samples * stage.pixels();
  const ConvNorm<T>& norm = norms_[l];
  const ConvNorm<T>& along = tangent.norms[l];
  const T* all_d = d_[l].get();
  const T* all_dt = tangent.d[l].get();
  ChannelSums<T> sums(filters), x_sums(filters);
  for (const auto& unit : stage.units) {
    const int64_t from = unit.h * pitch;
    N::gradient_tangent_sums(out_pixels(*plan_, stage, unit), pitch, norm, along, at_.tops(l) + from,
                             tangent.at.tops(l) + from, all_d + from, all_dt + from, scratch.sums.get(),
                             scratch.x_sums.get());
    sums.add(scratch.sums.get());
    x_sums.add(scratch.x_sums.get());
  }
  for (int64_t c = 0; c < filters; ++c) {
    gradient.shifts[l][c] = sums.sum(c);
    if (gradient.scales[l]) gradient.scales[l][c] = x_sums.sum(c);
    along.a()[c] = sums.mean(c, count);
    along.b()[c] = x_sums.mean(c, count);
  }
  T* dz = scratch.dz.get();
  T* dzt = scratch.dz_tangent.get();
  for (const auto& unit : stage.units) {
    const auto block = block_of<T>(*plan_, stage, unit);
    const T* z = z_of(l, unit, scratch.z.get());
    const T* zt = tangent.at.z[l].get() + unit.z * pitch;
    if (!stage.keeps) {
      z_tangent(l, unit, kernels, tangent, scratch.z_tangent.get());
      zt = scratch.z_tangent.get();
    }
    const T* d = all_d + unit.h * pitch;
    const T* dt = all_dt + unit.h * pitch;
    const GradientTerm carried{input(l) + unit.input, dzt};
    if (l == 0) {
      N::template gradient_tangent<kPool, true>(block, norm, along, z, zt, d, dt, dz, dzt);
      kernel_gradient(stage, unit, std::array{carried}, gradient.kernels[l], scratch);
      continue;
    }
    N::template gradient_tangent<kPool, false>(block, norm, along, z, zt, d, dt, dz, dzt);
    const GradientTerm moved{tangent.at.h[l - 1].get() + unit.input, dz};
    kernel_gradient(stage, unit, std::array{carried, moved}, gradient.kernels[l], scratch);
    K::convolve(stage.backward, unit.items, filters,
                std::array{Term{dzt, kernels_->transposed(l)}, Term{dz, kernels.transposed(l)}}, pitch,
                tangent.d[l - 1].get() + unit.input, at_.h[l - 1].get() + unit.input);
  }
  copy_gradient(stage, gradient.kernels[l], scratch);
}

// Padded gradients are summed in scratch memory, others where they belong.
template <class T>
template <size_t kTerms>
void Conv4Passes<T>::kernel_gradient(const Conv4Stage& stage, const Conv4Unit& unit,
                                     const std::array<typename ConvKernels<T>::GradientTerm, kTerms>& terms,
                                     T* to, Conv4Scratch<T>& scratch) const {
  const bool padded = plan_->pitch != plan_->geometry.filters;
  ConvKernels<T>::gradient(stage.forward, unit.items, stage.depth, terms, plan_->pitch,
                           /*add=*/&unit != stage.units.data(), padded ? scratch.kernel_gradient.get() : to);
}

template <class T>
void Conv4Passes<T>::copy_gradient(const Conv4Stage& stage, T* to, const Conv4Scratch<T>& scratch) const {
  const int64_t filters = plan_->geometry.filters, pitch = plan_->pitch;
  if (pitch == filters) return;
  const T* from = scratch.kernel_gradient.get();
  for (int64_t i = 0; i < stage.taps * stage.depth; ++i, from += pitch, to += filters) {
    std::copy(from, from + filters, to);
  }
}

template class Conv4Passes<float>;
template class Conv4Passes<double>;

}  // namespace innerloop
