// Zip and tar archives of images.
#include "tests/fuzz/layout_claims.h"
#include "tests/fuzz/scratch.h"

using namespace innerloop;
using namespace innerloop::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const MemoryFile file;
  file.write(text_of(data, size));
  try_images(file.path());
  return 0;
}
