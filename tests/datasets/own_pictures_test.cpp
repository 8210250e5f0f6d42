#include "datasets/own_pictures.h"

#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "datasets/data_shape.h"
#include "datasets/dataset.h"
#include "tests/datasets/fixtures.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace fs = std::filesystem;

namespace {

// Colours and edges in `side` x `side * 3 / 2` pixels.
cv::Mat photograph(int side, int hue) {
  cv::Mat image(side, side * 3 / 2, CV_8UC3, cv::Scalar(hue, 200 - hue, 90));
  cv::circle(image, {side / 2, side / 3}, side / 4, cv::Scalar(20, hue, 250), -1);
  cv::line(image, {0, side}, {side, side / 5}, cv::Scalar(255, 255, 255), 2);
  return image;
}

double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace

TEST_CASE("a picture of one's own becomes the sample that the data set makes of the same file",
          "[pictures]") {
  const testing::Folder folder;
  const testing::Variable cache("INNERLOOP_CACHE", (folder / "cache").string());
  const std::string crop = GENERATE("stretch", "center");
  for (const std::string split : {"train", "val", "test"}) {
    for (int c = 0; c < 2; ++c) {
      const auto place = folder / "data" / split / concat(split, c);
      fs::create_directories(place);
      for (int i = 0; i < 2; ++i)
        cv::imwrite((place / concat(i, ".png")).string(), photograph(40, 60 + 90 * c));
    }
  }
  const DatasetConfig config{.name = "image_folder",
                             .own = {{"path", (folder / "data").string()},
                                     {"image_size", 16},
                                     {"crop", crop},
                                     {"mean", "0.5,0.4,0.3"},
                                     {"std", "0.2,0.3,0.25"}}};
  const auto dataset = make_dataset(config);
  const EpisodeShape shape{.ways = 2, .shots = 1, .queries = 1};
  auto episode = make_episodes(dataset->spec(), shape, 1);
  const StreamKey key{.seed = 3};
  Stream stream(key), again(key);
  dataset->draw(Split::kTest, shape, stream, episode, 0);
  std::vector<fs::path> files;
  for (const int64_t c : dataset->drawn_classes(Split::kTest, shape, again))
    files.push_back(folder / "data/test" / concat("test", c) / "0.png");
  const auto own = read_pictures(files, picture_rules(config), dataset->spec().input, /*invert=*/false);
  CHECK(torch::equal(own, episode.support_x));
  CHECK(largest_difference(own[0][0], own[0][1]) > 0.1);
}

TEST_CASE("drawn characters: ink is 1 whichever is darker, colours become grey, and the paper is told",
          "[pictures]") {
  const testing::Folder folder;
  cv::Mat paper(40, 40, CV_8UC3, cv::Scalar(255, 255, 255)), board;
  cv::line(paper, {8, 8}, {30, 32}, cv::Scalar(0, 0, 0), 4);
  cv::bitwise_not(paper, board);
  cv::imwrite((folder.path() / "paper.png").string(), paper);
  cv::imwrite((folder.path() / "board.png").string(), board);
  CHECK(light_paper(folder.path() / "paper.png"));
  CHECK_FALSE(light_paper(folder.path() / "board.png"));
  for (const std::string name : {"strokes", "omniglot"}) {
    const auto rules = picture_rules({.name = name});
    CHECK(rules.ink);
    const auto dark = read_pictures({folder.path() / "paper.png"}, rules, {1, 28, 28}, /*invert=*/true);
    const auto light = read_pictures({folder.path() / "board.png"}, rules, {1, 28, 28}, /*invert=*/false);
    CHECK(largest_difference(dark, light) < 0.01);
    CHECK(dark.max().item<double>() > 0.9);
    CHECK(dark[0][0][0][0][0].item<double>() == 0);
  }
}

TEST_CASE("pictures that cannot be taken are refused by name", "[pictures]") {
  const testing::Folder folder;
  const auto rules = picture_rules({.name = "image_folder"});
  cv::imwrite((folder.path() / "colour.png").string(), photograph(20, 60));
  cv::imwrite((folder.path() / "grey.png").string(), cv::Mat(20, 20, CV_8UC3, cv::Scalar(7, 7, 7)));
  std::ofstream(folder.path() / "damaged.png") << "\x89PNG and no more";
  std::ofstream(folder.path() / "text.png") << "a text";
  const auto read = [&](const char* name) {
    return read_pictures({folder.path() / name}, rules, {1, 14, 14}, false);
  };
  CHECK_THROWS_WITH(read("colour.png"), contains("colour.png is in colour (3 channels)") && contains("grey"));
  CHECK(largest_difference(read("grey.png"), torch::full({1, 1, 1, 14, 14}, 7 / 255.0)) < 1e-6);
  CHECK_THROWS_WITH(read("absent.png"), contains("no such picture") && contains("absent.png"));
  CHECK_THROWS_WITH(read("damaged.png"), contains("damaged.png"));
  CHECK_THROWS_WITH(read("text.png"), contains("text.png"));
  CHECK_THROWS_WITH(picture_rules({.name = "sine"}), contains("not one of pictures"));
}

TEST_CASE("the shape of a data set stands for it where no task is drawn", "[pictures]") {
  const auto strokes = make_dataset({.name = "strokes", .own = {{"image_size", 14}}});
  const auto shape = data_shape(*strokes);
  CHECK(data_shape_text(shape) == "1,14,14,1400");
  const auto again = parse_data_shape("1,14,14,1400", "a file");
  const auto standing_in = dataset_of_shape("strokes", again);
  CHECK(standing_in->spec().input == strokes->spec().input);
  CHECK(standing_in->spec().classification);
  CHECK(standing_in->classes(Split::kTrain) == 1400);
  auto episode = make_episodes(standing_in->spec(), {2, 1, 1}, 1);
  Stream stream(StreamKey{});
  CHECK_THROWS_WITH(standing_in->draw(Split::kTest, {2, 1, 1}, stream, episode, 0),
                    contains("images are not there"));
  CHECK(data_shape_text(data_shape(*make_dataset({.name = "sine"}))).empty());
  CHECK_FALSE(parse_data_shape("", "a file").known());
  for (const char* text : {"1,14,14", "2,14,14,7", "1,14,99999,7", "1,14,14,x", "0,14,14,7"}) {
    INFO(text);
    CHECK_THROWS_WITH(parse_data_shape(text, "a file"),
                      contains("a file: its data_shape is") && contains("channels"));
  }
}
