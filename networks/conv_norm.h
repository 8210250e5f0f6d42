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
// x^ and the window's maximum are computed anew from z where they are needed: that costs less than keeping
// them. The maximum is the first of the largest gain x^; its cotangent is that of h where h > 0.
#pragma once

#include <array>

#include "networks/conv_kernels.h"

namespace innerloop {

// Per-channel numbers of one stage at a point, or of its tangent, [pitch] each, 0 at first.
template <class T>
class ConvNorm {
 public:
  explicit ConvNorm(int64_t pitch) : data_(kFields * pitch), pitch_(pitch) {
    for (int64_t i = 0; i < kFields * pitch; ++i) data_.get()[i] = T(0);
  }
  T* mean() const { return at(0); }  // of z, or of z'
  T* r() const { return at(1); }     // of a point
  T* c() const { return at(2); }     // of a tangent
  T* gain() const { return at(3); }
  T* shift() const { return at(4); }
  T* a() const { return at(5); }
  T* b() const { return at(6); }

 private:
  static constexpr int64_t kFields = 7;
  T* at(int64_t field) const { return data_.get() + field * pitch_; }

  AlignedBuffer<T> data_;
  int64_t pitch_;
};

template <class T, bool kPool>
class ConvNormKernels {
  using K = ConvKernels<T>;
  using Vector = typename K::Vector;
  static constexpr int kSize = kPool ? 4 : 1;

 public:
  struct Block {  // images of rows x width pixels of z
    int64_t images, rows, width, pitch;
    int64_t pixels() const { return images * rows * width; }
  };

  // The mean and the sum of squared distances from it, per channel.
  static void moments(const Block& block, const T* z, T* mean, T* squares) {
    const int64_t pixels = block.pixels();
    const T share = T(1) / static_cast<T>(pixels);
    for_channels(block, [&](int64_t v) {
      const Vector first = load(z + v);
      Vector sum = {};
      for (int64_t p = 0; p < pixels; ++p) sum += load(z + v + p * block.pitch) - first;
      const Vector centre = first + share * sum;
      Vector square = {};
      for (int64_t p = 0; p < pixels; ++p) {
        const Vector from = load(z + v + p * block.pitch) - centre;
        square += from * from;
      }
      K::store(mean + v, centre);
      K::store(squares + v, square);
    });
  }

  static void activate(const Block& block, const ConvNorm<T>& norm, const T* z, T* h) {
    for_channels(block, [&](int64_t v) {
      const Point at(norm, v);
      const Vector shift = load(norm.shift() + v);
      windows(block, [&](int64_t to, const std::array<int64_t, kSize>& from) {
        Vector best = at.gain * at.normalised(z + v + from[0]);
        for (int k = 1; k < kSize; ++k) {
          const Vector next = at.gain * at.normalised(z + v + from[k]);
          best = next > best ? next : best;
        }
        const Vector y = best + shift;
        K::store(h + v + to, y <= T(0) ? Vector{} : y);
      });
    });
  }

  // sum delta and sum delta x^; d: the cotangent of h, already 0 where h is.
  static void gradient_sums(const Block& block, const ConvNorm<T>& norm, const T* z, const T* d, T* sums,
                            T* x_sums) {
    for_channels(block, [&](int64_t v) {
      const Point at(norm, v);
      Vector sum = {}, x_sum = {};
      windows(block, [&](int64_t to, const std::array<int64_t, kSize>& from) {
        Vector x[kSize];
        const auto where = at.largest(z + v, from, x);
        const Vector delta = load(d + v + to);
        sum += delta;
        x_sum += delta * pick(where, x);
      });
      K::store(sums + v, sum);
      K::store(x_sums + v, x_sum);
    });
  }

  static void gradient(const Block& block, const ConvNorm<T>& norm, const T* z, const T* d, T* dz) {
    for_channels(block, [&](int64_t v) {
      const Point at(norm, v);
      const Vector a = load(norm.a() + v), b = load(norm.b() + v), slope = at.r * at.gain;
      windows(block, [&](int64_t to, const std::array<int64_t, kSize>& from) {
        Vector x[kSize];
        const auto where = at.largest(z + v, from, x);
        const Vector delta = load(d + v + to);
        for (int k = 0; k < kSize; ++k) {
          K::store(dz + v + from[k], slope * (placed(where, k, delta) - a - x[k] * b));
        }
      });
      outside(block, [&](int64_t p) { K::store(dz + v + p, slope * (-a - at.normalised(z + v + p) * b)); });
    });
  }

  // sum z' and sum x^ z'.
  static void tangent_sums(const Block& block, const ConvNorm<T>& norm, const T* z, const T* zt, T* sums,
                           T* x_sums) {
    const int64_t pixels = block.pixels();
    for_channels(block, [&](int64_t v) {
      const Point at(norm, v);
      Vector sum = {}, x_sum = {};
      for (int64_t p = v; p < pixels * block.pitch; p += block.pitch) {
        const Vector value = load(zt + p);
        sum += value;
        x_sum += at.normalised(z + p) * value;
      }
      K::store(sums + v, sum);
      K::store(x_sums + v, x_sum);
    });
  }

  static void tangent(const Block& block, const ConvNorm<T>& norm, const ConvNorm<T>& along, const T* z,
                      const T* h, const T* zt, T* ht) {
    for_channels(block, [&](int64_t v) {
      const Point at(norm, v);
      const Moved moved(at, along, v);
      const Vector gain = load(along.gain() + v), shift = load(along.shift() + v);
      windows(block, [&](int64_t to, const std::array<int64_t, kSize>& from) {
        Vector x[kSize], xt[kSize];
        const auto where = at.largest(z + v, from, x);
        for (int k = 0; k < kSize; ++k) xt[k] = moved.normalised(zt + v + from[k], x[k]);
        const Vector y = at.gain * pick(where, xt) + gain * pick(where, x) + shift;
        K::store(ht + v + to, load(h + v + to) > T(0) ? y : Vector{});
      });
    });
  }

  // sum delta' and sum (delta' x^ + delta x^').
  static void gradient_tangent_sums(const Block& block, const ConvNorm<T>& norm, const ConvNorm<T>& along,
                                    const T* z, const T* zt, const T* d, const T* dt, T* sums, T* x_sums) {
    for_channels(block, [&](int64_t v) {
      const Point at(norm, v);
      const Moved moved(at, along, v);
      Vector sum = {}, x_sum = {};
      windows(block, [&](int64_t to, const std::array<int64_t, kSize>& from) {
        Vector x[kSize], xt[kSize];
        const auto where = at.largest(z + v, from, x);
        for (int k = 0; k < kSize; ++k) xt[k] = moved.normalised(zt + v + from[k], x[k]);
        const Vector delta_t = load(dt + v + to);
        sum += delta_t;
        x_sum += delta_t * pick(where, x) + load(d + v + to) * pick(where, xt);
      });
      K::store(sums + v, sum);
      K::store(x_sums + v, x_sum);
    });
  }

  // dz and dz'. With kStill the input of the convolution does not move, and dz is not needed.
  template <bool kStill>
  static void gradient_tangent(const Block& block, const ConvNorm<T>& norm, const ConvNorm<T>& along,
                               const T* z, const T* zt, const T* d, const T* dt, T* dz, T* dzt) {
    for_channels(block, [&](int64_t v) {
      const Point at(norm, v);
      const Moved moved(at, along, v);
      const Vector a = load(norm.a() + v), b = load(norm.b() + v);
      const Vector at_a = load(along.a() + v), at_b = load(along.b() + v);
      const Vector slope = at.r * at.gain;
      const Vector slope_t = at.r * load(along.gain() + v) - at.r * at.r * moved.c * at.gain;
      const auto put = [&](int64_t p, Vector x, Vector delta, Vector delta_t) {
        const Vector xt = moved.normalised(zt + v + p, x);
        const Vector q = delta - a - x * b;
        if (!kStill) K::store(dz + v + p, slope * q);
        K::store(dzt + v + p, slope_t * q + slope * (delta_t - at_a - xt * b - x * at_b));
      };
      windows(block, [&](int64_t to, const std::array<int64_t, kSize>& from) {
        Vector x[kSize];
        const auto where = at.largest(z + v, from, x);
        const Vector delta = load(d + v + to), delta_t = load(dt + v + to);
        for (int k = 0; k < kSize; ++k) {
          put(from[k], x[k], placed(where, k, delta), placed(where, k, delta_t));
        }
      });
      outside(block, [&](int64_t p) { put(p, at.normalised(z + v + p), Vector{}, Vector{}); });
    });
  }

 private:
  using Mask = decltype(Vector{} > Vector{});

  static Vector load(const T* at) { return K::load(at); }

  struct Point {
    Point(const ConvNorm<T>& norm, int64_t v)
        : mean(load(norm.mean() + v)), r(load(norm.r() + v)), gain(load(norm.gain() + v)) {}
    Vector normalised(const T* z) const { return (load(z) - mean) * r; }
    // x^ of a window, and which is the largest.
    Mask largest(const T* z, const std::array<int64_t, kSize>& from, Vector* x) const {
      Mask where = {};
      x[0] = normalised(z + from[0]);
      Vector best = gain * x[0];
      for (int k = 1; k < kSize; ++k) {
        x[k] = normalised(z + from[k]);
        const Vector next = gain * x[k];
        where = next > best ? Mask{} + k : where;
        best = next > best ? next : best;
      }
      return where;
    }
    Vector mean, r, gain;
  };

  struct Moved {
    Moved(const Point& at, const ConvNorm<T>& along, int64_t v)
        : r(at.r), mean(load(along.mean() + v)), c(load(along.c() + v)) {}
    Vector normalised(const T* zt, Vector x) const { return r * (load(zt) - mean - x * c); }
    Vector r, mean, c;
  };

  static Vector pick(const Mask& where, const Vector* values) {
    Vector value = values[0];
    for (int k = 1; k < kSize; ++k) value = where == k ? values[k] : value;
    return value;
  }
  static Vector placed(const Mask& where, int k, Vector value) {
    return kPool ? (where == k ? value : Vector{}) : value;
  }

  template <class Body>
  static void for_channels(const Block& block, const Body& body) {
    for (int64_t v = 0; v < block.pitch; v += K::kLanes) body(v);
  }

  // body(place of the window in h, places of its pixels in z), from the block's first pixels.
  template <class Body>
  static void windows(const Block& block, const Body& body) {
    const int64_t pitch = block.pitch;
    if constexpr (kPool) {
      const int64_t step = block.width * pitch;
      int64_t to = 0;
      for (int64_t image = 0; image < block.images; ++image) {
        for (int64_t y = 0; y + 1 < block.rows; y += 2) {
          int64_t at = (image * block.rows + y) * step;
          for (int64_t x = 0; x + 1 < block.width; x += 2, at += 2 * pitch, to += pitch) {
            body(to, {at, at + pitch, at + step, at + step + pitch});
          }
        }
      }
    } else {
      for (int64_t at = 0; at < block.pixels() * pitch; at += pitch) body(at, {at});
    }
  }

  // The pixels of z in no window: a last odd column or row.
  template <class Body>
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
