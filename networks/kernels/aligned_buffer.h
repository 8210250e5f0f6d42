// Memory of the kernels: aligned to SIMD registers, not initialised, kept by the thread for its next buffer
// of the same size. An iteration takes and frees the same hundreds of megabytes again and again; fresh pages
// took 40 % of a 75-image gradient's time, because the allocator hands blocks of many megabytes back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace innerloop {

// Up to 512 MiB of freed blocks of at least 256 KiB stay with the thread that freed them until it ends.
void* take_memory(size_t bytes);
void give_memory(void* memory, size_t bytes) noexcept;

template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(int64_t count) {
    const size_t bytes = static_cast<size_t>(count < 1 ? 1 : count) * sizeof(T);
    data_ = {static_cast<T*>(take_memory(bytes)), Give{bytes}};
  }
  T* get() const { return data_.get(); }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  struct Give {
    size_t bytes = 0;
    void operator()(T* p) const { give_memory(p, bytes); }
  };
  std::unique_ptr<T[], Give> data_;
};

}  // namespace innerloop
