// What a search tries: for each key the values it may have, written so that no value can be taken for
// several.
//
//   inner.step_size = 0.1, 0.03          these, separated by commas
//   network.hidden = (40,40), (100,100)  a value that has commas itself stands in parentheses
//   inner.step_size = 0.001 to 0.1       any number between, uniformly        (search = random)
//   inner.step_size = 0.001 to 0.1 log   its logarithm uniformly              (search = random)
//   inner.steps = 1 to 8                 whole numbers where the key has whole numbers, the ends too
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runners/experiment/config_files.h"

namespace innerloop {

struct SearchDimension {
  std::string key, where;
  std::vector<std::string> values;  // or, if empty,
  double low = 0, high = 0;
  bool logarithmic = false, whole = false;
};

// One value for each key, in the order of the dimensions.
using SearchPoint = std::vector<Setting>;

// UsageError, with the place, for values that the key refuses, for one that is there twice, and where the
// text could also be one value that is a list ("40, 100" of network.hidden: parentheses say what is meant).
SearchDimension read_dimension(const Setting& setting);

// Every combination, the last key running fastest. UsageError for a range, and above 10,000 points.
std::vector<SearchPoint> grid_points(const std::vector<SearchDimension>& space);

// `draws` different points. A function of the space, the seed and the count alone; the first points of a
// larger count are those of a smaller. Numbers of ranges have three digits. UsageError if there are not so
// many points.
std::vector<SearchPoint> random_points(const std::vector<SearchDimension>& space, uint64_t seed,
                                       int64_t draws);

std::string point_text(const SearchPoint& point);  // "inner.step_size 0.03, inner.steps 5"

}  // namespace innerloop
