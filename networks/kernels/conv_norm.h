// What lies between two convolutions of a stage, by hand: batch normalisation, ReLU and 2 x 2 max-pool, its
// gradient, its tangent and the gradient's tangent. z [pixels][channels] is the convolution's result.
//
//   x^ = r (z - mean),  r = 1 / sqrt(variance + eps),  y = gain x^ + shift,  h = max over the window of
//   relu(y)
//
// With delta the cotangent of y, A = mean(delta), B = mean(delta x^):
//   gradient    dshift = sum delta,  dgain = sum delta x^,  dz = r gain q,  q = delta - A - x^ B
// Along z', gain', shift' with c = mean(x^ z'), r' = -r^2 c:
//   tangent     x^' = r (z' - mean(z') - x^ c),  y' = gain x^' + gain' x^ + shift'
//   gradient's  A' = mean(delta'),  B' = mean(delta' x^ + delta x^')
//   tangent     dz' = (r gain)' q + r gain (delta' - A' - x^' B - x^ B')
//
// A window's maximum is the first of its largest gain z. Its z is kept, [windows][channels] ("top"; without
// pooling it is z itself): ReLU, the sums of the gradient and the tangent's h' need no other, so that most
// passes touch a quarter of the pixels. The cotangent of h counts where h > 0 and comes masked so.
#pragma once

#include <array>

#include "networks/kernels/conv_channels.h"
#include "networks/kernels/conv_kernels.h"

namespace innerloop {

// Sums come back per channel, [pitch]; buffers start at the unit's first pixel.
template <class T>
class ConvNormKernels {
  using K = ConvKernels<T>;
  using Vector = typename K::Vector;
  static constexpr int kLanes = K::kLanes;

 public:
  // The mean of `pixels` pixels of z and the sum of squared distances from it.
  static void moments(int64_t pixels, int64_t pitch, const T* z, T* mean, T* squares) {
    const T share = T(1) / static_cast<T>(pixels);
    for_columns(pitch, [&](auto columns, int64_t column) {
      constexpr int kColumns = decltype(columns)::value;
      const T* const from = z + column;
      Vector first[kColumns], sum[kColumns] = {}, square[kColumns] = {};
      for (int v = 0; v < kColumns; ++v) first[v] = load(from + v * kLanes);
      for (int64_t p = 0; p < pixels * pitch; p += pitch) {
#pragma GCC unroll 4
        for (int v = 0; v < kColumns; ++v) sum[v] += load(from + p + v * kLanes) - first[v];
      }
      for (int v = 0; v < kColumns; ++v) first[v] += share * sum[v];
      for (int64_t p = 0; p < pixels * pitch; p += pitch) {
#pragma GCC unroll 4
        for (int v = 0; v < kColumns; ++v) {
          const Vector away = load(from + p + v * kLanes) - first[v];
          square[v] += away * away;
        }
      }
      put(mean + column, first);
      put(squares + column, square);
    });
  }

  // h from top.
  static void activate(int64_t pixels, int64_t pitch, const ConvNorm<T>& norm, const T* top, T* h) {
    for_columns(pitch, [&](auto columns, int64_t column) {
      constexpr int kColumns = decltype(columns)::value;
      Point at[kColumns];
      Vector shift[kColumns];
      for (int v = 0; v < kColumns; ++v) {
        at[v].load_from(norm, column + v * kLanes);
        shift[v] = load(norm.shift() + column + v * kLanes);
      }
      for (int64_t p = column; p < pixels * pitch; p += pitch) {
#pragma GCC unroll 4
        for (int v = 0; v < kColumns; ++v) {
          const Vector y = at[v].gain * at[v].normalised(load(top + p + v * kLanes)) + shift[v];
          K::store(h + p + v * kLanes, y <= T(0) ? Vector{} : y);
        }
      }
    });
  }

  // sum delta and sum delta x^ from top and the cotangent d of h.
  static void gradient_sums(int64_t pixels, int64_t pitch, const ConvNorm<T>& norm, const T* top, const T* d,
                            T* sums, T* x_sums) {
    for_columns(pitch, [&](auto columns, int64_t column) {
      constexpr int kColumns = decltype(columns)::value;
      Point at[kColumns];
      for (int v = 0; v < kColumns; ++v) at[v].load_from(norm, column + v * kLanes);
      Vector sum[kColumns] = {}, x_sum[kColumns] = {};
      for (int64_t p = column; p < pixels * pitch; p += pitch) {
#pragma GCC unroll 4
        for (int v = 0; v < kColumns; ++v) {
          const Vector delta = load(d + p + v * kLanes);
          sum[v] += delta;
          x_sum[v] += delta * at[v].normalised(load(top + p + v * kLanes));
        }
      }
      put(sums + column, sum);
      put(x_sums + column, x_sum);
    });
  }

  // sum z' and sum x^ z'.
  static void tangent_sums(int64_t pixels, int64_t pitch, const ConvNorm<T>& norm, const T* z, const T* zt,
                           T* sums, T* x_sums) {
    gradient_sums(pixels, pitch, norm, z, zt, sums, x_sums);
  }

  // h' from top and the z' beside it; h tells where the ReLU passes.
  static void tangent(int64_t pixels, int64_t pitch, const ConvNorm<T>& norm, const ConvNorm<T>& along,
                      const T* top, const T* h, const T* top_t, T* ht) {
    for_columns(pitch, [&](auto columns, int64_t column) {
      constexpr int kColumns = decltype(columns)::value;
      Point at[kColumns];
      Moved moved[kColumns];
      Vector gain[kColumns], shift[kColumns];
      for (int v = 0; v < kColumns; ++v) {
        at[v].load_from(norm, column + v * kLanes);
        moved[v].load_from(norm, along, column + v * kLanes);
        gain[v] = load(along.gain() + column + v * kLanes);
        shift[v] = load(along.shift() + column + v * kLanes);
      }
      for (int64_t p = column; p < pixels * pitch; p += pitch) {
#pragma GCC unroll 4
        for (int v = 0; v < kColumns; ++v) {
          const Vector x = at[v].normalised(load(top + p + v * kLanes));
          const Vector xt = moved[v].normalised(load(top_t + p + v * kLanes), x);
          const Vector y = at[v].gain * xt + gain[v] * x + shift[v];
          K::store(ht + p + v * kLanes, load(h + p + v * kLanes) > T(0) ? y : Vector{});
        }
      }
    });
  }

  // sum delta' and sum (delta' x^ + delta x^').
  static void gradient_tangent_sums(int64_t pixels, int64_t pitch, const ConvNorm<T>& norm,
                                    const ConvNorm<T>& along, const T* top, const T* top_t, const T* d,
                                    const T* dt, T* sums, T* x_sums) {
    for_columns(pitch, [&](auto columns, int64_t column) {
      constexpr int kColumns = decltype(columns)::value;
      Point at[kColumns];
      Moved moved[kColumns];
      for (int v = 0; v < kColumns; ++v) {
        at[v].load_from(norm, column + v * kLanes);
        moved[v].load_from(norm, along, column + v * kLanes);
      }
      Vector sum[kColumns] = {}, x_sum[kColumns] = {};
      for (int64_t p = column; p < pixels * pitch; p += pitch) {
#pragma GCC unroll 4
        for (int v = 0; v < kColumns; ++v) {
          const Vector x = at[v].normalised(load(top + p + v * kLanes));
          const Vector xt = moved[v].normalised(load(top_t + p + v * kLanes), x);
          const Vector delta_t = load(dt + p + v * kLanes);
          sum[v] += delta_t;
          x_sum[v] += delta_t * x + load(d + p + v * kLanes) * xt;
        }
      }
      put(sums + column, sum);
      put(x_sums + column, x_sum);
    });
  }

  // ---- Passes over all pixels of z.

  struct Block {  // images of rows x width pixels of z
    int64_t images, rows, width, pitch;
    int64_t pixels() const { return images * rows * width; }
  };

  // top: of every 2 x 2 window the entry of `values` (z or z') where z has its maximum.
  static void choose(const Block& block, const ConvNorm<T>& norm, const T* z, const T* values, T* top) {
    for_columns(block.pitch, [&](auto columns, int64_t column) {
      constexpr int kColumns = decltype(columns)::value;
      Vector sign[kColumns];
      for (int v = 0; v < kColumns; ++v) sign[v] = load(norm.sign() + column + v * kLanes);
      windows<true>(block, [&](int64_t to, const std::array<int64_t, 4>& from) {
#pragma GCC unroll 4
        for (int v = 0; v < kColumns; ++v) {
          const int64_t c = column + v * kLanes;
          Vector best = sign[v] * load(z + c + from[0]), value = load(values + c + from[0]);
#pragma GCC unroll 3
          for (size_t k = 1; k < 4; ++k) {
            const Vector next = sign[v] * load(z + c + from[k]);
            const auto larger = next > best;
            best = larger ? next : best;
            value = larger ? load(values + c + from[k]) : value;
          }
          K::store(top + c + to, value);
        }
      });
    });
  }

  template <bool kPool>
  static void gradient(const Block& block, const ConvNorm<T>& norm, const T* z, const T* d, T* dz) {
    for_columns(block.pitch, [&](auto columns, int64_t column) {
      constexpr int kColumns = decltype(columns)::value;
      Point at[kColumns];
      Vector a[kColumns], b[kColumns];
      for (int v = 0; v < kColumns; ++v) {
        const int64_t c = column + v * kLanes;
        at[v].load_from(norm, c);
        a[v] = load(norm.a() + c);
        b[v] = load(norm.b() + c);
      }
      const auto dz_of = [&](int v, Vector value, Vector delta) {
        return at[v].r * at[v].gain * (delta - a[v] - at[v].normalised(value) * b[v]);
      };
      windows<kPool>(block, [&](int64_t to, const auto& from) {
#pragma GCC unroll 4
        for (int v = 0; v < kColumns; ++v) {
          const int64_t c = column + v * kLanes;
          Window<kPool> window(at[v].sign, z + c, from);
          const Vector delta = load(d + c + to);
#pragma GCC unroll 4
          for (size_t k = 0; k < from.size(); ++k) {
            K::store(dz + c + from[k], dz_of(v, window.z[k], window.placed(k, delta)));
          }
        }
      });
      outside<kPool>(block, [&](int64_t p) {
        for (int v = 0; v < kColumns; ++v) {
          const int64_t c = column + v * kLanes;
          K::store(dz + c + p, dz_of(v, load(z + c + p), Vector{}));
        }
      });
    });
  }

  // dz and dz'. With kStill the input of the convolution does not move, and dz is not needed.
  template <bool kPool, bool kStill>
  static void gradient_tangent(const Block& block, const ConvNorm<T>& norm, const ConvNorm<T>& along,
                               const T* z, const T* zt, const T* d, const T* dt, T* dz, T* dzt) {
    for_columns(block.pitch, [&](auto columns, int64_t column) {
      constexpr int kColumns = decltype(columns)::value;
      Point at[kColumns];
      Moved moved[kColumns];
      Vector a[kColumns], b[kColumns], at_a[kColumns], at_b[kColumns], slope[kColumns], slope_t[kColumns];
      for (int v = 0; v < kColumns; ++v) {
        const int64_t c = column + v * kLanes;
        at[v].load_from(norm, c);
        moved[v].load_from(norm, along, c);
        a[v] = load(norm.a() + c);
        b[v] = load(norm.b() + c);
        at_a[v] = load(along.a() + c);
        at_b[v] = load(along.b() + c);
        slope[v] = at[v].r * at[v].gain;
        slope_t[v] = at[v].r * load(along.gain() + c) - at[v].r * at[v].r * moved[v].c * at[v].gain;
      }
      const auto write = [&](int v, int64_t p, Vector value, Vector delta, Vector delta_t) {
        const Vector x = at[v].normalised(value);
        const Vector xt = moved[v].normalised(load(zt + p), x);
        const Vector q = delta - a[v] - x * b[v];
        if (!kStill) K::store(dz + p, slope[v] * q);
        K::store(dzt + p, slope_t[v] * q + slope[v] * (delta_t - at_a[v] - xt * b[v] - x * at_b[v]));
      };
      windows<kPool>(block, [&](int64_t to, const auto& from) {
#pragma GCC unroll 4
        for (int v = 0; v < kColumns; ++v) {
          const int64_t c = column + v * kLanes;
          Window<kPool> window(at[v].sign, z + c, from);
          const Vector delta = load(d + c + to), delta_t = load(dt + c + to);
#pragma GCC unroll 4
          for (size_t k = 0; k < from.size(); ++k) {
            write(v, c + from[k], window.z[k], window.placed(k, delta), window.placed(k, delta_t));
          }
        }
      });
      outside<kPool>(block, [&](int64_t p) {
        for (int v = 0; v < kColumns; ++v) {
          const int64_t c = column + v * kLanes;
          write(v, c + p, load(z + c + p), Vector{}, Vector{});
        }
      });
    });
  }

 private:
  static Vector load(const T* at) { return K::load(at); }
  template <int kColumns>
  static void put(T* to, const Vector (&values)[kColumns]) {
    for (int v = 0; v < kColumns; ++v) K::store(to + v * kLanes, values[v]);
  }

  struct Point {
    void load_from(const ConvNorm<T>& norm, int64_t c) {
      mean = load(norm.mean() + c);
      r = load(norm.r() + c);
      gain = load(norm.gain() + c);
      sign = load(norm.sign() + c);
    }
    Vector normalised(Vector z) const { return (z - mean) * r; }
    Vector mean, r, gain, sign;
  };

  struct Moved {
    void load_from(const ConvNorm<T>& norm, const ConvNorm<T>& along, int64_t column) {
      r = load(norm.r() + column);
      mean = load(along.mean() + column);
      c = load(along.c() + column);
    }
    Vector normalised(Vector zt, Vector x) const { return r * (zt - mean - x * c); }
    Vector r, mean, c;
  };

  // z of a window, and which of its pixels is the maximum.
  template <bool kPool>
  struct Window {
    static constexpr size_t kSize = kPool ? 4 : 1;
    using Mask = decltype(Vector{} > Vector{});
    Window(Vector sign, const T* from, const std::array<int64_t, kSize>& at) {
      z[0] = load(from + at[0]);
      Vector best = sign * z[0];
#pragma GCC unroll 3
      for (size_t k = 1; k < kSize; ++k) {
        z[k] = load(from + at[k]);
        const Vector next = sign * z[k];
        where = next > best ? Mask{} + static_cast<int>(k) : where;
        best = next > best ? next : best;
      }
    }
    Vector placed(size_t k, Vector value) const {
      return kPool ? (where == static_cast<int>(k) ? value : Vector{}) : value;
    }
    Vector z[kSize];
    Mask where = {};
  };

  // body(number of registers, first channel): so many that sums run side by side and pixels are read in
  // order.
  template <class Body>
  static void for_columns(int64_t pitch, const Body& body) {
    K::template pieces<K::kMaxVectors>(pitch / kLanes,
                                       [&](auto columns, int64_t v) { body(columns, v * kLanes); });
  }

  // body(place of the window in h, places of its pixels in z).
  template <bool kPool, class Body>
  static void windows(const Block& block, const Body& body) {
    const int64_t pitch = block.pitch;
    if constexpr (kPool) {
      const int64_t step = block.width * pitch;
      int64_t to = 0;
      for (int64_t image = 0; image < block.images; ++image) {
        for (int64_t y = 0; y + 1 < block.rows; y += 2) {
          int64_t at = (image * block.rows + y) * step;
          for (int64_t x = 0; x + 1 < block.width; x += 2, at += 2 * pitch, to += pitch) {
            body(to, std::array{at, at + pitch, at + step, at + step + pitch});
          }
        }
      }
    } else {
      for (int64_t at = 0; at < block.pixels() * pitch; at += pitch) body(at, std::array{at});
    }
  }

  // The pixels of z in no window: a last odd column or row.
  template <bool kPool, class Body>
  static void outside(const Block& block, const Body& body) {
    if constexpr (kPool) {
      const int64_t width = block.width, even_rows = block.rows / 2 * 2;
      for (int64_t image = 0; image < block.images; ++image) {
        const int64_t first = image * block.rows * width;
        for (int64_t y = 0; y < block.rows; ++y) {
          const int64_t x = y < even_rows ? width / 2 * 2 : 0;
          for (int64_t p = first + y * width + x; p < first + (y + 1) * width; ++p) body(p * block.pitch);
        }
      }
    }
  }
};

}  // namespace innerloop
