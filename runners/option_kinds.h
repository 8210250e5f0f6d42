// The kinds of value that a key of a configuration can have: each makes an Option that reads a text, refuses
// what is not of its kind, and writes the text that reads back to the same value.
//
// Every maker takes `member`, a generic function from a (const) ExperimentConfig to the field.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "runners/options.h"

namespace innerloop::option_kinds {

template <class Number>
bool parse_number(const std::string& text, Number& value) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc() && result.ptr == end;
}

// The shortest text that reads back to the same bits.
template <class Number>
std::string format_number(Number value) {
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

template <class Member>
Option whole(const char* name, Member member, int64_t low, const char* meaning) {
  return {name,
          meaning,
          concat("a whole number, at least ", low),
          true,
          [member, low](ExperimentConfig& c, const std::string& text) {
            int64_t value = 0;
            if (!parse_number(text, value) || value < low) return false;
            member(c) = value;
            return true;
          },
          [member](const ExperimentConfig& c) { return format_number(member(c)); }};
}

template <class Member>
Option seed(const char* name, Member member, const char* meaning) {
  return {name,
          meaning,
          "a whole number, at least 0",
          true,
          [member](ExperimentConfig& c, const std::string& text) { return parse_number(text, member(c)); },
          [member](const ExperimentConfig& c) { return format_number(member(c)); }};
}

struct Interval {
  double low, high;
  bool open_low, open_high;
  std::string text;
};
inline constexpr double kLargest = std::numeric_limits<double>::max();
inline const Interval kPositive{0, kLargest, true, false, "a number above 0"};
inline const Interval kNotNegative{0, kLargest, false, false, "a number, at least 0"};
inline const Interval kZeroToOne{0, 1, false, false, "a number from 0 to 1"};
inline const Interval kAboveZeroToOne{0, 1, true, false, "a number above 0 and at most 1"};
inline const Interval kBetweenZeroAndOne{0, 1, true, true, "a number above 0 and below 1"};

template <class Member>
Option number(const char* name, Member member, const Interval& interval, const char* meaning) {
  return {name,
          meaning,
          interval.text,
          true,
          [member, interval](ExperimentConfig& c, const std::string& text) {
            double value = 0;
            if (!parse_number(text, value) || !std::isfinite(value)) return false;
            if (value < interval.low || value > interval.high) return false;
            if (interval.open_low && value == interval.low) return false;
            if (interval.open_high && value == interval.high) return false;
            member(c) = value;
            return true;
          },
          [member](const ExperimentConfig& c) { return format_number(member(c)); }};
}

template <class Member>
Option truth(const char* name, Member member, const char* meaning) {
  return {name,
          meaning,
          "true or false",
          true,
          [member](ExperimentConfig& c, const std::string& text) {
            if (text != "true" && text != "false") return false;
            member(c) = text == "true";
            return true;
          },
          [member](const ExperimentConfig& c) { return std::string(member(c) ? "true" : "false"); }};
}

template <class Member>
Option choice(const char* name, Member member, const std::vector<std::string>& known, const char* meaning) {
  return {name,
          meaning,
          "one of " + join(known),
          true,
          [member, known](ExperimentConfig& c, const std::string& text) {
            if (std::find(known.begin(), known.end(), text) == known.end()) return false;
            member(c) = text;
            return true;
          },
          [member](const ExperimentConfig& c) { return member(c); },
          known};
}

// Any text that an INI file gives back as it is.
template <class Member>
Option text(const char* name, Member member, const char* expected, const char* meaning) {
  return {name,
          meaning,
          expected,
          true,
          [member](ExperimentConfig& c, const std::string& value) {
            const bool edges = !value.empty() && (value.front() == ' ' || value.back() == ' ');
            if (edges || value.find_first_of("#\n\r") != std::string::npos) return false;
            member(c) = value;
            return true;
          },
          [member](const ExperimentConfig& c) { return member(c); }};
}

// Parameter names separated by commas; the learner checks them against the network it makes.
template <class Member>
Option words(const char* name, Member member, const char* expected, const char* meaning) {
  return {name,
          meaning,
          expected,
          true,
          [member](ExperimentConfig& c, const std::string& text) {
            if (text.empty()) return false;
            member(c) = text;
            return true;
          },
          [member](const ExperimentConfig& c) { return member(c); }};
}

// "100,100" -> {100, 100}; "" and "none" -> {}; nothing for anything that is no list of numbers.
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
std::string format_list(const std::vector<Number>& values) {
  std::vector<std::string> words;
  for (const Number value : values) words.push_back(format_number(value));
  return words.empty() ? std::string("none") : join(words, ",");
}

template <class Member>
Option sizes(const char* name, Member member, const char* meaning) {
  return {name,
          meaning,
          "whole numbers above 0 separated by commas, or none",
          true,
          [member](ExperimentConfig& c, const std::string& value) {
            const auto list = parse_list<int64_t>(value);
            if (!list || std::any_of(list->begin(), list->end(), [](int64_t x) { return x < 1; }))
              return false;
            member(c) = *list;
            return true;
          },
          [member](const ExperimentConfig& c) { return format_list(member(c)); }};
}

template <class Member>
Option numbers(const char* name, Member member, bool positive, const char* meaning) {
  return {name,
          meaning,
          positive ? "numbers above 0 separated by commas" : "numbers separated by commas",
          true,
          [member, positive](ExperimentConfig& c, const std::string& value) {
            const auto list = parse_list<double>(value);
            if (!list || list->empty()) return false;
            for (const double x : *list) {
              if (!std::isfinite(x) || (positive && x <= 0)) return false;
            }
            member(c) = *list;
            return true;
          },
          [member](const ExperimentConfig& c) { return format_list(member(c)); }};
}

}  // namespace innerloop::option_kinds
