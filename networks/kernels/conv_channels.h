// Numbers per channel of one batch normalisation, and their sums over the units (conv4_plan.h) of a batch.
#pragma once

#include <cstdint>
#include <vector>

#include "networks/kernels/aligned_buffer.h"

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
  T* sign() const { return at(4); }  // of gain: -1, 0 or 1
  T* shift() const { return at(5); }
  T* a() const { return at(6); }
  T* b() const { return at(7); }

 private:
  static constexpr int64_t kFields = 8;
  T* at(int64_t field) const { return data_.get() + field * pitch_; }

  AlignedBuffer<T> data_;
  int64_t pitch_;
};

// Sums over units, per channel.
template <class T>
class ChannelSums {
 public:
  explicit ChannelSums(int64_t channels) : values_(static_cast<size_t>(channels), 0.0) {}
  void add(const T* part) {
    for (size_t c = 0; c < values_.size(); ++c) values_[c] += static_cast<double>(part[c]);
  }
  T sum(int64_t c) const { return static_cast<T>(values_[static_cast<size_t>(c)]); }
  T mean(int64_t c, int64_t count) const {
    return static_cast<T>(values_[static_cast<size_t>(c)] / static_cast<double>(count));
  }

 private:
  std::vector<double> values_;
};

// Mean and variance over units (Chan, Golub and LeVeque, "Algorithms for computing the sample variance",
// 1983).
template <class T>
class ChannelMoments {
 public:
  explicit ChannelMoments(int64_t channels)
      : means_(static_cast<size_t>(channels), 0.0), squares_(static_cast<size_t>(channels), 0.0) {}
  void add(int64_t count, const T* mean, const T* squares) {
    const auto before = static_cast<double>(count_), now = static_cast<double>(count);
    count_ += count;
    const double share = now / static_cast<double>(count_);
    for (size_t c = 0; c < means_.size(); ++c) {
      const double step = static_cast<double>(mean[c]) - means_[c];
      means_[c] += step * share;
      squares_[c] += static_cast<double>(squares[c]) + step * step * before * share;
    }
  }
  double mean(int64_t c) const { return means_[static_cast<size_t>(c)]; }
  double variance(int64_t c) const { return squares_[static_cast<size_t>(c)] / static_cast<double>(count_); }

 private:
  int64_t count_ = 0;
  std::vector<double> means_, squares_;
};

}  // namespace innerloop
