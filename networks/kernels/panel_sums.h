// Sums over the samples of panels (panel_kernels.h), for gradients:
//   outer_product  G[i][j] += sum_terms sum_s L[i][s] R[j][s]
//   add_row_sums   sums[i] += sum_s rows[i][s]
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "networks/kernels/panel_kernels.h"

namespace innerloop {

template <class T>
class PanelSums {
  using K = PanelKernels<T>;
  using Vector = typename K::Vector;
  static constexpr int kLanes = K::kLanes, kWidth = K::kWidth;
  static constexpr int kRows = K::kRows;
  static constexpr int kThinRows = !kFullTiles<T> ? 2 : kVectorBytes == 64 ? 4 : 3;
  static constexpr int kThinColumns = !kFullTiles<T> ? 2 : kVectorBytes == 64 ? 6 : 4;

 public:
  struct OuterTerm {
    const T* left;  // panels [left_rows, kWidth], one after another
    int64_t left_rows;
    const T* right;
    int64_t right_rows;
  };

  // G [left_rows, right_rows] row-major, added to; every term has the same row counts; panels * kTerms <=
  // kMaxOuterPanels.
  template <size_t kTerms>
  static void outer_product(int64_t panels, const std::array<OuterTerm, kTerms>& terms, T* g) {
    const bool wide = std::min(terms[0].left_rows, terms[0].right_rows) >= kLanes;
    if (wide && kVectorBytes == 64) return wide_outer(panels, terms, g);
    thin_outer(panels, terms, g);
  }
  static constexpr int64_t kMaxOuterPanels = 512 / kWidth;

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
      const Vector total = lane_sums<kLanes>(partial);
      for (int m = 0; m < group; ++m) sums[i + m] += total[m];
    }
  }

  // Rows and lanes change places, one bit of their numbers at a time.
  template <int kStep>
  static void transpose_square(Vector* rows) {
    if constexpr (kStep < kLanes) {
      constexpr auto kEach = std::make_integer_sequence<int, kLanes>();
      for (int q = 0; q < kLanes; ++q) {
        if (!(q & kStep)) exchange<kStep>(rows[q], rows[q + kStep], kEach);
      }
      transpose_square<2 * kStep>(rows);
    }
  }

  // Lanes of a with the bit kStep and lanes of b without it change places.
  template <int kStep, int... kLane>
  static void exchange(Vector& a, Vector& b, std::integer_sequence<int, kLane...>) {
    const Vector low = __builtin_shufflevector(a, b, (kLane & kStep ? kLanes + kLane - kStep : kLane)...);
    b = __builtin_shufflevector(a, b, (kLane & kStep ? kLanes + kLane : kLane + kStep)...);
    a = low;
  }

 private:
  // ---- Outer products of two wide layers. R is transposed to [sample][column], so that a register holds
  // kLanes neighbouring columns of G: the same arithmetic as `product`, with nothing to add up across lanes.
  // Measured in a 64 x 64 layer: a pullback at 98 instead of 78 Gflop/s with 16 lanes, 76 instead of 82
  // with 8.
  template <size_t kTerms>
  static void wide_outer(int64_t panels, const std::array<OuterTerm, kTerms>& terms, T* g) {
    Vector columns[kMaxOuterPanels * kWidth * kVectors];  // 128 KiB in either precision with AVX-512
    const int64_t count = terms[0].right_rows;
    for (int64_t j = 0; j < count; j += kWidth) {
      wide_columns<kVectors>(panels, terms, j, (std::min<int64_t>(kWidth, count - j) + kLanes - 1) / kLanes,
                             columns, g);
    }
  }

  template <int kN, size_t kTerms>  // columns j .. j + kN kLanes
  static void wide_columns(int64_t panels, const std::array<OuterTerm, kTerms>& terms, int64_t j,
                           int64_t vectors, Vector* columns, T* g) {
    if constexpr (kN > 1) {
      if (vectors < kN) return wide_columns<kN - 1>(panels, terms, j, vectors, columns, g);
    }
    Vector* to = columns;
    for (const auto& term : terms) {
      for (int64_t p = 0; p < panels; ++p, to += kWidth * kN) {
        for (int n = 0; n < kN; ++n) {
          const int64_t row = j + n * kLanes;
          transpose<kN>(term.right + (p * term.right_rows + row) * kWidth, term.right_rows - row, to + n);
        }
      }
    }
    const int64_t rows = terms[0].left_rows;
    for_tiles<kRows>(
        rows, [&]<int kM>(TileRows<kM>, int64_t i) { wide_tile<kM, kN>(panels, terms, i, j, columns, g); });
  }

  template <int kM, int kN, size_t kTerms>
  static void wide_tile(int64_t panels, const std::array<OuterTerm, kTerms>& terms, int64_t i, int64_t j,
                        const Vector* columns, T* g) {
    Vector c[kM][kN] = {};
    for (const auto& term : terms) {
      const T* left = term.left + i * kWidth;
      for (int64_t p = 0; p < panels; ++p, left += term.left_rows * kWidth) {
        for (int s = 0; s < kWidth; ++s, columns += kN) {
          Vector column[kN];
          for (int n = 0; n < kN; ++n) column[n] = columns[n];
          for (int m = 0; m < kM; ++m) {
            const Vector value = Vector{} + left[m * kWidth + s];
            for (int n = 0; n < kN; ++n) c[m][n] += value * column[n];
          }
        }
      }
    }
    const int64_t count = terms[0].right_rows;
    for (int m = 0; m < kM; ++m) {
      T* row = g + (i + m) * count + j;
      for (int n = 0; n < kN; ++n, row += kLanes) {
        const auto valid = static_cast<int>(std::min<int64_t>(kLanes, count - j - n * kLanes));
        for (int q = 0; q < valid; ++q) row[q] += c[m][n][q];
      }
    }
  }

  // to[s * kStride] = the values of sample s in rows [kLanes, kWidth], 0 from row `valid` on.
  template <int kStride>
  static void transpose(const T* rows, int64_t valid, Vector* to) {
    for (int s = 0; s < kWidth; s += kLanes, to += kLanes * kStride) {
      Vector square[kLanes];
      for (int q = 0; q < kLanes; ++q) square[q] = q < valid ? K::load(rows + q * kWidth + s) : Vector{};
      transpose_square<1>(square);
      for (int q = 0; q < kLanes; ++q) to[q * kStride] = square[q];
    }
  }

  // ---- Outer products with a narrow layer or in narrow registers. Samples stay in the lanes, whose sums are
  // added up per tile. A tile's columns (rows of R) are brought together first: they stay in the L1 cache
  // while the rows of L stream past. The smaller factor gives the columns, so that they are brought together
  // for many rows.
  template <size_t kTerms>
  static void thin_outer(int64_t panels, std::array<OuterTerm, kTerms> terms, T* g) {
    Vector columns[kMaxOuterPanels * kVectors * kThinColumns];
    Thin<kTerms> job{panels, terms, columns, g, terms[0].right_rows, 1};
    if (terms[0].left_rows < terms[0].right_rows) {
      for (auto& term : job.terms) term = {term.right, term.right_rows, term.left, term.left_rows};
      std::swap(job.row_stride, job.column_stride);
    }
    const int64_t count = job.terms[0].right_rows;
    for (int64_t j = 0; j < count; j += kThinColumns) {
      thin_columns<kThinColumns>(job, j, std::min<int64_t>(kThinColumns, count - j));
    }
  }

  template <size_t kTerms>
  struct Thin {  // thin_outer's arguments; G[i][j] = g[i * row_stride + j * column_stride]
    int64_t panels;
    std::array<OuterTerm, kTerms> terms;
    Vector* columns;
    T* g;
    int64_t row_stride, column_stride;
  };

  template <int kN, size_t kTerms>
  static void thin_columns(const Thin<kTerms>& job, int64_t j, int64_t count) {
    if constexpr (kN > 1) {
      if (count < kN) return thin_columns<kN - 1>(job, j, count);
    }
    Vector* to = job.columns;
    for (const auto& term : job.terms) {
      for (int64_t p = 0; p < job.panels; ++p) {
        const T* rows = term.right + (p * term.right_rows + j) * kWidth;
        for (int s = 0; s < kWidth; s += kLanes) {
          for (int n = 0; n < kN; ++n) *to++ = K::load(rows + n * kWidth + s);
        }
      }
    }
    const int64_t rows = job.terms[0].left_rows;
    int64_t i = 0;
    for (; i + kThinRows <= rows; i += kThinRows) thin_tile<kThinRows, kN>(job, i, j);
    last_thin_tile<kThinRows - 1, kN>(job, i, j, rows - i);
  }

  template <int kM, int kN, size_t kTerms>
  static void last_thin_tile(const Thin<kTerms>& job, int64_t i, int64_t j, int64_t rows) {
    if constexpr (kM > 0) {
      if (rows == kM) return thin_tile<kM, kN>(job, i, j);
      last_thin_tile<kM - 1, kN>(job, i, j, rows);
    }
  }

  // Not inlined: g++ would hold the shuffle patterns of the lane sums in registers across tiles, and then too
  // few are left for the accumulators; likewise if the loop over s were unrolled.
  template <int kM, int kN, size_t kTerms>
  [[gnu::noinline]] static void thin_tile(const Thin<kTerms>& job, int64_t i, int64_t j) {
    Vector c[kM * kN] = {};
    const Vector* columns = job.columns;
    for (const auto& term : job.terms) {
      const T* left = term.left + i * kWidth;
      for (int64_t p = 0; p < job.panels; ++p, left += term.left_rows * kWidth) {
#pragma GCC unroll 1
        for (int s = 0; s < kWidth; s += kLanes, columns += kN) {
          Vector row[kM];
          for (int m = 0; m < kM; ++m) row[m] = K::load(left + m * kWidth + s);
          for (int n = 0; n < kN; ++n) {
            const Vector column = columns[n];
            for (int m = 0; m < kM; ++m) c[m * kN + n] += row[m] * column;
          }
        }
      }
    }
    add_tile<kN, 0, kM * kN>(c, job.g + i * job.row_stride + j * job.column_stride, job.row_stride,
                             job.column_stride);
  }

  // Adds the lane sums of c[kFirst..kCount), element q to row q / kN, column q % kN.
  template <int kN, int kFirst, int kCount>
  static void add_tile(Vector* c, T* g, int64_t row_stride, int64_t column_stride) {
    constexpr int kGroup = std::min(kLanes, kCount - kFirst);
    const Vector total = lane_sums<kGroup>(c + kFirst);
    for (int q = 0; q < kGroup; ++q) {
      g[(kFirst + q) / kN * row_stride + (kFirst + q) % kN * column_stride] += total[q];
    }
    if constexpr (kFirst + kGroup < kCount)
      add_tile<kN, kFirst + kGroup, kCount>(c, g, row_stride, column_stride);
  }

  // Lane q of the result is the sum of the lanes of rows[q], q < kCount: a tree of pairwise merges.
  // Overwrites rows.
  template <int kCount, int kStep = 1>
  static Vector lane_sums(Vector* rows) {
    if constexpr (kStep == kLanes) {
      return rows[0];
    } else {
      constexpr auto kEach = std::make_integer_sequence<int, kLanes>();
      for (int q = 0; q < kCount / 2; ++q) rows[q] = merge<kStep>(rows[2 * q], rows[2 * q + 1], kEach);
      if constexpr (kCount % 2 == 1) rows[kCount / 2] = merge<kStep>(rows[kCount - 1], Vector{}, kEach);
      return lane_sums<(kCount + 1) / 2, 2 * kStep>(rows);
    }
  }

  // Lanes without the bit kStep take from a, the others from b; each adds the two lanes that differ in that
  // bit.
  template <int kStep, int... kLane>
  static Vector merge(Vector a, Vector b, std::integer_sequence<int, kLane...>) {
    return __builtin_shufflevector(a, b, ((kLane & ~kStep) + (kLane & kStep ? kLanes : 0))...) +
           __builtin_shufflevector(a, b, ((kLane | kStep) + (kLane & kStep ? kLanes : 0))...);
  }
};

}  // namespace innerloop
