// Unicode's canonical decompositions and the classes of its combining marks, both sorted by code point. Left
// out: Hangul, which decomposes by rule, and the compatibility ideographs from U+F900 and U+2F800 on.
#pragma once

#include <cstdint>
#include <vector>

namespace innerloop {

struct Decomposition {
  char32_t whole, first, second;  // second is 0 where one character stands for another
};
const std::vector<Decomposition>& decompositions();

struct MarkClass {
  char32_t from, to;  // both belong to it
  uint8_t number;     // Canonical_Combining_Class; characters in no row have 0
};
const std::vector<MarkClass>& mark_classes();

}  // namespace innerloop
