// The matrix products of 3 x 3 convolutions, register-blocked, in GCC vector extensions.
//
// A pixel's channels are contiguous and padded to whole SIMD registers (`pitch` elements a pixel), so that
// registers hold neighbouring channels of the result and one channel of the input is broadcast. A tile of
// rows x columns of registers stays in place over all taps, channels and terms.
//
//   convolve   out[p][o]  = sum_terms sum_taps sum_c in[p + tap][c] W[tap][c][o]
//   gradient   G[tap][c][o] = sum_terms sum_p in[p + tap][c] d[p][o]
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <type_traits>

#include "networks/kernels/aligned_buffer.h"
#include "networks/kernels/conv_plan.h"
#include "networks/kernels/panel_kernels.h"
#include "networks/kernels/panel_sums.h"

namespace innerloop {

template <class T>
struct ConvKernels {
  using Vector = typename PanelKernels<T>::Vector;
  // Weights and gradients lie where the caller's tensors do.
  using Loose [[gnu::vector_size(kVectorBytes), gnu::may_alias, gnu::aligned(alignof(T))]] = T;
  static constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));
  static constexpr int kMaxVectors = kFullTiles<T> && kVectorBytes == 64 ? 4 : 2;
  static constexpr int max_rows(int vectors) {  // 24 of 32 or 12 of 16 registers hold the tile
    if (!kFullTiles<T>) return 2;
    if (kVectorBytes == 64) return vectors == 4 ? 6 : vectors == 3 ? 8 : 12;
    return vectors == 2 ? 6 : 8;
  }

  static int64_t padded(int64_t channels) { return (channels + kLanes - 1) / kLanes * kLanes; }
  static Vector load(const T* at) { return *reinterpret_cast<const Vector*>(at); }
  static void store(T* at, Vector value) { *reinterpret_cast<Vector*>(at) = value; }

  struct Term {
    const T* input;
    const T* weights;  // [tap][depth][pitch]
  };

  // For the first `items` of the plan. depth: channels of a tap. Where mask, laid out as `out`, is not
  // positive, the result is 0 (the gradient of a ReLU); null: everywhere kept.
  template <size_t kTerms>
  static void convolve(const ConvPlan& plan, int64_t items, int64_t depth,
                       const std::array<Term, kTerms>& terms, int64_t pitch, T* out, const T* mask) {
    pieces<kMaxVectors>(pitch / kLanes, [&](auto vectors, int64_t v) {
      constexpr int kColumns = decltype(vectors)::value;
      for (const auto& one : plan.classes) {
        pieces<max_rows(kColumns)>(one.per_item * items, [&](auto rows, int64_t first) {
          convolve_tile<decltype(rows)::value, kColumns>(one, one.positions.data() + first, depth, terms,
                                                         pitch, v * kLanes, out, mask);
        });
      }
    });
  }

  struct GradientTerm {
    const T* input;
    const T* d;
  };

  // For the first `items` of the plan. G [tap][depth][pitch], added to if `add`.
  template <size_t kTerms>
  static void gradient(const ConvPlan& plan, int64_t items, int64_t depth,
                       const std::array<GradientTerm, kTerms>& terms, int64_t pitch, bool add, T* g) {
    pieces<kMaxVectors>(pitch / kLanes, [&](auto vectors, int64_t v) {
      constexpr int kColumns = decltype(vectors)::value;
      for (size_t tap = 0; tap < plan.uses.size(); ++tap) {
        T* const to = g + static_cast<int64_t>(tap) * depth * pitch + v * kLanes;
        pieces<max_rows(kColumns)>(depth, [&](auto rows, int64_t first) {
          gradient_tile<decltype(rows)::value, kColumns>(plan, plan.uses[tap], items, first, terms,
                                                         v * kLanes, pitch, add, to + first * pitch);
        });
      }
    });
  }

  // to [count][pitch] = the transpose of `from` [count][pitch], 0 in the padding as there.
  static void transpose(const T* from, int64_t count, int64_t pitch, T* to) {
    for (int64_t o = 0; o < pitch; o += kLanes) {
      for (int64_t c = 0; c < pitch; c += kLanes) {
        if (std::max(o, c) + kLanes <= count) {
          transpose_square<true>(from + c * pitch + o, count - c, count - o, pitch, to + o * pitch + c);
        } else {
          transpose_square<false>(from + c * pitch + o, count - c, count - o, pitch, to + o * pitch + c);
        }
      }
    }
  }

  // [0, count) in the fewest pieces of at most kMost, of nearly the same size: body(size, begin) with the
  // size as a constant.
  template <int kMost, class Body>
  static void pieces(int64_t count, const Body& body) {
    if (count == 0) return;
    const int64_t number = (count + kMost - 1) / kMost, size = count / number, larger = count % number;
    for (int64_t i = 0, begin = 0; i < number; ++i) {
      const int64_t now = size + (i < larger);
      with_constant<kMost>(now, begin, body);
      begin += now;
    }
  }
  template <int kSize, class Body>
  static void with_constant(int64_t size, int64_t begin, const Body& body) {
    if constexpr (kSize > 0) {
      if (size == kSize) return body(std::integral_constant<int, kSize>(), begin);
      with_constant<kSize - 1>(size, begin, body);
    }
  }

 private:
  // rows, columns: how many of the square there are, if it is not whole.
  template <bool kWhole>
  static void transpose_square(const T* from, int64_t rows, int64_t columns, int64_t pitch, T* to) {
    Vector square[kLanes];
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      square[i] = kWhole || i < rows ? *reinterpret_cast<const Loose*>(from + i * pitch) : Vector{};
    }
    PanelSums<T>::template transpose_square<1>(square);
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      if (kWhole || i < columns) store(to + i * pitch, square[i]);
    }
  }

  template <int kHeight, int kColumns, size_t kTerms>
  [[gnu::noinline]] static void convolve_tile(const ConvClass& of, const ConvPosition* at, int64_t depth,
                                              const std::array<Term, kTerms>& terms, int64_t pitch,
                                              int64_t column, T* out, const T* mask) {
    Vector c[kHeight][kColumns] = {};
    for (const auto& term : terms) {
      for (const auto& tap : of.taps) {
        const T* a[kHeight];
#pragma GCC unroll 16
        for (int m = 0; m < kHeight; ++m) a[m] = term.input + at[m].input + tap.offset;
        const T* w = term.weights + tap.weight * depth * pitch + column;
        for (int64_t k = 0; k < depth; ++k, w += pitch) {
          Vector row[kColumns];
#pragma GCC unroll 4
          for (int v = 0; v < kColumns; ++v) row[v] = reinterpret_cast<const Loose*>(w)[v];
#pragma GCC unroll 16
          for (int m = 0; m < kHeight; ++m) {
            const T value = a[m][k];
#pragma GCC unroll 4
            for (int v = 0; v < kColumns; ++v) c[m][v] += value * row[v];
          }
        }
      }
    }
#pragma GCC unroll 16
    for (int m = 0; m < kHeight; ++m) {
      const int64_t to = at[m].output + column;
#pragma GCC unroll 4
      for (int v = 0; v < kColumns; ++v) {
        Vector value = c[m][v];
        if (mask) value = load(mask + to + v * kLanes) > T(0) ? value : Vector{};
        store(out + to + v * kLanes, value);
      }
    }
  }

  template <int kHeight, int kColumns, size_t kTerms>
  [[gnu::noinline]] static void gradient_tile(const ConvPlan& plan, const std::vector<ConvPlan::Use>& uses,
                                              int64_t items, int64_t first,
                                              const std::array<GradientTerm, kTerms>& terms, int64_t column,
                                              int64_t pitch, bool add, T* g) {
    Vector c[kHeight][kColumns] = {};
    for (const auto& use : uses) {
      const auto& of = plan.classes[static_cast<size_t>(use.of_class)];
      const ConvPosition* const begin = of.positions.data();
      const ConvPosition* const end = begin + of.per_item * items;
      for (const auto& term : terms) {
        const T* const input = term.input + use.offset + first;
        const T* const d = term.d + column;
        for (const ConvPosition* p = begin; p != end; ++p) {
          const auto* from = reinterpret_cast<const Vector*>(d + p->output);
          const T* a = input + p->input;
          Vector row[kColumns];
#pragma GCC unroll 4
          for (int v = 0; v < kColumns; ++v) row[v] = from[v];
#pragma GCC unroll 16
          for (int m = 0; m < kHeight; ++m) {
            const T value = a[m];
#pragma GCC unroll 4
            for (int v = 0; v < kColumns; ++v) c[m][v] += value * row[v];
          }
        }
      }
    }
#pragma GCC unroll 16
    for (int m = 0; m < kHeight; ++m) {
      auto* to = reinterpret_cast<Loose*>(g + m * pitch);
#pragma GCC unroll 4
      for (int v = 0; v < kColumns; ++v) to[v] = add ? to[v] + c[m][v] : c[m][v];
    }
  }
};

}  // namespace innerloop
