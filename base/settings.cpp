#include "base/settings.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "base/error.h"

namespace innerloop {
namespace {

template <class Number>
bool parse_number(const std::string& text, Number& value) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc() && result.ptr == end;
}

template <class Number>
std::string shortest(Number value) {
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

// "100, 100" -> {100, 100}; "" and "none" -> {}; nothing for anything that is no list of numbers.
template <class Number>
std::optional<std::vector<Number>> parse_list(const std::string& list) {
  std::vector<Number> values;
  if (list.empty() || list == "none") return values;
  std::istringstream in(list + ",");
  for (std::string item; std::getline(in, item, ',');) {
    const size_t first = item.find_first_not_of(' ');
    if (first == std::string::npos) return std::nullopt;
    Number value = 0;
    if (!parse_number(item.substr(first, item.find_last_not_of(' ') + 1 - first), value)) return std::nullopt;
    values.push_back(value);
  }
  return values;
}

template <class Number>
std::string joined(const std::vector<Number>& values) {
  std::vector<std::string> words;
  for (const Number value : values) words.push_back(shortest(value));
  return words.empty() ? std::string("none") : join(words, ",");
}

}  // namespace

Texts::Value::Value(int value) : text_(shortest(value)) {}
Texts::Value::Value(int64_t value) : text_(shortest(value)) {}
Texts::Value::Value(double value) : text_(shortest(value)) {}

std::string format_number(int64_t value) { return shortest(value); }
std::string format_number(uint64_t value) { return shortest(value); }
std::string format_number(double value) { return shortest(value); }

namespace keys {

bool read_whole(const std::string& text, int64_t low, int64_t high, int64_t& value) {
  int64_t found = 0;
  if (!parse_number(text, found) || found < low || found > high) return false;
  value = found;
  return true;
}

bool read_seed(const std::string& text, uint64_t& value) { return parse_number(text, value); }

bool read_number(const std::string& text, const Interval& interval, double& value) {
  double found = 0;
  if (!parse_number(text, found) || !std::isfinite(found)) return false;
  if (found < interval.low || found > interval.high) return false;
  if (interval.open_low && found == interval.low) return false;
  if (interval.open_high && found == interval.high) return false;
  value = found;
  return true;
}

bool read_truth(const std::string& text, bool& value) {
  if (text != "true" && text != "false") return false;
  value = text == "true";
  return true;
}

bool read_sizes(const std::string& text, int64_t high, std::vector<int64_t>& value) {
  const auto list = parse_list<int64_t>(text);
  if (!list || std::any_of(list->begin(), list->end(), [&](int64_t x) { return x < 1 || x > high; }))
    return false;
  value = *list;
  return true;
}

bool read_numbers(const std::string& text, bool positive, std::vector<double>& value) {
  const auto list = parse_list<double>(text);
  if (!list || list->empty()) return false;
  for (const double x : *list) {
    if (!std::isfinite(x) || (positive && x <= 0)) return false;
  }
  value = *list;
  return true;
}

bool read_line(const std::string& text) {
  constexpr char kTrimmed[] = " \t";  // by who reads an INI file
  const bool edges =
      text.find_first_of(kTrimmed) == 0 || (!text.empty() && text.find_last_of(kTrimmed) == text.size() - 1);
  return !edges && text.find_first_of("#\n\r") == std::string::npos;
}

std::string format_list(const std::vector<int64_t>& values) { return joined(values); }
std::string format_list(const std::vector<double>& values) { return joined(values); }

std::string whole_text(int64_t low, int64_t high) {
  return concat("a whole number from ", low, " to ", high);
}

std::string sizes_text(int64_t high) {
  return concat("whole numbers from 1 to ", high, " separated by commas, or none");
}

Key with_known(Key key, std::vector<std::string> known) {
  key.expected = "one of " + join(known);
  key.known = std::move(known);
  return key;
}

Key free(Key key) {
  key.determines_training = false;
  return key;
}

Key needs(Key key, Needs needs) {
  key.needs = std::move(needs);
  return key;
}

}  // namespace keys

void set_all(void* config, const std::vector<Key>& keys, const Texts& texts, const std::string& owner,
             const std::string& section) {
  for (const auto& [name, value] : texts.values()) {
    const auto key =
        std::find_if(keys.begin(), keys.end(), [&wanted = name](const Key& k) { return k.name == wanted; });
    if (key == keys.end()) {
      std::vector<std::string> known;
      for (const auto& k : keys) known.push_back(k.name);
      const std::string near = nearest_name(name, known);
      throw UsageError(
          concat(section, ".", name, ": ", owner, " does not know this key; ",
                 near.empty() ? "" : concat("did you mean '", section, ".", near, "'? "),
                 known.empty() ? "it has none of its own" : concat("its own keys are: ", join(known))));
    }
    if (key->set(config, value)) continue;
    const std::string near = nearest_name(value, key->known);
    throw UsageError(concat(section, ".", name, " is '", shortened(value), "', expected ", key->expected,
                            near.empty() ? "" : concat("; did you mean '", near, "'?")));
  }
}

}  // namespace innerloop
