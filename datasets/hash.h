// A 64-bit hash that tells changed files from unchanged ones. Not against an adversary.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

namespace innerloop {

// FNV-1a (Fowler, Noll, Vo) by words of 8 bytes instead of bytes, 8 times as fast, with a rotation: without
// it the high bits of a word would never reach the low ones of the hash.
class Hash {
 public:
  Hash& add(uint64_t word) {
    state_ = std::rotl((state_ ^ word) * 0x100000001b3ULL, 29);
    return *this;
  }
  Hash& add(const uint8_t* bytes, size_t count) {
    add(static_cast<uint64_t>(count));
    uint64_t word = 0;
    for (; count >= 8; bytes += 8, count -= 8) {
      std::memcpy(&word, bytes, 8);
      add(word);
    }
    word = 0;
    if (count > 0) std::memcpy(&word, bytes, count);  // of nothing the pointer may be null
    return add(word);
  }
  Hash& add(const std::string& text) {
    return add(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  }
  uint64_t value() const { return state_; }
  std::string hex() const {
    std::string digits(16, '0');
    for (size_t i = 0; i < 16; ++i) digits[i] = "0123456789abcdef"[state_ >> (60 - 4 * i) & 15];
    return digits;
  }

 private:
  uint64_t state_ = 0xcbf29ce484222325ULL;
};

}  // namespace innerloop
