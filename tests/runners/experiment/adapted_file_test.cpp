#include "runners/experiment/adapted_file.h"

#include "base/error.h"
#include "runners/experiment/safetensors.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

AdaptedFile example_adaptation() {
  return {.kind = "supervised",
          .config = training_text(make_config({{"dataset.name", "strokes", ""}, {"algorithm", "maml", ""}})),
          .data_shape = "1,28,28,1400",
          .iteration = 7,
          .steps = 3,
          .seed = 5,
          .classes = {"a", "b, or \"c\"", "é"},
          .pictures = "dark ink",
          .adapted = Params({{"conv1.weight", torch::ones({1, 2, 1, 3, 3})}}),
          .statistics = Params({{"norm1.mean", torch::zeros({1, 2})}})};
}

// The file with one entry of its metadata changed, or with "" taken away.
void write_changed(const std::filesystem::path& file, const std::string& key, const std::string& value) {
  save_adapted(file, example_adaptation());
  auto content = read_safetensors(file);
  content.metadata[key] = value;
  if (value.empty()) content.metadata.erase(key);
  write_safetensors(file, content);
}

}  // namespace

TEST_CASE("a saved adaptation reads back whole, and any reader of safetensors finds adapted/NAME",
          "[adapted]") {
  const TemporaryFolder folder;
  const auto file = folder / "a.safetensors";
  save_adapted(file, example_adaptation());
  CHECK(read_safetensors(file).tensors.names() ==
        std::vector<std::string>{"adapted/conv1.weight", "statistics/norm1.mean"});
  const auto again = load_adapted(file);
  const auto expected = example_adaptation();
  CHECK(again.kind == "supervised");
  CHECK(again.classes == expected.classes);
  CHECK(again.pictures == "dark ink");
  CHECK(again.steps == 3);
  CHECK(again.seed == 5);
  CHECK(again.iteration == 7);
  CHECK(identical(again.adapted, expected.adapted));
  CHECK(identical(again.statistics, expected.statistics));
  CHECK_FALSE(again.by_support());
  const auto config = config_of(again, file, {{"threads", "3", "--threads"}});
  CHECK(config.supervised.dataset.name == "strokes");
  CHECK(config.threads == 3);
  CHECK(training_text(config) == expected.config);
}

TEST_CASE("what is no saved adaptation, or a damaged one, is told apart", "[adapted]") {
  const TemporaryFolder folder;
  const auto file = folder / "a.safetensors";
  const auto error = [&] {
    try {
      config_of(load_adapted(file), file);
    } catch (const Error& e) {
      CHECK(dynamic_cast<const UsageError*>(&e) == nullptr);
      return std::string(e.what());
    }
    return std::string("none");
  };
  CHECK_THAT(error(), contains("does not exist") && contains("--save"));
  write_safetensors(file, {{}, Params({{"x", torch::ones({1})}})});
  CHECK_THAT(error(), contains("holds no adaptation"));
  write_changed(file, "format", "another");
  CHECK_THAT(error(), contains("holds no adaptation"));
  write_changed(file, "format_version", "2");
  CHECK_THAT(error(), contains("format version 2") && contains("newer innerloop"));
  write_changed(file, "steps", "many");
  CHECK_THAT(error(), contains("damaged") && contains("steps is 'many'"));
  write_changed(file, "seed", "");
  CHECK_THAT(error(), contains("no 'seed'"));
  write_changed(file, "classes", "[1, 2]");
  CHECK_THAT(error(), contains("classes") && contains("no text"));
  write_changed(file, "classes", "[");
  CHECK_THAT(error(), contains("no JSON list"));
  write_changed(file, "config", "nonsense");
  CHECK_THAT(error(), contains("its configuration"));
  write_changed(file, "config", "inner.stepz = 3");
  CHECK_THAT(error(), contains("inner.stepz"));
  auto empty = example_adaptation();
  empty.adapted = Params();
  save_adapted(file, empty);
  CHECK_THAT(error(), contains("neither adapted parameters nor a support set"));
  save_adapted(file, example_adaptation());
  const auto bytes = read_file(file);
  write_file(file, bytes.substr(0, bytes.size() - 1));
  CHECK_THAT(error(), contains("truncated"));
  CHECK(error() != "none");
}
