// Params as bytes, for another process of the same build (files are safetensors, runners/experiment).
//
//   layout   for each entry: name, dtype, sizes
//   data     the numbers of the entries, one entry after another
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "networks/tensors/params.h"

namespace innerloop {

std::string layout_bytes(const Params& params);

// The entries that a layout tells, on the CPU, their numbers not set; `layout` is left behind what was read.
Params params_of(std::string_view& layout);

// The numbers of `params`, which must be contiguous: where they lie, entry by entry.
struct NumberBlock {
  std::byte* data;
  size_t bytes;
  bool is_double;  // or float; other types are never added
};
std::vector<NumberBlock> number_blocks(const Params& params);

// Layouts and data of all parts together, and back.
std::string to_bytes(const std::vector<Params>& parts);
std::vector<Params> from_bytes(std::string_view bytes);

}  // namespace innerloop
