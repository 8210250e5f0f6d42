// A random order, and choosing without replacement.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/random.h"

namespace innerloop {

// The first entries of a random permutation of 0..n-1, one a call, at most n: Fisher-Yates that remembers
// only the places it has touched, few beside n. The stream outlives it.
class Permutation {
 public:
  Permutation(int64_t n, Stream& stream) : n_(n), stream_(stream) {}

  int64_t next() {
    const int64_t place = taken_ + static_cast<int64_t>(stream_.below(static_cast<uint64_t>(n_ - taken_)));
    const int64_t chosen = at(place);
    moved_.emplace_back(place, at(taken_));
    ++taken_;
    return chosen;
  }

 private:
  int64_t at(int64_t place) const {
    for (auto moved = moved_.rbegin(); moved != moved_.rend(); ++moved) {
      if (moved->first == place) return moved->second;
    }
    return place;
  }

  int64_t n_, taken_ = 0;
  Stream& stream_;
  std::vector<std::pair<int64_t, int64_t>> moved_;  // (place, what lies there now); the last one counts
};

}  // namespace innerloop
