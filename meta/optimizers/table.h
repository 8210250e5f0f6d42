// The meta-optimizers by name (registry.cpp). No torch: configurations are read without it.
#pragma once

#include <vector>

#include "base/named_description.h"

namespace innerloop {

std::vector<NamedDescription> meta_optimizers();  // the table

}  // namespace innerloop
