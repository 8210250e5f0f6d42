// Claims about `innerloop predict`: it is run as a user runs it, on pictures that are in no data set.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <sstream>

#include "runners/experiment/safetensors.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

using Words = std::vector<std::string>;

// Bars, crosses and discs, each a little elsewhere; dark ink on light paper.
void draw_shape(const std::filesystem::path& file, const std::string& shape, int i) {
  cv::Mat paper(60, 60, CV_8UC3, cv::Scalar(250, 252, 255));
  const cv::Scalar ink(40, 20, 10);
  const int x = 26 + 2 * (i % 4), y = 27 + 3 * (i % 3);
  if (shape == "bar" || shape == "cross")
    cv::line(paper, {x - 18, y}, {x + 18, y + i % 3}, ink, 4, cv::LINE_AA);
  if (shape == "cross") cv::line(paper, {x, y - 18}, {x + i % 2, y + 18}, ink, 4, cv::LINE_AA);
  if (shape == "disc") cv::circle(paper, {x, y}, 13 + i % 3, ink, 4, cv::LINE_AA);
  std::filesystem::create_directories(file.parent_path());
  cv::imwrite(file.string(), paper);
}

const Words kShapes{"bar", "cross", "disc"};

// few/SHAPE/*.png with 1, 2 and 3 pictures; new/SHAPE/*.png with 4 of each.
void draw_shapes(const TemporaryFolder& folder) {
  for (size_t s = 0; s < kShapes.size(); ++s) {
    for (int i = 0; i <= static_cast<int>(s); ++i)
      draw_shape(folder / concat("few/", kShapes[s], "/", i, ".png"), kShapes[s], i);
    for (int i = 0; i < 4; ++i)
      draw_shape(folder / concat("new/", kShapes[s], "/", i, ".png"), kShapes[s], 5 + i);
  }
}

Outcome train_strokes(const std::filesystem::path& run, const Words& more,
                      const std::string& image_size = "14", const std::string& filters = "8") {
  Words words{
      "train",    "--run-dir",      run.string(), "--dataset.name",    "strokes", "--dataset.image_size",
      image_size, "--dataset.ways", "3",          "--dataset.shots",   "1",       "--dataset.queries",
      "3",        "--network.name", "conv4",      "--network.filters", filters,   "--meta.batch_size",
      "4"};
  words.insert(words.end(), more.begin(), more.end());
  return run_program(words);
}

std::vector<Words> rows_of(const std::filesystem::path& csv) {
  std::istringstream in(read_file(csv));
  std::vector<Words> rows;
  for (std::string line; std::getline(in, line);) {
    rows.emplace_back();
    std::istringstream fields(line);
    for (std::string field; std::getline(fields, field, ',');) rows.back().push_back(field);
  }
  return rows;
}

}  // namespace

TEST_CASE("predict labels pictures that no training saw, by classes of their own and uneven shots",
          "[predict]") {
  const TemporaryFolder folder;
  draw_shapes(folder);
  const auto run = (folder / "run").string(), few = (folder / "few").string(),
             fresh = (folder / "new").string();
  const auto csv = folder / "labels.csv", sheet = folder / "sheet.png",
             saved = folder / "adapted.safetensors";
  REQUIRE(train_strokes(run,
                        {"--algorithm", "prototypical", "--network.batch_norm", "global_running",
                         "--meta.iterations", "60", "--meta.step_size", "0.003"},
                        "28", "16")
              .code == 0);
  const auto outcome = run_program({"predict", "--run", run, "--support", few, "--query", fresh, "--out",
                                    csv.string(), "--picture", sheet.string(), "--save", saved.string()});
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.output,
             contains("3 classes, from 1 to 3 pictures each, adapted by its support set; 28 x 28 grey, "
                      "dark ink") &&
                 contains("of 12 queries whose folder names a class") && contains("confusions") &&
                 contains("wrote " + sheet.string()) && !contains("depends on the others"));
  const auto rows = rows_of(csv);
  REQUIRE(rows.size() == 13);
  CHECK(rows[0] == Words{"file", "predicted", "confidence", "bar", "cross", "disc"});
  int right = 0;
  for (size_t i = 1; i < rows.size(); ++i) {
    double sum = 0, largest = 0;
    for (size_t c = 3; c < 6; ++c)
      sum += std::stod(rows[i][c]), largest = std::max(largest, std::stod(rows[i][c]));
    CHECK(sum == Approx(1).epsilon(1e-6));
    CHECK(largest == Approx(std::stod(rows[i][2])));
    right += rows[i][1] == std::filesystem::path(rows[i][0]).parent_path().filename() ? 1 : 0;
  }
  CHECK(right >= 6);  // of 12, after seconds of training (8 to 12 for seeds 1 to 6); chance is 4
  const cv::Mat picture = cv::imread(sheet.string());
  CHECK(picture.cols > 1000);

  // The file is enough: without run and support set, the same bits.
  std::filesystem::remove_all(run);
  std::filesystem::remove_all(few);
  const auto again = run_program(
      {"predict", "--adapted", saved.string(), "--query", fresh, "--out", (folder / "again.csv").string()});
  INFO(again.output);
  REQUIRE(again.code == 0);
  CHECK_THAT(again.output, contains("adapted before by its support set"));
  CHECK(read_file(folder / "again.csv") == read_file(csv));

  // A list on standard input, a threshold that nothing reaches, and a picture alone.
  const auto listed =
      run_program({"predict", "--adapted", saved.string(), "--query", "-", "--threshold", "1"}, [&] {
        write_file(folder / "list", fresh + "/bar/0.png\n" + fresh + "/disc/1.png\n");
        const int in = open((folder / "list").c_str(), O_RDONLY);
        dup2(in, STDIN_FILENO);
      });
  CHECK(listed.code == 0);
  CHECK_THAT(listed.output, contains("2 queries") && contains("2 below 1: none of these"));
}

TEST_CASE("predict by gradient steps: the saved parameters predict what the adaptation does", "[predict]") {
  const TemporaryFolder folder;
  draw_shapes(folder);
  const std::string mode = GENERATE("batch", "per_task_running");
  INFO(mode);
  const auto run = (folder / "run").string(), few = (folder / "few").string(),
             fresh = (folder / "new").string();
  REQUIRE(train_strokes(run, {"--algorithm", "maml", "--network.batch_norm", mode, "--inner.loss_reduction",
                              "sum_over_ways", "--meta.iterations", "2"})
              .code == 0);
  const auto saved = folder / "adapted.safetensors";
  const auto outcome = run_program({"predict", run, "--support", few, "--query", fresh, "--steps", "2",
                                    "--out", (folder / "a.csv").string(), "--save", saved.string()});
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.output, contains("adapted by 2 gradient steps"));
  CHECK((outcome.output.find("depends on the others") != std::string::npos) == (mode == "batch"));
  const auto content = read_safetensors(saved);
  CHECK(content.tensors.contains("adapted/conv1.weight"));
  CHECK(content.tensors.contains("statistics/norm1.mean") == (mode == "per_task_running"));
  const auto again = run_program({"predict", "--adapted", saved.string(), "--query", fresh, "--out",
                                  (folder / "b.csv").string(), "--run", run});
  INFO(again.output);
  REQUIRE(again.code == 0);
  CHECK(read_file(folder / "a.csv") == read_file(folder / "b.csv"));

  const auto other = (folder / "other").string();
  REQUIRE(train_strokes(other, {"--algorithm", "maml", "--network.batch_norm", "global_running", "--seed",
                                "2", "--meta.iterations", "1"})
              .code == 0);
  const auto mixed = run_program({"predict", "--adapted", saved.string(), "--query", fresh, "--run", other});
  CHECK(mixed.code == 1);
  CHECK_THAT(mixed.output, contains("is not of this run"));
}

TEST_CASE("what predict cannot do it says before it writes", "[predict]") {
  const TemporaryFolder folder;
  draw_shapes(folder);
  const auto run = (folder / "run").string(), few = (folder / "few").string(),
             fresh = (folder / "new").string();
  const auto csv = (folder / "out.csv").string();
  REQUIRE(train_strokes(run, {"--algorithm", "maml", "--network.batch_norm", "global_running",
                              "--meta.iterations", "1"})
              .code == 0);
  const auto refused = [&](Words words, int code, const auto& expected) {
    words.insert(words.begin(), {"predict", "--out", csv});
    const auto outcome = run_program(words);
    INFO(outcome.output);
    CHECK(outcome.code == code);
    CHECK_THAT(outcome.output, expected);
    CHECK(!std::filesystem::exists(csv));
  };
  refused({"--support", few, "--query", fresh}, 2, contains("--run is missing"));
  refused({"--run", run, "--query", fresh}, 2, contains("--support is missing"));
  refused({"--run", run, "--support", few}, 2, contains("--query is missing"));
  refused({"--run", run, "--support", few, "--adapted", "a", "--query", fresh}, 2, contains("both given"));
  refused({"--run", run, "--support", few, "--query", fresh, "--threshold", "2"}, 2,
          contains("--threshold is '2'"));
  refused({"--run", run, "--support", few, "--query", fresh, "--picture", "a.gif"}, 2,
          contains(".png or .jpg"));
  refused({"--run", run, "--support", few, "--query", fresh, "--ink", "blue"}, 2,
          contains("--ink is 'blue'"));
  refused({"--run", run, "--support", few, "--query", "/nowhere"}, 1,
          contains("no such file or folder: /nowhere"));
  refused({"--adapted", "/nowhere", "--query", fresh}, 1, contains("'/nowhere' does not exist"));

  draw_shape(folder / "few/star/0.png", "cross", 1);
  refused({"--run", run, "--support", few, "--query", fresh}, 2,
          contains("holds 4 classes (bar, cross, disc and 1 more)") && contains("learned for 3 ways"));
  std::filesystem::remove_all(folder / "few/star");
  write_file(folder / "new/bar/9.png", "no picture");
  refused({"--run", run, "--support", few, "--query", fresh}, 1, contains("bar/9.png"));
  std::filesystem::remove(folder / "new/bar/9.png");
  cv::Mat board(60, 60, CV_8UC1, cv::Scalar(0));
  cv::line(board, {5, 30}, {50, 30}, cv::Scalar(255), 4);
  cv::imwrite((folder / "few/bar/9.png").string(), board);
  refused({"--run", run, "--support", few, "--query", fresh}, 1,
          contains("6 look like dark ink") && contains("--ink"));
}

TEST_CASE("predict continues a curve through points, and the file that it saves does too", "[predict]") {
  const TemporaryFolder folder;
  const auto run = (folder / "run").string();
  REQUIRE(run_program({"train", "--run-dir", run, "--dataset.name", "sine", "--network.hidden", "8,8",
                       "--meta.batch_size", "5", "--meta.iterations", "20"})
              .code == 0);
  write_file(folder / "few.csv", "x,y\n-2,1\n0,0\n1,-0.5\n2,-1\n");
  write_file(folder / "new.csv", "x,y\n-1,0.5\n1.5,-0.8\n3,-1\n");
  const auto call = [&](Words words, const std::string& out) {
    words.insert(words.begin(), "predict");
    words.insert(words.end(), {"--query", (folder / "new.csv").string(), "--out", (folder / out).string()});
    return run_program(words);
  };
  const auto few = (folder / "few.csv").string(), saved = (folder / "adapted.safetensors").string();
  const auto outcome = call({"--run", run, "--support", few, "--steps", "3", "--save", saved, "--picture",
                             (folder / "curve.png").string()},
                            "a.csv");
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.output,
             contains("4 support points, adapted by 3 gradient steps") && contains("mean squared error"));
  CHECK(std::filesystem::file_size(folder / "curve.png") > 1000);
  const auto rows = rows_of(folder / "a.csv");
  REQUIRE(rows.size() == 4);
  CHECK(rows[0] == Words{"x", "y"});
  CHECK(rows[2][0] == "1.5");
  REQUIRE(call({"--adapted", saved}, "b.csv").code == 0);
  CHECK(read_file(folder / "a.csv") == read_file(folder / "b.csv"));
  write_file(folder / "few.csv", "x,y\nnone,1\n");
  const auto bad = call({"--run", run, "--support", few}, "c.csv");
  CHECK(bad.code == 1);
  CHECK_THAT(bad.output, contains("few.csv:2: 'none', expected a number"));
}
