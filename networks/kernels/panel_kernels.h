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

// Rows 0..rows in tiles of kMost, what is left in tiles of 4, 2 and 1: few sizes, as each is compiled many
// times over. body(TileRows<k>(), first row) for each.
template <int kRows>
struct TileRows {};
constexpr int64_t smaller_tile(int64_t rows) { return rows > 4 ? 4 : rows / 2; }
template <int kMost, class Body>
[[gnu::always_inline]] inline void for_tiles(int64_t rows, const Body& body, int64_t first = 0) {
  for (; first + kMost <= rows; first += kMost) body(TileRows<kMost>(), first);
  if constexpr (kMost > 1) for_tiles<smaller_tile(kMost)>(rows, body, first);
}

template <class T>
struct PanelKernels {
  using Vector [[gnu::vector_size(kVectorBytes), gnu::may_alias]] = T;
  static constexpr int kRows = kFullTiles<T> ? 6 : 2;  // of a tile
  static constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));
  static constexpr int kWidth = kVectors * kLanes;  // samples of a panel

  // ---- A as `product` reads it: the tiles of for_tiles<kRows>, [tile][depth][row in tile]. A[r][k] =
  // source[r * row_stride + k * depth_stride].
  static void pack(const T* source, int64_t rows, int64_t depth, int64_t row_stride, int64_t depth_stride,
                   T* out) {
    for_tiles<kRows>(rows, [&]<int kTile>(TileRows<kTile>, int64_t r) {
      for (int64_t k = 0; k < depth; ++k) {
        for (int64_t m = 0; m < kTile; ++m) *out++ = source[(r + m) * row_stride + k * depth_stride];
      }
    });
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
    for_tiles<kRows>(
        rows, [&]<int kTile>(TileRows<kTile>, int64_t r) { product_tile<kTile>(r, terms, bias, epilogue); });
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
};

}  // namespace innerloop
