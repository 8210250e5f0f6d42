#include "runners/experiment/point_files.h"

#include "base/error.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

Points read(const TemporaryFolder& folder, const std::string& text, bool targets, int64_t inputs = 1) {
  write_file(folder / "p.csv", text);
  return read_points((folder / "p.csv").string(), inputs, 1, targets);
}

}  // namespace

TEST_CASE("points are read from CSV with or without a header", "[predict]") {
  const TemporaryFolder folder;
  for (const std::string text : {"x,y\n1,2.5\n-3e-1,4\n", "1,2.5\r\n\r\n-0.3,4",
                                 "\xef\xbb\xbf\"x\";\"y\"\n1;2.5\n-0.3;4\n", "1\t2.5\n-0.3\t4\n"}) {
    INFO(text);
    const auto points = read(folder, text, true);
    CHECK(torch::allclose(points.x,
                          torch::tensor(std::vector<float>{1, -0.3f}, torch::kFloat32).view({1, 2, 1})));
    CHECK(torch::allclose(points.y,
                          torch::tensor(std::vector<float>{2.5f, 4}, torch::kFloat32).view({1, 2, 1})));
  }
  CHECK_FALSE(read(folder, "x\n1\n2\n", false).y.defined());
  CHECK(read(folder, "x,y\n1,2\n", false).y.defined());
  CHECK(read(folder, "1,2,3\n4,5,6\n", false, 3).x.size(2) == 3);
}

TEST_CASE("a file without points, or with something else in it, is refused with the line", "[predict]") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(read(folder, "", true),
                    contains("p.csv holds no row of numbers") && contains("2 columns (x, y)"));
  CHECK_THROWS_WITH(read(folder, "x,y\n", true), contains("no row of numbers"));
  CHECK_THROWS_WITH(read(folder, "a text\n", true), contains("p.csv:1") && contains("1 column"));
  CHECK_THROWS_WITH(read(folder, "x,y\n1,2\nthree,4\n", true),
                    contains("p.csv:3: 'three', expected a number"));
  CHECK_THROWS_WITH(read(folder, "1,nan\n", true), contains("p.csv:1: 'nan'"));
  CHECK_THROWS_WITH(read(folder, "1\n2\n", true), contains("p.csv:1: 1 column, expected 2 columns"));
  CHECK_THROWS_WITH(read(folder, "1\n2,3\n", false), contains("p.csv:2: 2 columns, expected 1, as above"));
  CHECK_THROWS_WITH(read(folder, "1,2,3\n", false), contains("3 columns"));
  CHECK_THROWS_WITH(read_points((folder / "absent").string(), 1, 1, true), contains("absent"));
}

TEST_CASE("points are written so that they read back", "[predict]") {
  const TemporaryFolder folder;
  const auto x = torch::tensor(std::vector<float>{0.1f, -1e-7f}, torch::kFloat32).view({1, 2, 1});
  const auto y = torch::tensor(std::vector<float>{3.14159265f, 2e9f}, torch::kFloat32).view({1, 2, 1});
  const auto csv = points_csv(x, y);
  CHECK_THAT(csv, StartsWith("x,y\n0.1"));
  const auto again = read(folder, csv, true);
  CHECK(torch::equal(again.x, x));
  CHECK(torch::equal(again.y, y));
  CHECK_THAT(points_csv(x.view({1, 1, 2}), y.view({1, 1, 2})), StartsWith("x1,x2,y1,y2\n"));
}
