// The passes of one task's conv4 network at one point (parameters, images), in hand-written kernels: forward,
// backward, and the tangents of both (Pearlmutter, "Fast exact multiplication by the Hessian", 1994).
//
//   stage    z_l = W_l * a_l,  a_{l+1} = what conv_norm.h makes of z_l;  y = linear(a_5)
//   tangent  z'_l = W_l * a'_l + W'_l * a_l  (one pass: both products add up in the same registers)
//   backward's tangent  dW'_l = dz'_l a_l + dz_l a'_l,  da'_l = W_l^T dz'_l + W'_l^T dz_l
//
// The first stage's input does not move: it has no a', no da. Only z, a and the cotangents of a are kept; dz
// and dz' are made unit by unit (conv4_plan.h) in the cache and used at once. A large first stage keeps only
// the maxima of z (conv_norm.h), and makes z and z' again where the other pixels are needed.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "networks/kernels/conv4_buffers.h"
#include "networks/kernels/conv4_plan.h"
#include "networks/kernels/conv_kernels.h"

namespace innerloop {

template <class T>
class Conv4Passes {
 public:
  static int64_t pitch(int64_t filters) { return ConvKernels<T>::padded(filters); }

  // All pointers given to any pass must stay valid for the later ones. x [samples, channels, height, width].
  Conv4Passes(std::shared_ptr<const Conv4Plan> plan, const T* x);

  // y [samples, outputs]. With `use` the statistics given, else the batch's; these go to `found`.
  void forward(const Conv4View<const T>& weights, std::shared_ptr<Conv4Kernels<T>> kernels, T* y,
               const Conv4Statistics<const T>* use = nullptr, const Conv4Statistics<T>* found = nullptr);

  // J^T c into `gradient`.
  void backward(const T* c, const Conv4View<T>& gradient, Conv4Scratch<T>& scratch);

  // J v into yt.
  void tangent(const Conv4View<const T>& direction, const Conv4Kernels<T>& kernels, T* yt,
               Conv4Tangent<T>& tangent, Conv4Scratch<T>& scratch) const;

  // d/de J(weights + e v)^T (c + e c') into `gradient`, after backward(c) and tangent(v).
  void backward_tangent(const Conv4View<const T>& direction, const Conv4Kernels<T>& kernels, const T* c,
                        const T* ct, const Conv4View<T>& gradient, Conv4Tangent<T>& tangent,
                        Conv4Scratch<T>& scratch) const;

 private:
  void forward_stage(size_t l, const Conv4Statistics<const T>* use, const Conv4Statistics<T>* found);
  template <bool kPool>
  void backward_stage(size_t l, const Conv4View<T>& gradient, Conv4Scratch<T>& scratch);
  void tangent_stage(size_t l, const Conv4View<const T>& direction, const Conv4Kernels<T>& kernels,
                     Conv4Tangent<T>& tangent, Conv4Scratch<T>& scratch) const;
  template <bool kPool>
  void backward_tangent_stage(size_t l, const Conv4Kernels<T>& kernels, const Conv4View<T>& gradient,
                              Conv4Tangent<T>& tangent, Conv4Scratch<T>& scratch) const;

  template <size_t kTerms>
  void kernel_gradient(const Conv4Stage& stage, const Conv4Unit& unit,
                       const std::array<typename ConvKernels<T>::GradientTerm, kTerms>& terms, T* to,
                       Conv4Scratch<T>& scratch) const;
  void copy_gradient(const Conv4Stage& stage, T* to, const Conv4Scratch<T>& scratch) const;
  void z_tangent(size_t l, const Conv4Unit& unit, const Conv4Kernels<T>& kernels,
                 const Conv4Tangent<T>& tangent, T* zt) const;
  // A unit's z, in `scratch` if the stage does not keep it.
  const T* z_of(size_t l, const Conv4Unit& unit, T* scratch) const;
  const T* input(size_t l) const { return l == 0 ? images_.get() : at_.h[l - 1].get(); }

  std::shared_ptr<const Conv4Plan> plan_;
  std::shared_ptr<Conv4Kernels<T>> kernels_;
  Conv4View<const T> weights_;
  AlignedBuffer<T> images_;  // with the first stage's padding, channels last
  Conv4Activations<T> at_;
  std::array<AlignedBuffer<T>, Conv4Plan::kStages> d_;  // cotangents of h, 0 where h is; after backward()
  std::vector<ConvNorm<T>> norms_;
};

}  // namespace innerloop
