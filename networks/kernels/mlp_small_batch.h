// The passes of mlp_panels.h for few samples a task: at most two SIMD registers of them.
//
// There a panel of 64 samples would be padding mostly, and bringing the weights into the kernels' order would
// cost as much as using them. Here the samples of a task fill one register or two, and a weight is broadcast
// from where it lies in its tensor: nothing is packed or copied, also where all tasks share their weights.
//
//   products           lanes are samples:  z[r][:] += W[r][k] h[k][:],   g[k][:] += W[r][k] d[r][:]
//   weight gradients   lanes are columns:  dW[r][:] += d[r][s] h^T[s][:], with h^T extended by a column of
//                      ones, whose gradient is the bias's (small_batch_sums.h)
//
// Formulas, and e = -2 h (W^T d) for tanh, as in mlp_panels.h. An object holds all tasks; float32, float64.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <vector>

#include "networks/kernels/aligned_buffer.h"
#include "networks/kernels/panel_kernels.h"
#include "networks/kernels/panel_sums.h"
#include "networks/kernels/small_batch_sums.h"

namespace innerloop {

// One layer's weight [T, out, in] and bias [T, out]: each task's slice row-major, tasks `stride` apart (0:
// shared).
template <class T>
struct TaskLayer {
  T *weight, *bias;
  int64_t weight_stride, bias_stride;
  T* weight_of(int64_t task) const { return weight + task * weight_stride; }
  T* bias_of(int64_t task) const { return bias + task * bias_stride; }
};
template <class T>
using TaskLayers = std::vector<TaskLayer<T>>;

template <class T, bool kTanh, int kRegisters>
class MlpSmallBatch {
  using K = PanelKernels<T>;
  using Vector = typename K::Vector;
  using Sums = SmallBatchSums<T, kRegisters>;
  using OuterTerm = typename Sums::OuterTerm;
  static constexpr int64_t kLanes = K::kLanes, kWidth = kRegisters * kLanes;
  static constexpr int kRows = !kFullTiles<T> ? 2 : kVectorBytes == 64 ? 8 : 4;

 public:
  static constexpr int64_t kMostSamples = kWidth;

  // Computes y [tasks, samples, outputs] from x [tasks, samples, inputs]. The weights must stay where they
  // are.
  MlpSmallBatch(std::vector<int64_t> units, TaskLayers<const T> weights, const T* x, int64_t tasks,
                int64_t samples, T* y)
      : units_(std::move(units)), weights_(std::move(weights)), tasks_(tasks), samples_(samples) {
    for (const auto u : units_) {
      offset_.push_back(numbers_);
      column_offset_.push_back(column_numbers_);
      numbers_ += u * kWidth;
      column_numbers_ += columns(u) * samples_;
    }
    h_ = AlignedBuffer<T>(tasks_ * numbers_);
    for (int64_t t = 0; t < tasks_; ++t) {
      to_lanes(x + t * samples_ * units_[0], units_[0], at(h_, t, 0));
      for (size_t l = 0; l < layers(); ++l) {
        const bool last = l + 1 == layers();
        T* to = at(h_, t, l + 1);
        product<false>(units_[l + 1], std::array{forward_term(weights_, t, l, at(h_, t, l))},
                       weights_[l].bias_of(t), [&](int64_t i, Vector z) {
                         K::store(to + i, last || kTanh ? z : z < T(0) ? Vector{} : z);
                       });
        if (kTanh && !last) {
          Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>> a(to, units_[l + 1] * kWidth);
          a = a.tanh();
        }
      }
      from_lanes(at(h_, t, layers()), units_.back(), y + t * samples_ * units_.back());
    }
  }

  // y' [tasks, samples, outputs]; keeps h' for pullback_tangent.
  void pushforward(const TaskLayers<const T>& direction, T* y_tangent) {
    if (!h_tangent_) h_tangent_ = AlignedBuffer<T>(tasks_ * numbers_);
    for (int64_t t = 0; t < tasks_; ++t) {
      for (size_t l = 0; l < layers(); ++l) {
        const bool last = l + 1 == layers();
        T* to = at(h_tangent_, t, l + 1);
        const T* h = at(h_, t, l + 1);
        const auto store = [&](int64_t i, Vector z) {
          K::store(to + i, last ? z : slope(K::load(h + i), z));
        };
        const Term moved = forward_term(direction, t, l, at(h_, t, l));
        if (l == 0) {
          product<false>(units_[l + 1], std::array{moved}, direction[l].bias_of(t), store);
        } else {
          product<false>(units_[l + 1], std::array{moved, forward_term(weights_, t, l, at(h_tangent_, t, l))},
                         direction[l].bias_of(t), store);
        }
      }
      from_lanes(at(h_tangent_, t, layers()), units_.back(), y_tangent + t * samples_ * units_.back());
    }
  }

  // Writes J^T c to `gradient`, unless it is null, and keeps what pullback_tangent reads: d and, for tanh, e.
  void pullback(const T* cotangent, const TaskLayers<T>* gradient) {
    if (!d_) d_ = AlignedBuffer<T>(tasks_ * numbers_);
    if (kTanh && !e_) e_ = AlignedBuffer<T>(tasks_ * numbers_);
    const bool fresh = !h_columns_;
    if (fresh) h_columns_ = AlignedBuffer<T>(tasks_ * column_numbers_);
    for (int64_t t = 0; t < tasks_; ++t) {
      to_lanes(cotangent + t * samples_ * units_.back(), units_.back(), at(d_, t, layers()));
      for (size_t l = layers(); l-- > 0;) {
        if (l > 0) {
          const T* h = at(h_, t, l);
          T* d = at(d_, t, l);
          T* e = kTanh ? at(e_, t, l) : nullptr;
          product<true>(units_[l], std::array{backward_term(weights_, t, l, at(d_, t, l + 1))}, nullptr,
                        [&](int64_t i, Vector g) {
                          const Vector at_h = K::load(h + i);
                          K::store(d + i, slope(at_h, g));
                          if constexpr (kTanh) K::store(e + i, T(-2) * at_h * g);
                        });
        }
        if (fresh) to_columns(at(h_, t, l), units_[l], T(1), columns_of(t, l));
        if (gradient != nullptr) {
          outer(t, l, std::array{OuterTerm{at(d_, t, l + 1), columns_of(t, l)}}, *gradient);
        }
      }
    }
  }

  // Writes d/de J(weights + e direction)^T (c + e c') to `gradient`; the last pushforward's direction, the
  // last pullback's c.
  void pullback_tangent(const TaskLayers<const T>& direction, const T* cotangent_tangent,
                        const TaskLayers<T>& gradient) const {
    const AlignedBuffer<T> dt(numbers_), h_tangent_columns(column_numbers_);
    for (int64_t t = 0; t < tasks_; ++t) {
      to_lanes(cotangent_tangent + t * samples_ * units_.back(), units_.back(), at(dt, 0, layers()));
      for (size_t l = layers(); l-- > 0;) {
        const OuterTerm moved{at(dt, 0, l + 1), columns_of(t, l)};
        if (l == 0) {
          outer(t, l, std::array{moved}, gradient);
          break;
        }
        const T *h = at(h_, t, l), *ht = at(h_tangent_, t, l), *e = kTanh ? at(e_, t, l) : nullptr;
        T* to = at(dt, 0, l);
        product<true>(units_[l],
                      std::array{backward_term(weights_, t, l, at(dt, 0, l + 1)),
                                 backward_term(direction, t, l, at(d_, t, l + 1))},
                      nullptr, [&](int64_t i, Vector g) {
                        Vector value = slope(K::load(h + i), g);
                        if constexpr (kTanh) value += K::load(e + i) * K::load(ht + i);
                        K::store(to + i, value);
                      });
        T* ht_columns = h_tangent_columns.get() + column_offset_[l];
        to_columns(ht, units_[l], T(0), ht_columns);
        outer(t, l, std::array{moved, OuterTerm{at(d_, t, l + 1), ht_columns}}, gradient);
      }
    }
  }

 private:
  size_t layers() const { return weights_.size(); }
  static int64_t columns(int64_t units) { return (units + kLanes) / kLanes * kLanes; }  // one more at least
  T* at(const AlignedBuffer<T>& buffer, int64_t task, size_t level) const {
    return buffer.get() + task * numbers_ + offset_[level];
  }
  T* columns_of(int64_t task, size_t level) const {
    return h_columns_.get() + task * column_numbers_ + column_offset_[level];
  }

  // act'(z) g at h = act(z).
  static Vector slope(Vector h, Vector g) {
    if constexpr (kTanh) return g - h * h * g;
    return h <= T(0) ? Vector{} : g;
  }

  // [samples, units] <-> [units, kWidth]. Samples beyond the last are zeros; no sum ever meets them.
  void to_lanes(const T* source, int64_t units, T* to) const {
    for (int64_t i = 0; i < units; ++i, to += kWidth) {
      for (int64_t s = 0; s < samples_; ++s) to[s] = source[s * units + i];
      std::fill(to + samples_, to + kWidth, T(0));
    }
  }
  void from_lanes(const T* from, int64_t units, T* target) const {
    for (int64_t i = 0; i < units; ++i, from += kWidth) {
      for (int64_t s = 0; s < samples_; ++s) target[s * units + i] = from[s];
    }
  }

  // [units, kWidth] -> [samples, columns(units)], column `units` all `extra`, zeros beyond.
  void to_columns(const T* rows, int64_t units, T extra, T* to) const {
    const int64_t width = columns(units);
    for (int64_t u = 0; u < width; u += kLanes) {
      for (int64_t s = 0; s < samples_; s += kLanes) {
        Vector square[kLanes];
        for (int64_t q = 0; q < kLanes; ++q) {
          square[q] = u + q < units ? K::load(rows + (u + q) * kWidth + s) : Vector{};
        }
        PanelSums<T>::template transpose_square<1>(square);
        const int64_t valid = std::min(kLanes, samples_ - s);
        for (int64_t q = 0; q < valid; ++q) K::store(to + (s + q) * width + u, square[q]);
      }
    }
    for (int64_t s = 0; s < samples_; ++s) to[s * width + units] = extra;
  }

  // ---- C[r][:] = bias[r] + sum_terms sum_k A(r, k) B[k][:], then an epilogue in registers.
  struct Term {
    const T* a;  // A(r, k) = a[r * in + k], transposed: a[k * in + r]
    int64_t in;
    const T* b;  // [depth, kWidth]
    int64_t depth;
  };
  Term forward_term(const TaskLayers<const T>& layers, int64_t t, size_t l, const T* h) const {
    return {layers[l].weight_of(t), units_[l], h, units_[l]};
  }
  Term backward_term(const TaskLayers<const T>& layers, int64_t t, size_t l, const T* d) const {
    return {layers[l].weight_of(t), units_[l], d, units_[l + 1]};
  }

  template <bool kTransposed, size_t kTerms, class Epilogue>
  static void product(int64_t rows, const std::array<Term, kTerms>& terms, const T* bias,
                      const Epilogue& epilogue) {
    for_tiles<kRows>(rows, [&]<int kM>(TileRows<kM>, int64_t r) {
      product_tile<kTransposed, kM>(r, terms, bias, epilogue);
    });
  }
  template <bool kTransposed, int kM, size_t kTerms, class Epilogue>
  [[gnu::always_inline]] static void product_tile(int64_t row, const std::array<Term, kTerms>& terms,
                                                  const T* bias, const Epilogue& epilogue) {
    Vector c[kM][kRegisters];
    for (int m = 0; m < kM; ++m) {
      for (int v = 0; v < kRegisters; ++v) c[m][v] = Vector{} + (bias ? bias[row + m] : T(0));
    }
    for (const auto& term : terms) {
      const T* a = term.a + (kTransposed ? row : row * term.in);
      const auto* b = reinterpret_cast<const Vector*>(term.b);
      const int64_t step = kTransposed ? 1 : term.in;
      for (int64_t k = 0; k < term.depth; ++k, a += kTransposed ? term.in : 1, b += kRegisters) {
        Vector column[kRegisters];
        for (int v = 0; v < kRegisters; ++v) column[v] = b[v];
        for (int m = 0; m < kM; ++m) {
          for (int v = 0; v < kRegisters; ++v) c[m][v] += a[m * step] * column[v];
        }
      }
    }
    for (int m = 0; m < kM; ++m) {
      for (int v = 0; v < kRegisters; ++v) epilogue((row + m) * kWidth + v * kLanes, c[m][v]);
    }
  }

  template <size_t kTerms>
  void outer(int64_t t, size_t l, const std::array<OuterTerm, kTerms>& terms,
             const TaskLayers<T>& gradient) const {
    Sums::outer(typename Sums::template Outer<kTerms>{terms, units_[l + 1], units_[l], columns(units_[l]),
                                                      samples_, gradient[l].weight_of(t),
                                                      gradient[l].bias_of(t)});
  }

  std::vector<int64_t> units_;  // inputs, hidden sizes, outputs
  TaskLayers<const T> weights_;
  int64_t tasks_, samples_;
  std::vector<int64_t> offset_, column_offset_;  // of a level in a task's part of the buffers
  int64_t numbers_ = 0, column_numbers_ = 0;
  AlignedBuffer<T> h_, h_tangent_, d_, e_;  // [tasks][levels][units, kWidth]: outputs of level l - 1
  AlignedBuffer<T> h_columns_;              // [tasks][levels][samples, columns(units)]
};

}  // namespace innerloop
