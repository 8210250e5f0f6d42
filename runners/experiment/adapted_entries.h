// What `export --adapted` takes out of a file that `predict --save` or `act --save` wrote: adapted/NAME, what
// the network or the policy reads after the gradient steps, and statistics/NAME, which normalise its inputs.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "networks/tensors/params.h"

namespace innerloop {

struct AdaptedEntries {
  Params params;      // [1, ...], as `expected`
  Params statistics;  // [1, channels]; none where they are those of the inputs
  std::map<std::string, std::string> metadata;
};

// Error unless the file holds the entries of `expected`, each with its shape and type, and where it has
// statistics, those of `statistics`. `of`: whose they are, for the message ("'runs/mine'").
AdaptedEntries read_adapted_entries(const std::filesystem::path& file, const Params& expected,
                                    const Params& statistics, const std::string& of);

}  // namespace innerloop
