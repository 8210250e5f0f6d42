// What the fuzz targets share. A target is one file, NAME_fuzz.cpp, that hands the bytes it is given to one
// reader. The reader may take them or refuse them by an innerloop::Error (UsageError is one); any other
// exception, a crash, a leak, a hang, memory without bound and a broken claim are findings. CONTRIBUTING.md
// says how to run them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace innerloop::fuzz {

inline std::string text_of(const uint8_t* data, size_t size) { return {data, data + size}; }

// Ends the process, as a sanitizer does, unless `condition`.
inline void claim(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "broken claim: %s\n", what.c_str());
  std::abort();
}

// Nothing that a terminal would obey, and not the whole of a long file.
inline void claim_readable(const std::string& message) {
  constexpr size_t kLongest = 4000;
  claim(message.size() <= kLongest, concat("an error has ", message.size(), " bytes: ", message));
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    claim((byte >= 0x20 && byte != 0x7f) || c == '\n', concat("an error holds the byte ", int{byte}));
  }
}

// Whether the reader takes its input; false if it refuses it as it may.
template <class Read>
bool taken(const Read& read) {
  try {
    read();
    return true;
  } catch (const Error& error) {
    claim_readable(error.what());
    return false;
  }
}

// The first bytes of the input choose, the others are read. Missing ones are 0.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto first = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }
  std::string rest() const { return std::string(rest_); }
  // What stands between the separators; at most `most`, the last with all that is left.
  std::vector<std::string> parts(char separator, size_t most) const {
    std::vector<std::string> out;
    std::string_view left = rest_;
    while (out.size() + 1 < most) {
      const size_t end = left.find(separator);
      if (end == left.npos) break;
      out.emplace_back(left.substr(0, end));
      left.remove_prefix(end + 1);
    }
    out.emplace_back(left);
    return out;
  }

 private:
  std::string_view rest_;
};

}  // namespace innerloop::fuzz
