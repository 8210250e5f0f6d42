#include "base/sine_cosine.h"

#include <limits>

#include "base/random.h"
#include "tests/catch.h"

using namespace innerloop;

TEST_CASE("sines and cosines of several angles are those of each", "[base]") {
  struct Row {
    double largest, error;
  };
  const auto row = GENERATE(values<Row>({{.8, 3e-16}, {100, 3e-16}, {1e6, 1e-10}}));
  CAPTURE(row.largest);
  Stream stream({.seed = 1});
  std::array<double, 7> angles{}, sines{}, cosines{};
  double worst = 0;
  for (int i = 0; i < 20000; ++i) {
    for (double& angle : angles) angle = stream.uniform(-row.largest, row.largest);
    if (i % 100 == 0) angles[0] = static_cast<double>(i / 100 - 100) * M_PI / 4;
    sine_cosine(angles, sines, cosines);
    for (size_t k = 0; k < angles.size(); ++k) {
      worst = std::max(worst, std::abs(sines[k] - std::sin(angles[k])));
      worst = std::max(worst, std::abs(cosines[k] - std::cos(angles[k])));
    }
  }
  CHECK(worst <= row.error);
  angles[3] = std::numeric_limits<double>::quiet_NaN();
  sine_cosine(angles, sines, cosines);
  CHECK(std::isnan(sines[3]));
  CHECK(std::isfinite(sines[2]));
}
