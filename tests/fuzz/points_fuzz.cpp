// CSV files of points. What is read is written and read again to the same points.
#include "runners/experiment/point_files.h"
#include "tests/fuzz/fuzz.h"

using namespace innerloop;
using namespace innerloop::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = text_of(data, size);
  for (const bool targets : {true, false}) {
    taken([&] {
      const Points points = parse_points(text, "few.csv", 1, 1, targets);
      claim(points.x.dim() == 3 && points.x.size(1) > 0, "no points");
      claim(!targets || points.y.defined(), "points without y");
      if (!points.y.defined()) return;
      const Points again = parse_points(points_csv(points.x, points.y), "again.csv", 1, 1, true);
      claim(points.x.equal(again.x) && points.y.equal(again.y), "points change");
    });
  }
  return 0;
}
