// The table of published results.
#include <cmath>

#include "runners/experiment/published.h"
#include "tests/fuzz/fuzz.h"

using namespace innerloop;
using namespace innerloop::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  taken([&] {
    for (const auto& cell : parse_published(text_of(data, size), "published.csv")) {
      claim(cell.ways >= 1 && cell.shots >= 1 && cell.step >= kNotStated, "a count is negative");
      claim(std::isfinite(cell.value) && std::isfinite(cell.interval) && cell.interval >= 0,
            "a number is none");
    }
  });
  return 0;
}
