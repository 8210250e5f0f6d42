// Checkpoint files: complete, atomic, and a function of the training alone (no time, host, path or thread
// count).
//
//   offset  bytes
//   0       8      "INNRLOOP"
//   8       4      format version, little-endian
//   12      4      zero
//   16      8      J, the length of the header
//   24      J      header: JSON {kind, config, iteration, environment_steps, tensors: [{name, group,
//                  dtype, shape, offset, bytes}]}, offsets from the end of the header
//   24 + J  ...    the tensors' raw little-endian entries, in the order of the header
//   end     8      FNV-1a (64 bit) of everything before
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "networks/params.h"

namespace innerloop {

struct Checkpoint {
  std::string kind = "policy";    // what kind of learner wrote it
  std::string config;             // training_text() of the configuration
  int64_t iteration = 0;          // meta-iterations done
  int64_t environment_steps = 0;  // environment steps sampled in them
  Params meta;
  Params optimizer;  // MetaOptimizer::state()
  Params job;        // what else the training goes on from: sums of the row in the making, validation
};

// Writes a temporary file beside `file`, syncs it, renames it and syncs the folder: `file` holds either its
// former content or the new one, whatever happens. On failure an Error says why and the temporary file is
// gone.
void save_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint);

// Error that tells a missing file, one that is no checkpoint, a newer format, a truncated and a damaged one
// apart.
Checkpoint load_checkpoint(const std::filesystem::path& file);

// The same for any small file: whole or not at all.
void write_file_atomically(const std::filesystem::path& file, const std::string& content);

}  // namespace innerloop
