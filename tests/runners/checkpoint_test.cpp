#include "runners/checkpoint.h"

#include <sys/resource.h>

#include "runners/run_directory.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

Checkpoint example() {
  torch::manual_seed(1);
  return {"policy",
          "seed = 1\ninner.steps = 2\n",
          37,
          123456,
          Params({{"layer0.weight", torch::randn({1, 3, 2})}, {"log_std", torch::randn({1, 2})}}),
          Params({{"adam.m", torch::randn({1, 5}, torch::kFloat64)},
                  {"adam.step", torch::tensor({{int64_t{9}}})}})};
}

std::string error_of(const std::filesystem::path& file) {
  try {
    load_checkpoint(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a checkpoint reads back as it was written, and the same state gives the same bytes",
          "[checkpoint]") {
  const TemporaryFolder folder;
  const auto original = example();
  // The optimizer's tensors differ in type, which Params allows no one to compute with but a file holds.
  save_checkpoint(folder / "a.ckpt", original);
  save_checkpoint(folder / "b.ckpt", original);
  const auto loaded = load_checkpoint(folder / "a.ckpt");
  CHECK(loaded.kind == original.kind);
  CHECK(loaded.config == original.config);
  CHECK(loaded.iteration == 37);
  CHECK(loaded.environment_steps == 123456);
  CHECK(identical(loaded.meta, original.meta));
  CHECK(identical(loaded.optimizer, original.optimizer));
  CHECK(read_file(folder / "a.ckpt") == read_file(folder / "b.ckpt"));
  auto changed = original;
  changed.meta = 1.0000001 * changed.meta;
  save_checkpoint(folder / "b.ckpt", changed);
  CHECK(read_file(folder / "a.ckpt") != read_file(folder / "b.ckpt"));
}

TEST_CASE("a checkpoint cut anywhere is called truncated, one with a flipped bit damaged", "[checkpoint]") {
  const TemporaryFolder folder;
  const auto file = folder / "a.ckpt";
  save_checkpoint(file, example());
  const std::string whole = read_file(file);
  for (size_t length = 0; length < whole.size(); length += 7) {
    write_file(file, whole.substr(0, length));
    INFO("length " << length);
    CHECK_THAT(error_of(file), contains("truncated"));
  }
  for (size_t at = 24; at < whole.size(); at += 5) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    write_file(file, flipped);
    INFO("byte " << at);
    CHECK_THAT(error_of(file), contains("damaged") || contains("truncated"));
  }
  std::string last = whole;
  last.back() = static_cast<char>(last.back() ^ 1);
  write_file(file, last);
  CHECK_THAT(error_of(file), contains("damaged"));
  write_file(file, whole);
  CHECK(error_of(file).empty());
}

TEST_CASE("missing, foreign and newer checkpoints are told apart", "[checkpoint]") {
  const TemporaryFolder folder;
  const auto file = folder / "a.ckpt";
  CHECK_THAT(error_of(file), contains("does not exist"));
  write_file(file, "PK\x03\x04 this is a picture of a cat, not a checkpoint at all");
  CHECK_THAT(error_of(file), contains("is not a checkpoint of innerloop"));
  save_checkpoint(file, example());
  std::string newer = read_file(file);
  newer[8] = 9;
  write_file(file, newer);
  CHECK_THAT(error_of(file), contains("format version 9") && contains("up to 1"));
}

TEST_CASE("a checkpoint that cannot be written leaves the former one and nothing half-written",
          "[checkpoint]") {
  const TemporaryFolder folder;
  const auto file = folder / "a.ckpt";
  save_checkpoint(file, example());
  const std::string before = read_file(file);
  auto next = example();
  next.iteration = 38;

  // A full disk: everything written to the temporary file goes to /dev/full.
  std::filesystem::create_symlink("/dev/full", folder / "a.ckpt.tmp");
  CHECK_THROWS_WITH(save_checkpoint(file, next), contains("cannot write") && contains("No space left"));
  CHECK(read_file(file) == before);
  CHECK(!std::filesystem::is_symlink(folder / "a.ckpt.tmp"));
  save_checkpoint(file, next);
  CHECK(load_checkpoint(file).iteration == 38);

  write_file(folder / "file", "");
  CHECK_THROWS_WITH(save_checkpoint(folder / "file" / "a.ckpt", next), contains("cannot open"));
}

TEST_CASE("a run directory has one owner", "[run_directory]") {
  const TemporaryFolder folder;
  const RunDirectory directory(folder / "run");
  create_run_directory(directory);
  {
    const RunLock lock(directory);
    CHECK_THROWS_WITH(RunLock(directory), contains("is in use by process " + std::to_string(getpid())));
  }
  CHECK_NOTHROW(RunLock(directory));
}
