// Starting from what another training learned: meta.start = RUN or FILE.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "networks/tensors/params.h"

namespace innerloop {

struct WarmStart {
  Params meta;                     // `own` with the entries that fitted
  std::vector<std::string> taken;  // their names
  std::vector<std::string>
      kept;  // entries of `own` that found nothing, and why: "linear.weight (there [1, 64, 1600])"
  std::vector<std::string> unused;  // entries of the source that nothing asked for
};

// Lays the entries of `source` over `own` that have the same name and shape, the leading 1 of which may be
// missing. `source`: a run directory or
// "@NAME" (its best checkpoint if it validated, else its last), a checkpoint, or any safetensors file of
// float32 or float64 tensors with the names of the network's entries. Error if it cannot be read or if
// nothing fits.
WarmStart warm_start(const std::filesystem::path& source, const Params& own);

}  // namespace innerloop
