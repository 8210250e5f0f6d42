// The passes of one task's MLP at one point (weights, x), over panels of samples (panel_kernels.h).
//
//   forward     z_l = W_l h_l + b_l,  h_{l+1} = act(z_l),  y = z_L
//   tangent     z'_l = W_l h'_l + W'_l h_l + b'_l,  h'_{l+1} = act'(z_l) z'_l
//   backward    d_L = c;  dW_l = d_l h_l^T,  d_{l-1} = act'(z_{l-1}) (W_l^T d_l)
//   its tangent d'_L = c';  dW'_l = d'_l h_l^T + d_l h'_l^T,
//               d'_{l-1} = act' (W_l^T d'_l + W'_l^T d_l) + act''(z_{l-1}) z'_{l-1} (W_l^T d_l)
//
// act' is a function of h: 1 - h^2 (tanh), [h > 0] (ReLU). With act'' z' = -2 h h' (tanh), 0 (ReLU), the last
// term is e h' with e = -2 h (W^T d), kept beside d. Pearlmutter, "Fast exact multiplication by the Hessian"
// (1994).
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "networks/kernels/panel_kernels.h"
#include "networks/kernels/panel_sums.h"

namespace innerloop {

// Weights, a direction or a gradient of one layer: weight [out, in] row-major, bias [out].
template <class T>
struct LayerView {
  T* weight;
  T* bias;
};
template <class T>
using LayerViews = std::vector<LayerView<T>>;

template <class T>
class PanelBuffer {  // [panels][units][kWidth], not initialised
 public:
  PanelBuffer() = default;
  PanelBuffer(int64_t panels, int64_t units) : stride_(units * PanelKernels<T>::kWidth) {
    const auto bytes =
        static_cast<size_t>(std::max<int64_t>(1, panels) * stride_) * sizeof(T);  // whole vectors
    data_.reset(static_cast<T*>(std::aligned_alloc(kVectorBytes, bytes)));
    if (!data_) throw std::bad_alloc();
  }
  T* operator()(int64_t panel) const { return data_.get() + panel * stride_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  int64_t stride_ = 0;
  std::unique_ptr<T[], Free> data_;
};

template <class T, bool kTanh>
class MlpPanels {
  using K = PanelKernels<T>;
  using Vector = typename K::Vector;
  using Term = typename K::Term;
  using Sums = PanelSums<T>;
  using OuterTerm = typename Sums::OuterTerm;

 public:
  // Computes y [samples, outputs] from x [samples, inputs]. keep: the activations stay for the other passes.
  MlpPanels(std::vector<int64_t> units, const LayerViews<const T>& weights, const T* x, int64_t samples,
            bool keep, T* y)
      : units_(std::move(units)), layers_(weights.size()), samples_(samples) {
    panels_ = (samples + K::kWidth - 1) / K::kWidth;
    for (size_t l = 0; l < layers_; ++l) {
      forward_.push_back(packed(weights, l, false));
      if (keep) backward_.push_back(packed(weights, l, true));
      h_.emplace_back(keep ? panels_ : 1, units_[l]);
    }
    const PanelBuffer<T> out(1, units_.back());
    for (int64_t p = 0; p < panels_; ++p) {
      const int64_t slot = keep ? p : 0;
      to_panel(x, units_[0], p, h_[0](slot));
      for (size_t l = 0; l < layers_; ++l) {
        const bool last = l + 1 == layers_;
        T* to = last ? out(0) : h_[l + 1](slot);
        K::product(units_[l + 1], std::array{Term{forward_[l].data(), h_[l](slot), units_[l]}},
                   weights[l].bias, [&](int64_t at, Vector z) {
                     K::store(to + at, last || kTanh ? z : z < T(0) ? Vector{} : z);
                   });
        if (kTanh && !last) {
          Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>> a(to, units_[l + 1] * K::kWidth);
          a = a.tanh();
        }
      }
      from_panel(out(0), units_.back(), p, y);
    }
  }

  // y' [samples, outputs]; keeps h' for pullback_tangent.
  void pushforward(const LayerViews<const T>& direction, T* y_tangent) {
    std::vector<std::vector<T>> along;
    for (size_t l = 0; l < layers_; ++l) along.push_back(packed(direction, l, false));
    allocate(h_tangent_, layers_);
    const PanelBuffer<T> out(1, units_.back());
    for (int64_t p = 0; p < panels_; ++p) {
      for (size_t l = 0; l < layers_; ++l) {
        const bool last = l + 1 == layers_;
        T* to = last ? out(0) : h_tangent_[l + 1](p);
        const T* h = last ? nullptr : h_[l + 1](p);
        const auto store = [&](int64_t at, Vector z) {
          K::store(to + at, last ? z : slope(K::load(h + at), z));
        };
        const Term moved{along[l].data(), h_[l](p), units_[l]};
        if (l == 0) {
          K::product(units_[l + 1], std::array{moved}, direction[l].bias, store);
        } else {
          const Term carried{forward_[l].data(), h_tangent_[l](p), units_[l]};
          K::product(units_[l + 1], std::array{moved, carried}, direction[l].bias, store);
        }
      }
      from_panel(out(0), units_.back(), p, y_tangent);
    }
  }

  // Adds J^T c to `gradient`; cotangent c [samples, outputs].
  void pullback(const T* cotangent, const LayerViews<T>& gradient) const {
    auto d = scratch(), next = scratch();
    for_blocks(kBlock, [&](int64_t first, int64_t count) {
      for (int64_t p = 0; p < count; ++p) to_panel(cotangent, units_.back(), first + p, row(d, p, layers_));
      for (size_t l = layers_; l-- > 0;) {
        for (int64_t p = 0; l > 0 && p < count;
             ++p) {  // first what reads h in order: it brings h into the cache
          const T* h = h_[l](first + p);
          T* to = row(next, p, l);
          K::product(units_[l], std::array{Term{backward_[l].data(), row(d, p, l + 1), units_[l + 1]}},
                     nullptr, [&](int64_t at, Vector g) { K::store(to + at, slope(K::load(h + at), g)); });
        }
        Sums::outer_product(count, std::array{OuterTerm{d(0), units_[l + 1], h_[l](first), units_[l]}},
                            gradient[l].weight);
        Sums::add_row_sums(count, d(0), units_[l + 1], gradient[l].bias);
        std::swap(d, next);
      }
    });
  }

  // Runs the backward pass for cotangent c and keeps what pullback_tangent reads: d and, for tanh, e.
  void keep_cotangent(const T* cotangent) {
    allocate(d_, layers_ + 1);
    if (kTanh) allocate(e_, layers_);
    for (int64_t p = 0; p < panels_; ++p) {
      to_panel(cotangent, units_.back(), p, d_[layers_](p));
      for (size_t l = layers_ - 1; l > 0; --l) {
        const T* h = h_[l](p);
        T* d = d_[l](p);
        T* e = kTanh ? e_[l](p) : nullptr;
        K::product(units_[l], std::array{Term{backward_[l].data(), d_[l + 1](p), units_[l + 1]}}, nullptr,
                   [&](int64_t at, Vector g) {
                     const Vector at_h = K::load(h + at);
                     K::store(d + at, slope(at_h, g));
                     if constexpr (kTanh) K::store(e + at, T(-2) * at_h * g);
                   });
      }
    }
  }

  // Adds d/de J(weights + e direction)^T (c + e c') to `gradient`; the last pushforward's direction, the last
  // keep_cotangent's c.
  void pullback_tangent(const LayerViews<const T>& direction, const T* cotangent_tangent,
                        const LayerViews<T>& gradient) const {
    std::vector<std::vector<T>> along(1);  // layer 0's is never needed
    for (size_t l = 1; l < layers_; ++l) along.push_back(packed(direction, l, true));
    auto dt = scratch(), next = scratch();
    for_blocks(kBlock / 2, [&](int64_t first, int64_t count) {
      for (int64_t p = 0; p < count; ++p) {
        to_panel(cotangent_tangent, units_.back(), first + p, row(dt, p, layers_));
      }
      for (size_t l = layers_; l-- > 0;) {
        for (int64_t p = 0; l > 0 && p < count; ++p) {
          const T* h = h_[l](first + p);
          const T* ht = h_tangent_[l](first + p);
          const T* e = kTanh ? e_[l](first + p) : nullptr;
          T* to = row(next, p, l);
          const Term carried_back{backward_[l].data(), row(dt, p, l + 1), units_[l + 1]};
          const Term moved_back{along[l].data(), d_[l + 1](first + p), units_[l + 1]};
          K::product(units_[l], std::array{carried_back, moved_back}, nullptr, [&](int64_t at, Vector g) {
            Vector value = slope(K::load(h + at), g);
            if constexpr (kTanh) value += K::load(e + at) * K::load(ht + at);
            K::store(to + at, value);
          });
        }
        const OuterTerm moved{dt(0), units_[l + 1], h_[l](first), units_[l]};
        if (l == 0) {
          Sums::outer_product(count, std::array{moved}, gradient[l].weight);
        } else {
          const OuterTerm carried{d_[l + 1](first), units_[l + 1], h_tangent_[l](first), units_[l]};
          Sums::outer_product(count, std::array{moved, carried}, gradient[l].weight);
        }
        Sums::add_row_sums(count, dt(0), units_[l + 1], gradient[l].bias);
        std::swap(dt, next);
      }
    });
  }

 private:
  static constexpr int64_t kBlock = Sums::kMaxOuterPanels;  // 512 samples

  // act'(z) g at h = act(z).
  static Vector slope(Vector h, Vector g) {
    if constexpr (kTanh) return g - h * h * g;
    return h <= T(0) ? Vector{} : g;
  }

  std::vector<T> packed(const LayerViews<const T>& layers, size_t l, bool transposed) const {
    const int64_t in = units_[l], out = units_[l + 1];
    std::vector<T> values(static_cast<size_t>(in * out));
    if (transposed) {
      K::pack(layers[l].weight, in, out, 1, in, values.data());
    } else {
      K::pack(layers[l].weight, out, in, in, 1, values.data());
    }
    return values;
  }

  void allocate(std::vector<PanelBuffer<T>>& levels, size_t end) {  // levels 1..end-1 of all panels, once
    if (!levels.empty()) return;
    levels.emplace_back();
    for (size_t l = 1; l < end; ++l) levels.emplace_back(panels_, units_[l]);
  }

  PanelBuffer<T> scratch() const {  // one block of the widest level
    return PanelBuffer<T>(kBlock, *std::max_element(units_.begin() + 1, units_.end()));
  }
  T* row(const PanelBuffer<T>& block, int64_t panel, size_t level) const {  // packed at the level's own width
    return block(0) + panel * units_[level] * K::kWidth;
  }

  template <class Body>
  void for_blocks(int64_t block, const Body& body) const {
    for (int64_t first = 0; first < panels_; first += block) body(first, std::min(block, panels_ - first));
  }

  // Samples beyond the last are zeros: their cotangents are, so they add nothing to any sum.
  void to_panel(const T* source, int64_t units, int64_t panel, T* to) const {
    const int64_t count = std::min<int64_t>(K::kWidth, samples_ - panel * K::kWidth);
    source += panel * K::kWidth * units;
    for (int64_t i = 0; i < units; ++i, to += K::kWidth) {
      for (int64_t s = 0; s < count; ++s) to[s] = source[s * units + i];
      std::fill(to + count, to + K::kWidth, T(0));
    }
  }
  void from_panel(const T* from, int64_t units, int64_t panel, T* target) const {
    const int64_t count = std::min<int64_t>(K::kWidth, samples_ - panel * K::kWidth);
    target += panel * K::kWidth * units;
    for (int64_t i = 0; i < units; ++i, from += K::kWidth) {
      for (int64_t s = 0; s < count; ++s) target[s * units + i] = from[s];
    }
  }

  std::vector<int64_t> units_;  // inputs, hidden sizes, outputs
  size_t layers_;
  int64_t samples_, panels_;
  std::vector<std::vector<T>> forward_, backward_;  // packed W, W^T per layer
  std::vector<PanelBuffer<T>> h_;                   // [l]: the input of layer l
  std::vector<PanelBuffer<T>> h_tangent_, d_, e_;   // [l], l >= 1: what layer l - 1 puts out
};

}  // namespace innerloop
