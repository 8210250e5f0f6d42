// The matrix products of an MLP over panels of samples, register-blocked, in GCC vector extensions.
//
// A panel holds kWidth samples of one layer's units, [units, kWidth], samples contiguous: a unit's values
// fill whole SIMD registers whatever the layer sizes, so nothing is padded but the last panel's samples.
// Eigen 3.4 reaches 80 to 87 Gflop/s in a 64 x 64 or 100 x 100 layer where `product` reaches 100 to 120 (one
// Zen 4 core), and cannot fuse what follows.
//
//   product        C[r][s]  = bias[r] + sum_terms sum_k A[r][k] B[k][s]     then an epilogue in registers
// Sums over the samples are in panel_sums.h.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace innerloop {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64, kVectors = 4;  // 32 registers
#elif defined(__AVX__)
inline constexpr int kVectorBytes = 32, kVectors = 2;  // 16 registers
#else
inline constexpr int kVectorBytes = 16, kVectors = 2;
#endif

// float32 trains and has tiles that fill the registers. float64 checks gradients: with tiles of two by two
// its kernels, all sizes of whose tiles are compiled, take a quarter of the compiler's time; no sum changes
// order.
template <class T>
inline constexpr bool kFullTiles = sizeof(T) == 4;

template <class T>
struct PanelKernels {
  using Vector [[gnu::vector_size(kVectorBytes), gnu::may_alias]] = T;
  static constexpr int kRows = kFullTiles<T> ? 6 : 2;  // of a tile
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
};

}  // namespace innerloop
