#include "datasets/class_split.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/settings.h"

namespace innerloop {

std::array<int64_t, 3> split_sizes(int64_t classes, const ClassSplit& split) {
  const auto& shares = split.shares;
  for (const double share : shares) {
    require_usage(std::isfinite(share) && share >= 0, "dataset.split: a share is ", share,
                  ", expected 0 or more");
  }
  require_usage(shares[0] > 0, "dataset.split: the share of training is 0, expected more");
  const double whole = shares[0] + shares[1] + shares[2];
  const auto size = [&](double share) {
    const auto rounded = static_cast<int64_t>(std::llround(static_cast<double>(classes) * share / whole));
    return share > 0 ? std::max<int64_t>(1, rounded) : 0;
  };
  const int64_t validation = size(shares[1]), test = size(shares[2]), train = classes - validation - test;
  if (train < 1) return {0, 0, 0};
  return {train, validation, test};
}

std::vector<Split> share_out(int64_t classes, const ClassSplit& split) {
  const auto sizes = split_sizes(classes, split);
  std::vector<size_t> order(static_cast<size_t>(classes));
  std::iota(order.begin(), order.end(), size_t{0});
  Stream stream({.seed = split.seed, .purpose = Purpose::kClassSplit});
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[stream.below(i)]);
  std::vector<Split> splits(order.size(), Split::kTrain);
  for (size_t i = 0; i < order.size(); ++i) {
    const auto place = static_cast<int64_t>(i);
    if (place >= sizes[0]) splits[order[i]] = place < sizes[0] + sizes[1] ? Split::kValidation : Split::kTest;
  }
  return splits;
}

namespace keys {

bool read_shares(const std::string& text, ClassSplit& split) {
  std::vector<double> shares;
  if (!read_numbers(text, false, shares) || shares.size() != split.shares.size()) return false;
  std::copy(shares.begin(), shares.end(), split.shares.begin());
  return true;
}

std::string format_shares(const ClassSplit& split) {
  return format_list(std::vector<double>(split.shares.begin(), split.shares.end()));
}

}  // namespace keys
}  // namespace innerloop
