// Safetensors files: named tensors and a table of strings, in the format of the Python package `safetensors`
// (https://github.com/huggingface/safetensors), which NumPy, PyTorch and others read.
//
//   offset  bytes
//   0       8      N, the length of the header, little-endian, at most 100,000,000
//   8       N      JSON: {"__metadata__": {KEY: STRING, ...}, NAME: {"dtype": "F32", "shape": [1, 3],
//                  "data_offsets": [BEGIN, END]}, ...}, offsets from the end of the header; spaces fill it up
//                  to a multiple of 8
//   8 + N   ...    the tensors' entries, little-endian, row-major, without gaps up to the end of the file
//
// The header names the tensors in the order of the Params, the entries lie by falling size of their type, so
// that each is aligned. The same content gives the same bytes.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "networks/tensors/params.h"

namespace innerloop {

// The largest file that is written or read, in bytes: no damaged one may ask for more.
inline constexpr size_t kSafetensorsLimit = size_t{1} << 32;

struct Safetensors {
  std::map<std::string, std::string> metadata;
  Params tensors;  // of type double, float, int64, uint8 or bool, not necessarily of one type
};

// The bytes of the file. Error naming the tensor if its type is another or its name is none (not UTF-8, or
// "__metadata__").
std::string format_safetensors(const Safetensors& content);

// The content of such a file; the tensors in the order of the header. Nothing in `bytes` is trusted: whatever
// they are, there is the content or an Error, with memory in proportion to their number. The Error says that
// `name` is not a safetensors file, is truncated (with both sizes), or is damaged (with what is wrong).
Safetensors parse_safetensors(std::string_view bytes, const std::string& name);

// Whole or not at all (base/files.h).
void write_safetensors(const std::filesystem::path& file, const Safetensors& content);

// Error as parse_safetensors, also for a file that is not regular or has more than kSafetensorsLimit bytes.
Safetensors read_safetensors(const std::filesystem::path& file);

}  // namespace innerloop
