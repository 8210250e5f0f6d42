#include "runners/experiment/preview.h"

#include <filesystem>
#include <opencv2/imgcodecs.hpp>

#include "datasets/image_store.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

// Classes of images of one colour: class i is red i * 50, green 30, blue 200, or grey alone.
std::unique_ptr<Dataset> colours(int64_t channels, int64_t classes, int64_t images) {
  ImageStore store{.channels = channels, .height = 8, .width = 8};
  for (int64_t i = 0; i < classes; ++i) {
    store.classes[0].push_back({concat("class", i), i * images, images});
    for (int64_t image = 0; image < images; ++image) {
      for (int64_t c = 0; c < channels; ++c) {
        store.pixels.insert(store.pixels.end(), 64,
                            static_cast<uint8_t>(c == 0   ? i * 50
                                                 : c == 1 ? 30
                                                          : 200));
      }
    }
  }
  return make_image_episodes({.name = "colours", .protocol = "of one colour"}, store, {0}, {1});
}

int64_t count(const cv::Mat& image, const cv::Vec3b& colour) {
  int64_t pixels = 0;
  for (int r = 0; r < image.rows; ++r) {
    for (int c = 0; c < image.cols; ++c) pixels += image.at<cv::Vec3b>(r, c) == colour;
  }
  return pixels;
}

}  // namespace

TEST_CASE("a preview shows every image of as large a task as there is, in its colours", "[preview]") {
  const TemporaryFolder folder;
  write_preview(*colours(3, 4, 5), folder / "sheet.png");
  const auto sheet = cv::imread((folder / "sheet.png").string());
  REQUIRE_FALSE(sheet.empty());
  for (int i = 0; i < 4; ++i) CHECK(count(sheet, {200, 30, static_cast<uint8_t>(50 * i)}) == 5 * 56 * 56);
  write_preview(*colours(1, 20, 30), folder / "grey.png");
  const auto grey = cv::imread((folder / "grey.png").string());
  CHECK(grey.rows > 12 * 56);
  CHECK(grey.rows < 12 * 56 + 12 * 8 + 120);
  CHECK(grey.cols > 16 * 56);
  CHECK(grey.cols < 16 * 64 + 100);
}

TEST_CASE("a preview names its classes, long names by their ends", "[preview]") {
  const TemporaryFolder folder;
  const auto width = [&](const std::string& name) {
    ImageStore store{.channels = 1, .height = 8, .width = 8, .pixels = std::vector<uint8_t>(2 * 3 * 64)};
    store.classes[0] = {{name, 0, 3}, {"b", 3, 3}};
    write_preview(*make_image_episodes({.name = "named"}, store, {0}, {1}), folder / "sheet.png");
    return cv::imread((folder / "sheet.png").string()).cols;
  };
  const int shorter = width("fig"), longer = width("a much longer name"),
            longest = width(std::string(500, 'x'));
  CHECK(longer > shorter + 80);
  CHECK(longest > longer);
  CHECK(longest < shorter + 260);
}

TEST_CASE("list datasets draws the preview of a data set by name", "[program]") {
  const TemporaryFolder folder;
  const auto sheet = folder / "sheet.png";
  const auto outcome = run_program({"list", "datasets", "--preview", sheet.string()});
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.output, contains("sheet.png"));
  CHECK(cv::imread(sheet.string()).cols > 16 * 56);
}

TEST_CASE("a preview that cannot be drawn is refused and leaves nothing", "[program]") {
  struct Row {
    std::vector<std::string> arguments;
    std::string message;
  };
  const TemporaryFolder folder;
  const auto png = (folder / "sheet.png").string(), gif = (folder / "sheet.gif").string();
  const auto row = GENERATE_COPY(from_range(std::vector<Row>{
      {{"list", "datasets", "--preview", png, "--dataset", "sine"}, "sine has none"},
      {{"list", "datasets", "--preview", png, "--dataset", "stroke"}, "did you mean 'strokes'?"},
      {{"list", "datasets", "--preview", png, "--path", "x"}, "dataset.path"},
      {{"list", "datasets", "--preview", gif}, ".png or .jpg"},
      {{"list", "configs", "--preview", png}, "list datasets"},
      {{"list", "datasets", "--dataset", "strokes"}, "--preview"},
  }));
  const auto outcome = run_program(row.arguments);
  CHECK(outcome.code == 2);
  CHECK_THAT(outcome.output, contains(row.message));
  CHECK(std::filesystem::is_empty(folder / "."));
}
