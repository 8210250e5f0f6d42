// Weight gradients of the passes of mlp_small_batch.h, lanes over columns:
//   G[r][j] = sum_terms sum_s left[r][s] columns[s][j], column `in` the bias's.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "networks/kernels/panel_kernels.h"

namespace innerloop {

template <class T, int kRegisters>
class SmallBatchSums {
  using K = PanelKernels<T>;
  using Vector = typename K::Vector;
  using Unaligned [[gnu::vector_size(kVectorBytes), gnu::may_alias, gnu::aligned(sizeof(T))]] = T;
  static constexpr int64_t kLanes = K::kLanes, kWidth = kRegisters * kLanes;
  static constexpr bool kLarge = kFullTiles<T> && kVectorBytes == 64;
  static constexpr int kOuterRows = kLarge ? 4 : 2, kOuterColumns = kLarge ? 5 : kFullTiles<T> ? 3 : 2;

 public:
  struct OuterTerm {
    const T* left;     // [out, kWidth]
    const T* columns;  // [samples, width]
  };
  template <size_t kTerms>
  struct Outer {
    std::array<OuterTerm, kTerms> terms;
    int64_t out, in, width, samples;  // width: columns, whole vectors, `in` + 1 or more
    T *weight, *bias;                 // [out, in], [out]: written
  };

  template <size_t kTerms>
  static void outer(const Outer<kTerms>& job) {
    for (int64_t j = 0; j < job.width; j += kOuterColumns * kLanes) {
      outer_columns<kOuterColumns>(job, j, std::min<int64_t>(kOuterColumns, (job.width - j) / kLanes));
    }
  }

 private:
  template <int kN, size_t kTerms>
  static void outer_columns(const Outer<kTerms>& job, int64_t j, int64_t registers) {
    if constexpr (kN > 1) {
      if (registers < kN) return outer_columns<kN - 1>(job, j, registers);
    }
    for_tiles<kOuterRows>(job.out, [&]<int kM>(TileRows<kM>, int64_t r) { outer_tile<kM, kN>(job, r, j); });
  }
  template <int kM, int kN, size_t kTerms>
  static void outer_tile(const Outer<kTerms>& job, int64_t r, int64_t j) {
    Vector c[kM][kN] = {};
    for (const auto& term : job.terms) {
      const T *left = term.left + r * kWidth, *columns = term.columns + j;
      for (int64_t s = 0; s < job.samples; ++s, columns += job.width) {
        Vector column[kN];
        for (int n = 0; n < kN; ++n) column[n] = K::load(columns + n * kLanes);
        for (int m = 0; m < kM; ++m) {
          for (int n = 0; n < kN; ++n) c[m][n] += left[m * kWidth + s] * column[n];
        }
      }
    }
    const bool last = j + kN * kLanes == job.width;  // of the blocks: holds the bias's column
    for (int m = 0; m < kM; ++m) {
      T* to = job.weight + (r + m) * job.in + j;
      const T* end = job.weight + job.out * job.in;
      for (int n = 0; n < kN; ++n, to += kLanes) {
        const int64_t valid = job.in - j - n * kLanes;
        // Rows follow in order: what is written beyond a row's end is written over by the next.
        if (valid >= kLanes || (valid > 0 && job.width == kN * kLanes && end - to >= kLanes)) {
          *reinterpret_cast<Unaligned*>(to) = c[m][n];
        } else if (valid > 0) {
          std::memcpy(to, &c[m][n], static_cast<size_t>(valid) * sizeof(T));
        }
      }
      if (last) {
        const auto lanes = std::bit_cast<std::array<T, kLanes>>(c[m][kN - 1]);
        job.bias[r + m] = lanes[static_cast<size_t>(job.in - j - (kN - 1) * kLanes)];
      }
    }
  }
};

}  // namespace innerloop
