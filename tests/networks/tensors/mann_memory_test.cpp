#include "networks/tensors/mann_memory.h"

#include <cmath>
#include <vector>

#include "tests/catch.h"

using namespace innerloop;

namespace {

using Numbers = std::vector<double>;

// [size][slots] of the rows of the memory, as papers write them.
Numbers columns(const std::vector<Numbers>& rows) {
  Numbers out;
  for (size_t d = 0; d < rows.front().size(); ++d) {
    for (const auto& row : rows) out.push_back(row[d]);
  }
  return out;
}

struct Access {
  MannConfig config;
  Numbers rows, read, used;  // before
  Numbers keys, written, gate;
  Numbers rows_after, read_after, used_after, write, cosines, vectors;
  std::vector<int64_t> least;

  void run() {
    rows_after.resize(rows.size());
    read_after.resize(read.size());
    used_after.resize(used.size());
    write.resize(read.size());
    cosines.resize(read.size());
    vectors.resize(keys.size());
    least.resize(gate.size());
    mann_access<double>(config, {rows.data(), read.data(), used.data()},
                        {keys.data(), written.data(), gate.data()},
                        {rows_after.data(), read_after.data(), used_after.data()},
                        {write.data(), cosines.data(), least.data()}, vectors.data());
  }
};

Access three_rows() {
  return {.config = {.slots = 3, .size = 2, .reads = 1},
          .rows = columns({{1, 0}, {0, 1}, {1, 1}}),
          .read = {.7, .2, .1},
          .used = {.9, .3, .5},
          .keys = {1, 0},
          .written = {.5, -.5},
          .gate = {.25}};
}

void check_close(const Numbers& found, const Numbers& expected) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]).margin(1e-8));
}

}  // namespace

TEST_CASE("mann: one access of three rows has the numbers worked out by hand", "[mann]") {
  Access found = three_rows();
  found.run();
  check_close(found.rows_after, columns({{1.0875, -.0875}, {.4, -.4}, {1.0125, .9875}}));
  check_close(found.read_after, {.39942145, .29897058, .30160797});
  check_close(found.vectors, {.85933713, .14330027});
  check_close(found.used_after, {1.42942145, 1.38397058, .80160797});

  // Read before it is written: cosines 1, 0 and 1 / sqrt(2) of the rows as they were.
  Access old = three_rows();
  old.config.read_before = true;
  old.run();
  check_close(old.rows_after, found.rows_after);
  const double a = std::exp(1.0), c = std::exp(std::sqrt(0.5)), sum = a + 1 + c;
  check_close(old.read_after, {a / sum, 1 / sum, c / sum});
  check_close(old.vectors, {(a + c) / sum, (1 + c) / sum});

  Access sharp = three_rows();
  sharp.config.read_before = true;
  sharp.config.key_strength = 2;
  sharp.run();
  const double b = a * a, d = c * c;
  check_close(sharp.read_after, {b / (b + 1 + d), 1 / (b + 1 + d), d / (b + 1 + d)});
}

// sigma = .25, written (2, 0) and (0, 4): the rows of least usage are 1, then 2; w^w is, for all,
// (.175, .8, .775) and (.025, .825, .9), for one each (.175, .8, .025) and (.025, .075, .9).
TEST_CASE("mann: two reads write to both rows of least usage, or each to its own", "[mann]") {
  const auto rows = [](bool one_each) {
    Access found{.config = {.slots = 3, .size = 2, .reads = 2, .one_each = one_each},
                 .rows = columns({{1, 0}, {5, 5}, {0, 0}}),
                 .read = {.7, .2, .1, .1, .3, .6},
                 .used = {.9, .3, .5},
                 .keys = {2, 0, 0, 4},
                 .written = {2, 0, 0, 4},
                 .gate = {.25, .25}};
    found.run();
    CHECK(found.least == std::vector<int64_t>{1, 2});
    return found.rows_after;
  };
  check_close(rows(false), columns({{1.35, .1}, {1.6, 3.3}, {1.55, 3.6}}));
  check_close(rows(true), columns({{1.35, .1}, {1.6, .3}, {.05, 3.6}}));
}
