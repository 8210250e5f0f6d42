#include "base/random.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/sine_cosine.h"

namespace innerloop {
namespace {

// Natural logarithms of normal numbers above 0, to an ulp: FreeBSD's e_log.c without its branches.
template <size_t count>
std::array<double, count> logarithms(const std::array<double, count>& numbers) {
  constexpr uint64_t kRootHalf = 0x3fe6a09e667f3bcd, kOne = 0x3ff0000000000000,
                     kFraction = (uint64_t{1} << 52) - 1;
  constexpr uint64_t kWhole = 0x4330000000000000;  // 2^52, whose last bit is 1
  std::array<double, count> out;
  for (size_t k = 0; k < count; ++k) {
    // number = 2^exponent (1 + f), 1 + f between the roots of 1/2 and 2.
    const uint64_t shifted = std::bit_cast<uint64_t>(numbers[k]) + (kOne - kRootHalf);
    const double exponent = std::bit_cast<double>(kWhole | shifted >> 52) - (0x1p52 + 1023);
    const double f = std::bit_cast<double>((shifted & kFraction) + kRootHalf) - 1;
    const double s = f / (2 + f), z = s * s, half = 0.5 * f * f;
    const double rest =
        z * (6.666666666666735130e-01 +
             z * (3.999999999940941908e-01 +
                  z * (2.857142874366239149e-01 +
                       z * (2.222219843214978396e-01 +
                            z * (1.818357216161805012e-01 +
                                 z * (1.531383769920937332e-01 + z * 1.479819860511658591e-01))))));
    out[k] = exponent * 6.93147180369123816490e-01 -
             ((half - (s * (half + rest) + exponent * 1.90821492927058770002e-10)) - f);
  }
  return out;
}

// Box-Muller pairs, several at once.
class Pairs {
 public:
  ~Pairs() { finish(); }
  // The pair of two uniform numbers: `first` now or later, its other number to `second` or, if that is null,
  // to `spare`.
  void add(double u, double v, float* first, float* second, double* spare) {
    numbers_[size_] = 1 - u;  // exact
    angles_[size_] = 2.0 * std::numbers::pi * v;
    to_[size_++] = {first, second, spare};
    if (size_ == kSize) finish();
  }

 private:
  struct To {
    float *first, *second;
    double* spare;
  };

  void finish() {
    const auto logs = logarithms(numbers_);
    std::array<double, kSize> sines, cosines;
    sine_cosine(angles_, sines, cosines);
    for (size_t k = 0; k < size_; ++k) {
      const double radius = std::sqrt(-2.0 * logs[k]);
      *to_[k].first = static_cast<float>(radius * cosines[k]);
      const double other = radius * sines[k];
      if (to_[k].second != nullptr) {
        *to_[k].second = static_cast<float>(other);
      } else {
        *to_[k].spare = other;
      }
    }
    size_ = 0;
  }

  static constexpr size_t kSize = 16;
  std::array<double, kSize> numbers_{}, angles_{};  // all are computed, also those not asked for
  std::array<To, kSize> to_;
  size_t size_ = 0;
};

}  // namespace

Stream::Stream(const StreamKey& key)
    : key_{{key.seed, uint64_t{static_cast<uint32_t>(key.purpose)} << 32 | key.step}},
      counter_{{0, key.iteration, key.task, key.trajectory}} {}

uint64_t Stream::bits() {
  if (used_ == 4) {
    block_ = Philox{}(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

double Stream::uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }

double Stream::uniform(double low, double high) { return low + (high - low) * uniform(); }

double Stream::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  const double angle = 2.0 * std::numbers::pi * uniform();
  spare_normal_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

void Stream::normals(Stream* const* streams, int64_t count, int64_t each, float* out, int64_t stride) {
  Pairs pairs;
  for (int64_t b = 0; b < count; ++b) {
    Stream& stream = *streams[b];
    float* to = out + b * stride;
    float* const end = to + each;
    if (to < end && stream.has_spare_) *to++ = static_cast<float>(stream.normal());
    for (; to < end; to += 2) {
      const double u = stream.uniform(), v = stream.uniform();
      stream.has_spare_ = to + 1 == end;
      pairs.add(u, v, to, stream.has_spare_ ? nullptr : to + 1, &stream.spare_normal_);
    }
  }
}

uint64_t Stream::below(uint64_t bound) {
  require(bound > 0, "Stream::below: bound is 0, expected at least 1");
  const uint64_t threshold = (0 - bound) % bound;  // 2^64 mod bound: the biased head, rejected
  for (;;) {
    const uint64_t draw = bits();
    if (draw >= threshold) return draw % bound;
  }
}

}  // namespace innerloop
