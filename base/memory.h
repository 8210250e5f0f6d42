// What work will need of the machine's memory, said before it is allocated.
//
// Estimates are doubles: no product of sizes overflows, whatever was asked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace innerloop {

// Bytes that this process may use: the machine's memory, or less where a control group of Linux says so.
double machine_memory();

std::string memory_text(double bytes);  // "3.2 GiB"

struct MemoryNeed {
  std::string what;  // "trajectories (meta.batch_size x sampler.trajectories x environment.horizon)"
  double bytes = 0;
};

// The limit `gib`, 0 for machine_memory(), in bytes. Error naming every need, their sum and the limit if the
// sum is larger.
void require_memory(const std::string& work, const std::vector<MemoryNeed>& needs, double gib);

// From here on an allocation that would take this process beyond the limit fails (std::bad_alloc, and
// LibTorch's equivalent) instead of driving the machine to its end. Nothing under AddressSanitizer, whose
// shadow is larger than any machine.
void limit_memory(double gib);

}  // namespace innerloop
