#include "base/error.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <numeric>

namespace innerloop {
namespace {

// Levenshtein distance, one row at a time.
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

// Small letters and digits alone.
std::string letters_of(const std::string& name) {
  std::string letters;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return letters;
}

}  // namespace

std::string join(const std::vector<std::string>& words, const std::string& separator) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : separator) + word;
  return out;
}

// Control characters become \\xNN.
std::string shortened(const std::string& text) {
  constexpr size_t kLongest = 100;
  size_t end = std::min(text.size(), kLongest);
  if (end < text.size()) {  // not within a character of UTF-8
    while (end + 4 > kLongest && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  }
  std::string shown;
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      shown += c;
      continue;
    }
    constexpr char kDigits[] = "0123456789ABCDEF";
    shown += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return end < text.size() ? shown + "..." : shown;
}

std::string nearest_name(const std::string& name, const std::vector<std::string>& known) {
  if (name.size() > 100) return "";
  const std::string letters = letters_of(name);
  std::string near, holding;
  size_t near_distance = std::max<size_t>(2, name.size() / 2) + 1, holding_distance = SIZE_MAX;
  for (const auto& candidate : known) {
    const size_t distance = edit_distance(name, candidate);
    if (distance < near_distance) {
      near_distance = distance;
      near = candidate;
    }
    const bool holds = letters.size() >= 3 && letters_of(candidate).find(letters) != std::string::npos;
    if (holds && distance < holding_distance) {
      holding_distance = distance;
      holding = candidate;
    }
  }
  return near.empty() ? holding : near;
}

std::string unknown_name(const std::string& kind, const std::string& name,
                         const std::vector<std::string>& known) {
  const std::string near = nearest_name(name, known);
  return concat("unknown ", kind, " '", shortened(name), "'; ",
                near.empty() ? "" : "did you mean '" + near + "'? ", "known: ", join(known));
}

}  // namespace innerloop
