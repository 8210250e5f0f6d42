#include "networks/tensors/error_text.h"

#include <c10/util/Exception.h>

#include <new>

namespace innerloop {
namespace {

constexpr char kOutOfMemory[] =
    "out of memory: fewer tasks, samples or trajectories at a time, fewer --threads or a smaller network "
    "take "
    "less; memory = GIB sets the limit";

}  // namespace

std::string error_text(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return kOutOfMemory;
  const auto* theirs = dynamic_cast<const c10::Error*>(&error);
  if (theirs == nullptr) return error.what();
  const std::string text = theirs->what_without_backtrace();
  if (text.find("DefaultCPUAllocator") != std::string::npos) return kOutOfMemory;
  return "LibTorch: " + text.substr(0, text.find('\n'));
}

}  // namespace innerloop
