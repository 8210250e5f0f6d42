// Checkpoint files: complete, atomic, and a function of the training alone (no time, host, path or thread
// count). They are safetensors files (runners/experiment/safetensors.h), which Python reads without this
// program.
//
//   tensors   meta/NAME, optimizer/NAME, method/NAME, job/NAME: the fields of Checkpoint
//   metadata  checksum           FNV-1a (64 bit), 16 digits 0-9a-f, of all bytes of the file, with '0' in the
//                                place of each of these digits: no changed byte goes unnoticed
//             config             Checkpoint::config
//             data               Checkpoint::data; not there if it is ""
//             data_shape         Checkpoint::data_shape; not there if it is ""
//             environment_steps  Checkpoint::environment_steps, a decimal number
//             format_version     2
//             iteration          Checkpoint::iteration, a decimal number
//             kind               Checkpoint::kind
//
// Every version has the checksum as its first entry, at the same place of the file. Version 1 was another
// format, which is not read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "networks/tensors/params.h"

namespace innerloop {

struct Checkpoint {
  std::string kind = "policy";    // what kind of learner wrote it
  std::string config;             // training_text() of the configuration
  int64_t iteration = 0;          // meta-iterations done
  int64_t environment_steps = 0;  // environment steps sampled in them
  Params meta;
  Params optimizer;  // MetaOptimizer::state()
  Params method;     // the learner's state beside these two
  Params job;        // what else the training goes on from: sums of the row in the making, validation
  // Dataset::digest() of the data it was trained on; "" where the configuration says it all, and in files
  // that are older than it.
  std::string data = {};
  // data_shape_text() of that data (datasets/data_shape.h); "" without classes, and in files older than it.
  std::string data_shape = {};
};

// Whole or not at all (base/files.h): on failure an Error says why and the former file is left.
void save_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint);

// Error that tells a missing file, one that is no checkpoint, one of version 1, a newer one, a truncated and
// a damaged one apart.
Checkpoint load_checkpoint(const std::filesystem::path& file);

// The same of the bytes of a file; `name` is what errors call it.
std::string format_checkpoint(const Checkpoint& checkpoint);
Checkpoint parse_checkpoint(std::string_view bytes, const std::string& name);

}  // namespace innerloop
