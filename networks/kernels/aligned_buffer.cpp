#include "networks/kernels/aligned_buffer.h"

#include <cstdlib>
#include <new>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace innerloop {
namespace {

constexpr size_t kRegister = 64;               // bytes of the widest
constexpr size_t kHugePage = 2 * 1024 * 1024;  // fewer misses where a pass jumps through tens of megabytes
constexpr size_t kLeastKept = 256 * 1024, kMostKept = 512 * 1024 * 1024;

size_t alignment(size_t bytes) { return bytes >= kHugePage ? kHugePage : kRegister; }
size_t rounded(size_t bytes) { return (bytes + alignment(bytes) - 1) / alignment(bytes) * alignment(bytes); }

thread_local bool kept_is_gone = false;  // buffers may outlive it, in static objects

struct Kept {
  struct Block {
    void* memory;
    size_t bytes;
  };
  ~Kept() {
    for (const auto& block : blocks) std::free(block.memory);
    kept_is_gone = true;
  }
  std::vector<Block> blocks;
  size_t bytes = 0;
};
thread_local Kept kept;

}  // namespace

void* take_memory(size_t asked) {
  const size_t bytes = rounded(asked);
  if (bytes >= kLeastKept && !kept_is_gone) {
    for (size_t i = kept.blocks.size(); i-- > 0;) {
      if (kept.blocks[i].bytes != bytes) continue;
      void* const memory = kept.blocks[i].memory;
      kept.blocks[i] = kept.blocks.back();
      kept.blocks.pop_back();
      kept.bytes -= bytes;
      return memory;
    }
  }
  void* const memory = std::aligned_alloc(alignment(bytes), bytes);
  if (memory == nullptr) throw std::bad_alloc();
#ifdef __linux__
  if (bytes >= kHugePage) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

void give_memory(void* memory, size_t asked) noexcept {
  const size_t bytes = rounded(asked);
  if (memory != nullptr && bytes >= kLeastKept && !kept_is_gone && kept.bytes + bytes <= kMostKept) {
    try {
      kept.blocks.push_back({memory, bytes});
      kept.bytes += bytes;
      return;
    } catch (const std::bad_alloc&) {
    }
  }
  std::free(memory);
}

}  // namespace innerloop
