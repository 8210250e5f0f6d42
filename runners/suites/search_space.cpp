#include "runners/suites/search_space.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/random.h"
#include "runners/experiment/options.h"

namespace innerloop {
namespace {

constexpr int64_t kMostPoints = 10'000;
// Of draws, far above the purposes of trainings (base/random.h); part of the determinism contract as those
// are.
constexpr auto kSearchPurpose = static_cast<Purpose>(1000);

std::string blanks_cut(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The keys of this name: of either side, of any row.
std::vector<const Key*> keys_named(const std::string& name) {
  std::vector<const Key*> found;
  for (const Side side : kSides) {
    const KeyTable& table = key_table(side);
    if (const Key* key = table.find(name)) found.push_back(key);
    for (const auto& choice : table.choices) {
      for (const auto& row : choice.rows) {
        for (const auto& key : row.keys) {
          if (key.name == name) found.push_back(&key);
        }
      }
    }
  }
  return found;
}

// The text as a key of this name would write it; nothing if none takes it.
std::optional<std::string> canonical_value(const std::string& name, const std::string& text) {
  for (const Key* key : keys_named(name)) {
    if (!key->canonical) continue;
    if (const auto value = key->canonical(text)) return value;
  }
  return std::nullopt;
}

std::string expected_of(const std::string& name) {
  const auto keys = keys_named(name);
  return keys.empty() ? "" : keys.front()->expected;
}

// Split at the commas outside of parentheses; these are taken away.
std::vector<std::string> split_values(const Setting& setting) {
  std::vector<std::string> values{""};
  const auto unbalanced = [&] {
    return UsageError(concat(setting.where, ": ", setting.key, " = ", shortened(setting.value),
                             ": its parentheses do not match, expected values as (40,40), (100,100)"));
  };
  int depth = 0;
  for (const char c : setting.value) {
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (depth < 0 || depth > 1) throw unbalanced();
    if (c == ',' && depth == 0) {
      values.emplace_back();
    } else {
      values.back() += c;
    }
  }
  if (depth != 0) throw unbalanced();
  for (auto& value : values) {
    value = blanks_cut(value);
    if (value.size() >= 2 && value.front() == '(' && value.back() == ')')
      value = blanks_cut(value.substr(1, value.size() - 2));
    if (value.find_first_of("()") != std::string::npos) throw unbalanced();
  }
  return values;
}

// "0.001 to 0.1 log" as words, or nothing.
std::optional<SearchDimension> read_range(const Setting& setting) {
  std::istringstream in(setting.value);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  if (words.size() < 2 || words[1] != "to") return std::nullopt;
  SearchDimension range{.key = setting.key, .where = setting.where};
  const auto refused = [&](const std::string& why) {
    return UsageError(concat(setting.where, ": ", setting.key, " = ", shortened(setting.value), ": ", why));
  };
  constexpr keys::Interval kAny{-keys::kLargest, keys::kLargest, false, false, ""};
  const bool readable = (words.size() == 3 || (words.size() == 4 && words[3] == "log")) &&
                        keys::read_number(words[0], kAny, range.low) &&
                        keys::read_number(words[2], kAny, range.high);
  if (!readable) throw refused("expected LOW to HIGH, or LOW to HIGH log");
  range.logarithmic = words.size() == 4;
  if (!(range.low < range.high)) throw refused("expected a lower and a higher number");
  if (range.logarithmic && range.low <= 0) throw refused("a logarithm needs numbers above 0");
  for (const auto& end : {words[0], words[2]}) {
    if (!canonical_value(setting.key, end))
      throw refused(concat("'", end, "' is refused, expected ", expected_of(setting.key)));
  }
  // A key of whole numbers takes no fraction, though it lies between.
  const double fraction = std::floor(range.low) + 0.5;
  range.whole = fraction < range.high && !canonical_value(setting.key, format_number(fraction));
  return range;
}

std::string three_digits(double value) {
  std::ostringstream text;
  text.precision(3);
  text << value;
  return text.str();
}

std::string drawn_value(const SearchDimension& dimension, Stream& stream) {
  const double share = stream.uniform();
  if (!dimension.values.empty()) {
    const auto count = static_cast<double>(dimension.values.size());
    return dimension.values[static_cast<size_t>(share * count)];
  }
  const double top = dimension.whole ? dimension.high + 1 : dimension.high;
  const double value = dimension.logarithmic ? dimension.low * std::exp(share * std::log(top / dimension.low))
                                             : dimension.low + share * (top - dimension.low);
  if (dimension.whole)
    return format_number(static_cast<int64_t>(std::min(std::floor(value), dimension.high)));
  // Three digits of a number near an end may lie beyond it.
  double rounded = 0;
  std::istringstream(three_digits(value)) >> rounded;
  return format_number(std::clamp(rounded, dimension.low, dimension.high));
}

}  // namespace

SearchDimension read_dimension(const Setting& setting) {
  require_known_key(setting);
  if (const auto range = read_range(setting)) return *range;
  SearchDimension dimension{.key = setting.key, .where = setting.where};
  const std::string begin = concat(setting.where, ": ", setting.key, " = ", shortened(setting.value), ": ");
  const bool plain = setting.value.find('(') == std::string::npos;
  std::string together = setting.value;
  std::erase_if(together, [](char c) { return c == ' ' || c == '\t'; });
  if (plain && together.find(',') != std::string::npos) {
    require_usage(!canonical_value(setting.key, together), begin,
                  "this may be one value or several, for a value of this key may have commas; put each in "
                  "parentheses, as (40,40), (100)");
  }
  std::set<std::string> seen;
  for (const auto& value : split_values(setting)) {
    const auto canonical = canonical_value(setting.key, value);
    require_usage(canonical.has_value(), begin, "'", shortened(value), "' is refused, expected ",
                  expected_of(setting.key), "; values are separated by commas, a range is LOW to HIGH");
    require_usage(seen.insert(*canonical).second, begin, "'", shortened(value), "' stands there twice");
    dimension.values.push_back(value);
  }
  return dimension;
}

std::vector<SearchPoint> grid_points(const std::vector<SearchDimension>& space) {
  std::vector<SearchPoint> points{{}};
  for (const auto& dimension : space) {
    require_usage(!dimension.values.empty(), dimension.where, ": ", dimension.key,
                  " is a range, of which a grid does not know which values to take; list them, or "
                  "suite.search = random");
    std::vector<SearchPoint> longer;
    for (const auto& point : points) {
      for (const auto& value : dimension.values) {
        longer.push_back(point);
        longer.back().push_back({dimension.key, value, dimension.where});
      }
    }
    points = std::move(longer);
    require_usage(points.size() <= static_cast<size_t>(kMostPoints), dimension.where, ": this grid has ",
                  points.size(), " points or more, expected at most ", kMostPoints);
  }
  return points;
}

std::vector<SearchPoint> random_points(const std::vector<SearchDimension>& space, uint64_t seed,
                                       int64_t draws) {
  constexpr int64_t kAttempts = 1000;  // for each, of which most are new wherever there are enough points
  std::vector<SearchPoint> points;
  std::set<std::string> seen;
  for (int64_t attempt = 0; static_cast<int64_t>(points.size()) < draws; ++attempt) {
    require_usage(attempt < kAttempts * draws, space.empty() ? "" : space.front().where + ": ",
                  "suite.draws is ", draws, ", but the search space seems to have only ", points.size(),
                  " points");
    SearchPoint point;
    for (size_t i = 0; i < space.size(); ++i) {
      Stream stream({.seed = seed,
                     .purpose = kSearchPurpose,
                     .iteration = static_cast<uint64_t>(attempt),
                     .task = static_cast<uint64_t>(i)});
      point.push_back({space[i].key, drawn_value(space[i], stream), space[i].where});
    }
    if (seen.insert(point_text(point)).second) points.push_back(std::move(point));
  }
  return points;
}

std::string point_text(const SearchPoint& point) {
  std::vector<std::string> words;
  for (const auto& setting : point) words.push_back(concat(setting.key, " ", setting.value));
  return join(words);
}

}  // namespace innerloop
