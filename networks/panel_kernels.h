// The matrix products of an MLP over panels of samples, register-blocked, in GCC vector extensions.
//
// A panel holds kWidth samples of one layer's units, [units, kWidth], samples contiguous: a unit's values
// fill whole SIMD registers whatever the layer sizes, so nothing is padded but the last panel's samples.
// Eigen 3.4's product reaches less of the peak at these sizes and cannot fuse what follows it
// (bench/mlp_bench.cpp has the figures).
//
// Two products cover forward, backward and tangent passes:
//   product        C[r][s]  = bias[r] + sum_terms sum_k A[r][k] B[k][s]     then an epilogue in registers
//   outer_product  G[i][j] += sum_terms sum_s L[i][s] R[j][s]               over several panels
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace innerloop {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64, kVectors = 4, kRows = 6, kOuterRows = 4,
                     kOuterColumns = 6;  // 32 registers
#elif defined(__AVX__)
inline constexpr int kVectorBytes = 32, kVectors = 2, kRows = 6, kOuterRows = 3,
                     kOuterColumns = 4;  // 16 registers
#else
inline constexpr int kVectorBytes = 16, kVectors = 2, kRows = 6, kOuterRows = 3, kOuterColumns = 4;
#endif

template <class T>
struct PanelKernels {
  using Vector [[gnu::vector_size(kVectorBytes), gnu::may_alias]] = T;
  static constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));
  static constexpr int kWidth = kVectors * kLanes;  // samples of a panel

  // ---- A as `product` reads it: tiles of kRows rows, [tile][depth][row in tile], the last tile with fewer
  // rows. A[r][k] = source[r * row_stride + k * depth_stride].
  static void pack(const T* source, int64_t rows, int64_t depth, int64_t row_stride, int64_t depth_stride,
                   T* out) {
    for (int64_t r = 0; r < rows; r += kRows) {
      const int64_t tile = std::min<int64_t>(kRows, rows - r);
      for (int64_t k = 0; k < depth; ++k) {
        for (int64_t m = 0; m < tile; ++m) *out++ = source[(r + m) * row_stride + k * depth_stride];
      }
    }
  }

  struct Term {
    const T* packed;  // A
    const T* panel;   // B [depth, kWidth]
    int64_t depth;
  };

  // epilogue(offset, value): what becomes of C at `offset` = r * kWidth + s, s a multiple of kLanes. bias may
  // be null.
  template <size_t kTerms, class Epilogue>
  static void product(int64_t rows, const std::array<Term, kTerms>& terms, const T* bias,
                      const Epilogue& epilogue) {
    int64_t r = 0;
    for (; r + kRows <= rows; r += kRows) product_tile<kRows>(r, terms, bias, epilogue);
    last_tile<kRows - 1>(rows - r, r, terms, bias, epilogue);
  }

  struct OuterTerm {
    const T* left;  // panels [left_rows, kWidth], one after another
    int64_t left_rows;
    const T* right;
    int64_t right_rows;
  };

  // G [left_rows, right_rows] row-major, added to; every term has the same row counts.
  template <size_t kTerms>
  static void outer_product(int64_t panels, const std::array<OuterTerm, kTerms>& terms, T* g) {
    for (int64_t i = 0; i < terms[0].left_rows; i += kOuterRows) {
      for (int64_t j = 0; j < terms[0].right_rows; j += kOuterColumns) {
        outer_tile_for<kOuterRows, kOuterColumns>(i, j, panels, terms, g);
      }
    }
  }

  // sums[i] += sum_s rows[i][s] over panels [count, kWidth], one after another.
  static void add_row_sums(int64_t panels, const T* rows, int64_t count, T* sums) {
    for (int64_t i = 0; i < count; i += kLanes) {
      const auto group = static_cast<int>(std::min<int64_t>(kLanes, count - i));
      Vector partial[kLanes] = {};
      for (int64_t p = 0; p < panels; ++p) {
        const auto* row = reinterpret_cast<const Vector*>(rows + (p * count + i) * kWidth);
        for (int m = 0; m < group; ++m) {
          for (int v = 0; v < kVectors; ++v) partial[m] += row[m * kVectors + v];
        }
      }
      const Vector total = lane_sums(partial);
      for (int m = 0; m < group; ++m) sums[i + m] += total[m];
    }
  }

  static Vector load(const T* at) { return *reinterpret_cast<const Vector*>(at); }
  static void store(T* at, Vector value) { *reinterpret_cast<Vector*>(at) = value; }

 private:
  template <int kTile, size_t kTerms, class Epilogue>
  static void product_tile(int64_t row, const std::array<Term, kTerms>& terms, const T* bias,
                           const Epilogue& epilogue) {
    Vector c[kTile][kVectors];
    for (int m = 0; m < kTile; ++m) {
      for (int v = 0; v < kVectors; ++v) c[m][v] = Vector{} + (bias ? bias[row + m] : T(0));
    }
    for (const auto& term : terms) {
      const T* a = term.packed + row * term.depth;
      const auto* b = reinterpret_cast<const Vector*>(term.panel);
      for (int64_t k = 0; k < term.depth; ++k, a += kTile, b += kVectors) {
        Vector column[kVectors];
        for (int v = 0; v < kVectors; ++v) column[v] = b[v];
        for (int m = 0; m < kTile; ++m) {
          const Vector weight = Vector{} + a[m];
          for (int v = 0; v < kVectors; ++v) c[m][v] += weight * column[v];
        }
      }
    }
    for (int m = 0; m < kTile; ++m) {
      for (int v = 0; v < kVectors; ++v) epilogue((row + m) * kWidth + v * kLanes, c[m][v]);
    }
  }

  template <int kTile, size_t kTerms, class Epilogue>
  static void last_tile(int64_t rows, int64_t row, const std::array<Term, kTerms>& terms, const T* bias,
                        const Epilogue& epilogue) {
    if constexpr (kTile > 0) {
      if (rows == kTile) return product_tile<kTile>(row, terms, bias, epilogue);
      last_tile<kTile - 1>(rows, row, terms, bias, epilogue);
    }
  }

  template <int kM, int kN, size_t kTerms>
  static void outer_tile(int64_t i, int64_t j, int64_t panels, const std::array<OuterTerm, kTerms>& terms,
                         T* g) {
    Vector c[kM][kN] = {};
    for (const auto& term : terms) {
      for (int64_t p = 0; p < panels; ++p) {
        const T* left = term.left + (p * term.left_rows + i) * kWidth;
        const T* right = term.right + (p * term.right_rows + j) * kWidth;
        for (int s = 0; s < kWidth; s += kLanes) {
          Vector l[kM];
          for (int m = 0; m < kM; ++m) l[m] = load(left + m * kWidth + s);
          for (int n = 0; n < kN; ++n) {
            const Vector r = load(right + n * kWidth + s);
            for (int m = 0; m < kM; ++m) c[m][n] += l[m] * r;
          }
        }
      }
    }
    for (int first = 0; first < kM * kN; first += kLanes) {
      Vector group[kLanes] = {};
      for (int q = 0; q < kLanes && first + q < kM * kN; ++q)
        group[q] = c[(first + q) / kN][(first + q) % kN];
      const Vector total = lane_sums(group);
      for (int q = 0; q < kLanes && first + q < kM * kN; ++q) {
        g[(i + (first + q) / kN) * terms[0].right_rows + j + (first + q) % kN] += total[q];
      }
    }
  }

  // The full tile, or at the edges the largest one that fits.
  template <int kM, int kN, size_t kTerms>
  static void outer_tile_for(int64_t i, int64_t j, int64_t panels, const std::array<OuterTerm, kTerms>& terms,
                             T* g) {
    if constexpr (kM > 1) {
      if (terms[0].left_rows - i < kM) return outer_tile_for<kM - 1, kN>(i, j, panels, terms, g);
    }
    if constexpr (kN > 1) {
      if (terms[0].right_rows - j < kN) return outer_tile_for<kM, kN - 1>(i, j, panels, terms, g);
    }
    outer_tile<kM, kN>(i, j, panels, terms, g);
  }

  // Lane q of the result is the sum of the lanes of rows[q]: a tree of pairwise merges, log2(kLanes) deep.
  static Vector lane_sums(Vector (&rows)[kLanes]) {
    merge<1>(rows);
    return rows[0];
  }

  template <int kStep>
  static void merge(Vector (&rows)[kLanes]) {
    if constexpr (kStep < kLanes) {
      for (int q = 0; q < kLanes / kStep / 2; ++q) {
        rows[q] = merge_pair<kStep>(rows[2 * q], rows[2 * q + 1], std::make_integer_sequence<int, kLanes>());
      }
      merge<2 * kStep>(rows);
    }
  }

  // Lanes without the bit kStep take from a, the others from b; each adds the two lanes that differ in that
  // bit.
  template <int kStep, int... kLane>
  static Vector merge_pair(Vector a, Vector b, std::integer_sequence<int, kLane...>) {
    return __builtin_shufflevector(a, b, ((kLane & ~kStep) + (kLane & kStep ? kLanes : 0))...) +
           __builtin_shufflevector(a, b, ((kLane | kStep) + (kLane & kStep ? kLanes : 0))...);
  }
};

}  // namespace innerloop
