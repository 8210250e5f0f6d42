// Compiled where mimalloc serves this program (cmake/Tests.cmake).
#include <mimalloc.h>

#include <cstdlib>
#include <memory>

#include "tests/catch.h"

TEST_CASE("malloc and new take their memory from mimalloc", "[allocator]") {
  const std::unique_ptr<void, decltype(&std::free)> by_malloc(std::malloc(1 << 20), &std::free);
  const auto by_new = std::make_unique<char[]>(1 << 20);
  CHECK(mi_is_in_heap_region(by_malloc.get()));
  CHECK(mi_is_in_heap_region(by_new.get()));
  int on_the_stack = 0;
  CHECK_FALSE(mi_is_in_heap_region(&on_the_stack));
}
