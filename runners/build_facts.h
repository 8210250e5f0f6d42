// What `innerloop --version` prints below the version, and a report of a fault should hold.
#pragma once

#include <string>
#include <vector>

namespace innerloop {

struct BuildFact {
  std::string what, fact;  // "LibTorch", "1.13.1"
};

// In the order of printing; a fact of the machine it runs on says so.
std::vector<BuildFact> build_facts();

}  // namespace innerloop
