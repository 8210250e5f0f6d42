// operator new of the programs whose memory mimalloc serves, compiled into each. mimalloc's own ends the
// process where no memory is left; the standard's std::bad_alloc can be reported.
#include <mimalloc.h>

#include <new>

namespace {

void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t bytes) { return or_throw(mi_malloc(bytes)); }
void* operator new[](size_t bytes) { return or_throw(mi_malloc(bytes)); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  return or_throw(mi_malloc_aligned(bytes, static_cast<size_t>(alignment)));
}
void* operator new[](size_t bytes, std::align_val_t alignment) {
  return or_throw(mi_malloc_aligned(bytes, static_cast<size_t>(alignment)));
}
