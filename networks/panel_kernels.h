// The matrix products of an MLP over panels of samples, register-blocked, in GCC vector extensions.
//
// A panel holds kWidth samples of one layer's units, [units, kWidth], samples contiguous: a unit's values
// fill whole SIMD registers whatever the layer sizes, so nothing is padded but the last panel's samples.
// Eigen 3.4 reaches 80 to 87 Gflop/s in a 64 x 64 or 100 x 100 layer where `product` reaches 100 to 120 (one
// Zen 4 core), and cannot fuse what follows.
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

  // G [left_rows, right_rows] row-major, added to; every term has the same row counts, panels <=
  // kMaxOuterPanels. A tile's columns (rows of R) are brought together first: they stay in the L1 cache while
  // the rows of L stream past. The smaller factor gives the columns, so that they are brought together for
  // many rows.
  template <size_t kTerms>
  static void outer_product(int64_t panels, std::array<OuterTerm, kTerms> terms, T* g) {
    Vector columns[kTerms * kMaxOuterPanels * kVectors * kOuterColumns];
    Outer<kTerms> job{panels, terms, columns, g, terms[0].right_rows, 1};
    if (terms[0].left_rows < terms[0].right_rows) {
      for (auto& term : job.terms) term = {term.right, term.right_rows, term.left, term.left_rows};
      std::swap(job.row_stride, job.column_stride);
    }
    const int64_t count = job.terms[0].right_rows;
    for (int64_t j = 0; j < count; j += kOuterColumns) {
      outer_columns<kOuterColumns>(job, j, std::min<int64_t>(kOuterColumns, count - j));
    }
  }
  static constexpr int64_t kMaxOuterPanels = std::max(1, 512 / kWidth);

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

  template <size_t kTerms>
  struct Outer {  // one outer_product's arguments; G[i][j] = g[i * row_stride + j * column_stride]
    int64_t panels;
    std::array<OuterTerm, kTerms> terms;
    Vector* columns;
    T* g;
    int64_t row_stride, column_stride;
  };

  template <int kN, size_t kTerms>
  static void outer_columns(const Outer<kTerms>& job, int64_t j, int64_t count) {
    if constexpr (kN > 1) {
      if (count < kN) return outer_columns<kN - 1>(job, j, count);
    }
    Vector* to = job.columns;
    for (const auto& term : job.terms) {
      for (int64_t p = 0; p < job.panels; ++p) {
        const T* rows = term.right + (p * term.right_rows + j) * kWidth;
        for (int s = 0; s < kWidth; s += kLanes) {
          for (int n = 0; n < kN; ++n) *to++ = load(rows + n * kWidth + s);
        }
      }
    }
    const int64_t rows = job.terms[0].left_rows;
    int64_t i = 0;
    for (; i + kOuterRows <= rows; i += kOuterRows) outer_tile<kOuterRows, kN>(job, i, j);
    last_outer_tile<kOuterRows - 1, kN>(job, i, j, rows - i);
  }

  template <int kM, int kN, size_t kTerms>
  static void last_outer_tile(const Outer<kTerms>& job, int64_t i, int64_t j, int64_t rows) {
    if constexpr (kM > 0) {
      if (rows == kM) return outer_tile<kM, kN>(job, i, j);
      last_outer_tile<kM - 1, kN>(job, i, j, rows);
    }
  }

  // Not inlined: g++ would hold the shuffle patterns of the lane sums in registers across tiles, and then too
  // few are left for the accumulators; likewise if the loop over s were unrolled.
  template <int kM, int kN, size_t kTerms>
  [[gnu::noinline]] static void outer_tile(const Outer<kTerms>& job, int64_t i, int64_t j) {
    Vector c[kM * kN] = {};
    const Vector* columns = job.columns;
    for (const auto& term : job.terms) {
      const T* left = term.left + i * kWidth;
      for (int64_t p = 0; p < job.panels; ++p, left += term.left_rows * kWidth) {
#pragma GCC unroll 1
        for (int s = 0; s < kWidth; s += kLanes, columns += kN) {
          Vector row[kM];
          for (int m = 0; m < kM; ++m) row[m] = load(left + m * kWidth + s);
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
