#include "base/memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>

#include "base/error.h"

namespace innerloop {
namespace {

constexpr double kGib = 1024.0 * 1024.0 * 1024.0;

// The number in a file of the control group file system; infinity for "max" and where there is none.
double group_limit(const std::filesystem::path& file) {
  std::ifstream in(file);
  double bytes = 0;
  return in >> bytes ? bytes : std::numeric_limits<double>::infinity();
}

// The least of this process' control group and those around it.
double group_limit() {
  const std::filesystem::path root = "/sys/fs/cgroup";
  double least = group_limit(root / "memory" / "memory.limit_in_bytes");  // version 1
  std::ifstream in("/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("0::/", 0) != 0) continue;  // version 2
    for (std::filesystem::path group = line.substr(4);; group = group.parent_path()) {
      least = std::min(least, group_limit(root / group / "memory.max"));
      if (group.empty()) break;
    }
  }
  return least;
}

double limit_bytes(double gib) { return gib > 0 ? gib * kGib : machine_memory(); }

}  // namespace

double machine_memory() {
  const double physical =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  return std::min(physical, group_limit());
}

std::string memory_text(double bytes) {
  static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  double amount = bytes / 1024;
  while (amount >= 1024 && unit + 1 < std::size(kUnits)) {
    amount /= 1024;
    ++unit;
  }
  char text[64];
  std::snprintf(text, sizeof text, amount < 1e6 ? "%.1f %s" : "%.1e %s", amount, kUnits[unit]);
  return text;
}

void require_memory(const std::string& work, const std::vector<MemoryNeed>& needs, double gib) {
  double sum = 0;
  for (const auto& need : needs) sum += need.bytes;
  const double limit = limit_bytes(gib);
  if (sum <= limit) return;
  auto sorted = needs;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  std::vector<std::string> texts;
  for (const auto& need : sorted) texts.push_back(concat(memory_text(need.bytes), " of ", need.what));
  throw Error(concat(work, " needs about ", memory_text(sum), " of memory: ", join(texts), "; ",
                     gib > 0 ? "memory allows " : "the machine has ", memory_text(limit),
                     gib > 0 ? "" : " (memory = GIB insists on another limit)"));
}

void limit_memory(double gib) {
#ifndef __SANITIZE_ADDRESS__
  rlimit limit{};
  if (getrlimit(RLIMIT_DATA, &limit) != 0) return;
  const auto bytes = static_cast<rlim_t>(std::min(limit_bytes(gib), 9e18));
  limit.rlim_cur = std::min(bytes, limit.rlim_max);
  setrlimit(RLIMIT_DATA, &limit);  // may fail where the system forbids it: then as without
#else
  static_cast<void>(gib);
#endif
}

}  // namespace innerloop
