// Claims about runs on images in files: the program is run as a user runs it.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "runners/experiment/checkpoint.h"
#include "runners/experiment/run_directory.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using nlohmann::json;

namespace {

using Words = std::vector<std::string>;

// A folder with train/, val/ and test/ of four fruits each, six images of 14 x 14 a fruit, told apart with
// ease: fruit k is bright in column 3 k. `shift`: another content.
void draw_fruits(const std::filesystem::path& folder, int shift = 0) {
  for (const std::string split : {"train", "val", "test"}) {
    for (int k = 0; k < 4; ++k) {
      const auto place = folder / split / concat(split, "_fruit", k);
      std::filesystem::create_directories(place);
      for (int i = 0; i < 6; ++i) {
        cv::Mat image(14, 14, CV_8UC1, cv::Scalar(10 * i + shift));
        image.col(3 * k).setTo(200 + i);
        cv::imwrite((place / concat(i, ".png")).string(), image);
      }
    }
  }
}

Words on_images(const std::string& command, const std::filesystem::path& run,
                const std::filesystem::path& data, const Words& more = {}) {
  Words words{command,
              "--run-dir",
              run.string(),
              "--dataset.name",
              "image_folder",
              "--dataset.path",
              data.string(),
              "--dataset.ways",
              "2",
              "--dataset.shots",
              "1",
              "--dataset.queries",
              "2",
              "--network.name",
              "conv4",
              "--network.batch_norm",
              "batch",
              "--network.filters",
              "4",
              "--meta.batch_size",
              "2",
              "--evaluation.tasks",
              "8",
              "--evaluation.steps",
              "1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Outcome go_on(const std::string& command, const RunDirectory& run, const Words& more = {}) {
  Words words{command, command == "adapt" ? "--run" : "--run-dir", run.root().string()};
  if (command != "adapt") words.emplace_back("--resume");
  words.insert(words.end(), more.begin(), more.end());
  return run_program(words);
}

}  // namespace

TEST_CASE("a data set that was moved is known by its content, and another one is refused", "[images]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run"), whole(folder / "whole");
  const auto before = folder / "before", after = folder / "after";
  draw_fruits(before);
  REQUIRE(run_program(on_images("train", run.root(), before, {"--meta.iterations", "2"})).code == 0);
  REQUIRE(go_on("adapt", run).code == 0);
  const auto evaluated = read_file(run.root() / "adapt.json");

  std::filesystem::rename(before, after);
  for (const char* command : {"adapt", "train", "bench"}) {
    const auto lost = go_on(command, run);
    CHECK(lost.code == 1);
    CHECK_THAT(lost.output, contains("no such file or folder") && contains("dataset.path"));
  }
  const Words moved{"--dataset.path", after.string() + "/"};
  REQUIRE(go_on("adapt", run, moved).code == 0);
  CHECK(json::parse(read_file(run.root() / "adapt.json"))["steps"] == json::parse(evaluated)["steps"]);
  REQUIRE(go_on("train", run, {moved[0], moved[1], "--meta.iterations", "4"}).code == 0);
  CHECK_THAT(read_file(run.config()), contains("path = " + after.string() + "/"));
  REQUIRE(go_on("bench", run).code == 0);  // the place is remembered
  REQUIRE(run_program(on_images("train", whole.root(), after, {"--meta.iterations", "4"})).code == 0);
  CHECK(read_file(run.last_checkpoint()) == read_file(whole.last_checkpoint()));

  const auto other = folder / "other";
  draw_fruits(other, 1);
  const auto bits = read_file(run.last_checkpoint());
  const auto digest = load_checkpoint(run.last_checkpoint()).data;
  CHECK(digest.size() == 16);
  for (const char* command : {"adapt", "train", "bench"}) {
    const auto refused = go_on(command, run, {"--dataset.path", other.string()});
    INFO(refused.output);
    CHECK(refused.code == 1);
    CHECK_THAT(refused.output, contains("was trained on the data set in '" + after.string()) &&
                                   contains("(digest " + digest + ")") &&
                                   contains("what now lies in '" + other.string() + "' (digest "));
  }
  CHECK(read_file(run.last_checkpoint()) == bits);
  CHECK_THAT(read_file(run.config()), contains("path = " + after.string()));
}

TEST_CASE("images get convolutions unless a network is named, and the program says so", "[images]") {
  const TemporaryFolder folder;
  draw_fruits(folder / "fruits");
  const auto network_of = [&](const std::string& name, const Words& more) {
    const RunDirectory run(folder / name);
    Words words{"train",
                "--run-dir",
                run.root().string(),
                "--dataset.name",
                "image_folder",
                "--dataset.path",
                (folder / "fruits").string(),
                "--dataset.ways",
                "2",
                "--dataset.shots",
                "1",
                "--dataset.queries",
                "1",
                "--meta.iterations",
                "0"};
    words.insert(words.end(), more.begin(), more.end());
    const auto outcome = run_program(words);
    INFO(outcome.output);
    REQUIRE(outcome.code == 0);
    const bool said = outcome.output.find("network: conv4 with batch normalisation by ") != std::string::npos;
    const auto config = make_config(read_settings(run.config()));
    return concat(config.supervised.network.name, " ", config.supervised.network.batch_norm,
                  said ? " said" : "");
  };
  CHECK(network_of("nothing", {}) == "conv4 batch said");
  CHECK(network_of("mode", {"--network.batch_norm", "per_task_running"}) == "conv4 per_task_running said");
  CHECK(network_of("filters", {"--network.filters", "8"}) == "conv4 batch said");
  CHECK(network_of("mlp", {"--network.name", "mlp"}) == "mlp none");
  CHECK(network_of("hidden", {"--network.hidden", "8"}) == "mlp none");
  CHECK(network_of("none", {"--network.batch_norm", "none"}) == "mlp none");
}

TEST_CASE("results of classes are told by name", "[images]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  draw_fruits(folder / "fruits");
  auto words = on_images("bench", run.root(), folder / "fruits", {"--meta.iterations", "1"});
  *(std::find(words.begin(), words.end(), "--evaluation.tasks") + 1) = "40";
  const auto outcome = run_program(words);
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.output, contains("lowest of 4 classes:") && contains(" queries   test_fruit"));
  const auto out = json::parse(read_file(run.root() / "bench.json"));
  REQUIRE(out["per_task"].size() == 40);
  REQUIRE(out["classes"].size() == 4);
  double mean = 0, right = 0;
  int64_t queries = 0, mistaken = 0;
  for (const auto& task : out["per_task"]) {
    REQUIRE(task["accuracy"].size() == 2);
    REQUIRE(task["classes"].size() == 2);
    CHECK_THAT(task["classes"][0].get<std::string>(), StartsWith("test_fruit"));
    mean += task["accuracy"][1].get<double>() / 40;
  }
  for (const auto& one : out["classes"]) {
    queries += one["queries"].get<int64_t>();
    right += one["accuracy"].get<double>() * one["queries"].get<double>();
    for (const auto& [name, count] : one["taken_for"].items()) {
      CHECK(name != one["name"]);
      mistaken += count.get<int64_t>();
    }
  }
  CHECK(queries == 40 * 2 * 2);
  CHECK(right + static_cast<double>(mistaken) == Approx(160));
  CHECK(right / 160 == Approx(mean));
  CHECK(out["steps"][1]["accuracy_mean"].get<double>() == Approx(mean));
  CHECK(read_file(run.evaluations() / "bench_tasks=40_steps=1_seed=1_after=1.json") ==
        read_file(run.root() / "bench.json"));
}

TEST_CASE("adapt tests with other ways where no head is learned, and says where one is", "[images]") {
  const TemporaryFolder folder;
  draw_fruits(folder / "fruits");
  const RunDirectory prototypes(folder / "prototypes"), maml(folder / "maml");
  REQUIRE(
      run_program(on_images("train", prototypes.root(), folder / "fruits",
                            {"--meta.iterations", "1", "--algorithm", "prototypical", "--inner.steps", "0"}))
          .code == 0);
  const auto outcome = go_on("adapt", prototypes, {"--dataset.ways", "4", "--dataset.shots", "2"});
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.output, contains("8 test tasks, 4-way 2-shot"));
  const auto out = json::parse(read_file(prototypes.root() / "adapt.json"));
  CHECK(out["ways"] == 4);
  CHECK(out["per_task"][0]["classes"].size() == 4);

  REQUIRE(run_program(on_images("train", maml.root(), folder / "fruits", {"--meta.iterations", "1"})).code ==
          0);
  const auto refused = go_on("adapt", maml, {"--ways", "3"});
  CHECK(refused.code == 2);
  CHECK_THAT(refused.output,
             contains("evaluation.ways is 3, but algorithm maml learned for 2 ways: its linear.weight"));
  const auto too_many = go_on("adapt", prototypes, {"--ways", "5"});
  CHECK(too_many.code == 2);
  CHECK_THAT(too_many.output, contains("the test split has 4 classes"));
}
