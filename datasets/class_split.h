// Classes shared out to training, validation and test, where the data bring no split of their own.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace innerloop {

struct ClassSplit {
  std::array<double, 3> shares{0.64, 0.16, 0.20};  // by Split, mini-ImageNet's; in any unit
  uint64_t seed = 1;                               // another one, another choice
};

// How many of `classes` classes each split gets: the shares rounded, every share above 0 at least one class,
// training what is left. UsageError for shares that are no shares; all zeros if the classes are too few.
std::array<int64_t, 3> split_sizes(int64_t classes, const ClassSplit& split);

// The split of each of `classes` classes, by chance: a pure function of the two arguments, so of the order in
// which the classes are named and of nothing else.
std::vector<Split> share_out(int64_t classes, const ClassSplit& split);

namespace keys {

// The shares as "0.64,0.16,0.2"; false for another number of them than three.
bool read_shares(const std::string& text, ClassSplit& split);
std::string format_shares(const ClassSplit& split);

}  // namespace keys

}  // namespace innerloop
