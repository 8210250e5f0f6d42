// The last layers of conv4: the mean over height and width, or all pixels, and a linear layer; their
// gradients and tangents. A few thousand products: plain loops that compilers vectorise.
#pragma once

#include <algorithm>

#include "networks/kernels/conv4_plan.h"

namespace innerloop {

template <class T>
struct Conv4Head {
  explicit Conv4Head(const Conv4Plan& of)
      : plan(of),
        pixels(of.stages.back().out_pixels()),
        filters(of.geometry.filters),
        features(of.feature_count),
        outputs(of.geometry.outputs),
        mean(of.geometry.mean_head) {}

  // features [samples][features] of h [samples][pixels][pitch].
  void gather(const T* h, T* to) const {
    for (int64_t n = 0; n < plan.samples; ++n, to += features) {
      const T* from = h + n * pixels * plan.pitch;
      if (mean) {
        std::fill(to, to + filters, T(0));
        for (int64_t p = 0; p < pixels; ++p) {
          for (int64_t c = 0; c < filters; ++c) to[c] += from[p * plan.pitch + c];
        }
        for (int64_t c = 0; c < filters; ++c) to[c] /= static_cast<T>(pixels);
      } else {
        for (int64_t p = 0; p < pixels; ++p) {
          std::copy(from + p * plan.pitch, from + p * plan.pitch + filters, to + p * filters);
        }
      }
    }
  }

  // The cotangent of h, 0 where h is 0, from that of the features.
  void scatter(const T* d_features, const T* h, T* d) const {
    const T share = mean ? T(1) / static_cast<T>(pixels) : T(1);
    for (int64_t n = 0; n < plan.samples; ++n) {
      for (int64_t p = 0; p < pixels; ++p, h += plan.pitch, d += plan.pitch) {
        const T* from = d_features + n * features + (mean ? 0 : p * filters);
        for (int64_t c = 0; c < filters; ++c) d[c] = h[c] > T(0) ? share * from[c] : T(0);
        std::fill(d + filters, d + plan.pitch, T(0));
      }
    }
  }

  // y [samples][outputs] = x weight^T + bias; null: + y.
  void linear(const T* x, const T* weight, const T* bias, T* y) const {
    for (int64_t n = 0; n < plan.samples; ++n, x += features, y += outputs) {
      for (int64_t o = 0; o < outputs; ++o) y[o] = (bias ? bias[o] : y[o]) + dot(x, weight + o * features);
    }
  }

  // dx (+)= c weight
  void input_gradient(const T* c, const T* weight, bool add, T* dx) const {
    if (!add) std::fill(dx, dx + plan.samples * features, T(0));
    for (int64_t n = 0; n < plan.samples; ++n, dx += features) {
      for (int64_t o = 0; o < outputs; ++o) axpy(c[n * outputs + o], weight + o * features, dx);
    }
  }

  // weight (+)= c^T x
  void weight_gradient(const T* c, const T* x, bool add, T* weight) const {
    if (!add) std::fill(weight, weight + outputs * features, T(0));
    for (int64_t n = 0; n < plan.samples; ++n, x += features) {
      for (int64_t o = 0; o < outputs; ++o) axpy(c[n * outputs + o], x, weight + o * features);
    }
  }

  void bias_gradient(const T* c, T* bias) const {
    std::fill(bias, bias + outputs, T(0));
    for (int64_t n = 0; n < plan.samples; ++n) {
      for (int64_t o = 0; o < outputs; ++o) bias[o] += c[n * outputs + o];
    }
  }

 private:
  void axpy(T scale, const T* x, T* y) const {
    for (int64_t f = 0; f < features; ++f) y[f] += scale * x[f];
  }
  T dot(const T* x, const T* y) const {
    constexpr int kParts = 16;  // sums side by side, for SIMD
    T parts[kParts] = {};
    int64_t f = 0;
    for (; f + kParts <= features; f += kParts) {
      for (int i = 0; i < kParts; ++i) parts[i] += x[f + i] * y[f + i];
    }
    T sum = 0;
    for (int i = 0; i < kParts; ++i) sum += parts[i];
    for (; f < features; ++f) sum += x[f] * y[f];
    return sum;
  }

  const Conv4Plan& plan;
  int64_t pixels, filters, features, outputs;
  bool mean;
};

}  // namespace innerloop
