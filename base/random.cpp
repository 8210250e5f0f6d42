#include "base/random.h"

#include <cmath>
#include <numbers>

#include "base/error.h"

namespace innerloop {

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

uint64_t Stream::below(uint64_t bound) {
  require(bound > 0, "Stream::below: bound is 0, expected at least 1");
  const uint64_t threshold = (0 - bound) % bound;  // 2^64 mod bound: the biased head, rejected
  for (;;) {
    const uint64_t draw = bits();
    if (draw >= threshold) return draw % bound;
  }
}

}  // namespace innerloop
