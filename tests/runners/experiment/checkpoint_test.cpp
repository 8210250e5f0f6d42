#include "runners/experiment/checkpoint.h"

#include <sys/stat.h>

#include <cstdio>

#include "base/files.h"
#include "runners/experiment/run_directory.h"
#include "runners/experiment/safetensors.h"
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
                  {"adam.step", torch::tensor({{int64_t{9}}})}}),
          Params({{"layer0.weight", torch::randn({1, 4})}}),
          Params({{"row/mean", torch::randn({1, 3})}})};
}

std::string error_of(const std::filesystem::path& file) {
  try {
    load_checkpoint(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// The checksum as the header file defines it, put where it belongs.
std::string with_checksum(std::string bytes) {
  const size_t at = bytes.find("\"checksum\":\"") + 12;
  bytes.replace(at, 16, 16, '0');
  uint64_t hash = 14695981039346656037u;
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 1099511628211u;
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return bytes.replace(at, 16, digits);
}

}  // namespace

TEST_CASE("a checkpoint reads back as it was written, and the same state gives the same bytes",
          "[checkpoint]") {
  const TemporaryFolder folder;
  const auto original = example();
  // The optimizer's tensors differ in type, which Params allows no one to compute with but a file holds.
  save_checkpoint(folder / "a.safetensors", original);
  save_checkpoint(folder / "b.safetensors", original);
  const auto loaded = load_checkpoint(folder / "a.safetensors");
  CHECK(loaded.kind == original.kind);
  CHECK(loaded.config == original.config);
  CHECK(loaded.iteration == 37);
  CHECK(loaded.environment_steps == 123456);
  CHECK(identical(loaded.meta, original.meta));
  CHECK(identical(loaded.optimizer, original.optimizer));
  CHECK(identical(loaded.method, original.method));
  CHECK(identical(loaded.job, original.job));
  CHECK(read_file(folder / "a.safetensors") == read_file(folder / "b.safetensors"));
  auto changed = original;
  changed.meta = 1.0000001 * changed.meta;
  save_checkpoint(folder / "b.safetensors", changed);
  CHECK(read_file(folder / "a.safetensors") != read_file(folder / "b.safetensors"));
}

TEST_CASE("a checkpoint is a safetensors file whose names say the group, with the checksum as defined",
          "[checkpoint]") {
  const TemporaryFolder folder;
  const auto file = folder / "a.safetensors";
  save_checkpoint(file, example());
  const auto content = read_safetensors(file);
  CHECK(content.tensors.names() == std::vector<std::string>{"meta/layer0.weight", "meta/log_std",
                                                            "optimizer/adam.m", "optimizer/adam.step",
                                                            "method/layer0.weight", "job/row/mean"});
  std::vector<std::string> keys;
  for (const auto& entry : content.metadata) keys.push_back(entry.first);
  CHECK(keys == std::vector<std::string>{"checksum", "config", "environment_steps", "format_version",
                                         "iteration", "kind"});
  CHECK(with_checksum(read_file(file)) == read_file(file));
  CHECK(content.metadata.at("checksum") != "0000000000000000");
}

TEST_CASE("a checkpoint cut anywhere is called truncated, one with a flipped bit damaged", "[checkpoint]") {
  const TemporaryFolder folder;
  const auto file = folder / "a.safetensors";
  save_checkpoint(file, example());
  const std::string whole = read_file(file);
  for (size_t length = 0; length < whole.size(); length += 7) {
    write_file(file, whole.substr(0, length));
    INFO("length " << length);
    CHECK_THAT(error_of(file), contains("truncated"));
  }
  // The beginning tells a checkpoint from other files; behind it every byte is damage.
  const size_t beginning = whole.find("checksum") + 11;
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
    write_file(file, flipped);
    INFO("byte " << at);
    const std::string error = error_of(file);
    if (at >= 8 && at < beginning) {
      CHECK_THAT(error, contains("is not a checkpoint"));
    } else {
      CHECK_THAT(error, contains("is damaged") || contains("is truncated"));
    }
  }
  write_file(file, whole);
  CHECK(error_of(file).empty());
}

TEST_CASE("missing, foreign and newer checkpoints are told apart", "[checkpoint]") {
  const TemporaryFolder folder;
  const auto file = folder / "a.safetensors";
  CHECK_THAT(error_of(file), contains("does not exist"));
  write_file(file, "PK\x03\x04 this is a picture of a cat, not a checkpoint at all");
  CHECK_THAT(error_of(file), contains("is not a checkpoint of innerloop"));
  write_safetensors(file, {{{"kind", "policy"}}, example().meta});
  CHECK_THAT(error_of(file), contains("is not a checkpoint of innerloop"));
  save_checkpoint(file, example());
  std::string newer = read_file(file);
  newer[newer.find("version\":\"2") + 10] = '9';
  write_file(file, newer);
  CHECK_THAT(error_of(file), contains("is damaged"));
  write_file(file, with_checksum(newer));
  CHECK_THAT(error_of(file), contains("format version 9") && contains("up to 2"));
}

TEST_CASE("checkpoints of the format before safetensors are named, where asked for and beside it",
          "[checkpoint]") {
  const TemporaryFolder folder;
  const std::string old("INNRLOOP\1\0\0\0\0\0\0\0", 16);
  write_file(folder / "last.ckpt", old);
  write_file(folder / "last.safetensors", old);
  CHECK_THAT(error_of(folder / "last.ckpt"),
             contains("the format before safetensors") && contains("train again"));
  CHECK_THAT(error_of(folder / "last.safetensors"), contains("the format before safetensors"));
  std::filesystem::remove(folder / "last.safetensors");
  CHECK_THAT(error_of(folder / "last.safetensors"),
             contains("does not exist; '") && contains("last.ckpt' beside it") && contains("train again"));
}

TEST_CASE("a checkpoint with a right checksum and wrong content is called damaged", "[checkpoint]") {
  const TemporaryFolder folder;
  const auto file = folder / "a.safetensors";
  save_checkpoint(file, example());
  const Safetensors whole = read_safetensors(file);
  const auto error_with = [&](const std::string& key, const std::string& value) {
    Safetensors content = whole;
    content.metadata[key] = value;
    if (value.empty()) content.metadata.erase(key);
    write_file(file, with_checksum(format_safetensors(content)));
    return error_of(file);
  };
  CHECK(error_with("kind", "supervised").empty());
  CHECK_THAT(error_with("kind", ""), contains("damaged: its metadata have no 'kind'"));
  for (const char* number : {"-1", "1e3", " 1", "1 ", "0x1", "99999999999999999999"})
    CHECK_THAT(error_with("iteration", number),
               contains("damaged: its iteration is '" + std::string(number)));
  CHECK_THAT(error_with("format_version", "1"), contains("damaged: its format version is 1"));
  Safetensors content = whole;
  content.tensors =
      content.tensors.joined(Params({{"metal/w", torch::zeros({1})}, {"w", torch::zeros({1})}}));
  write_file(file, with_checksum(format_safetensors(content)));
  CHECK_THAT(error_of(file), contains("damaged: 2 of its tensors belong to no known group"));
  std::string bytes("\x20\0\0\0\0\0\0\0", 8);
  bytes += R"({"__metadata__":{"checksum":""}})";
  write_file(file, bytes);
  CHECK_THAT(error_of(file), contains("damaged: its checksum"));
}

TEST_CASE("what is no regular file is refused as a checkpoint, without waiting", "[checkpoint]") {
  const TemporaryFolder folder;
  REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK_THAT(error_of(folder / "fifo"), contains("is a FIFO"));
  CHECK_THAT(error_of("/dev/zero"), contains("is a device"));
  CHECK_THAT(error_of(folder / ""), contains("is a directory"));
}

TEST_CASE("a checkpoint that cannot be written leaves the former one and nothing half-written",
          "[checkpoint]") {
  const TemporaryFolder folder;
  const auto file = folder / "a.safetensors";
  save_checkpoint(file, example());
  const std::string before = read_file(file);
  auto next = example();
  next.iteration = 38;

  // A full disk: everything written to the temporary file goes to /dev/full.
  std::filesystem::create_symlink("/dev/full", folder / "a.safetensors.tmp");
  CHECK_THROWS_WITH(save_checkpoint(file, next), contains("cannot write") && contains("No space left"));
  CHECK(read_file(file) == before);
  CHECK(!std::filesystem::is_symlink(folder / "a.safetensors.tmp"));
  save_checkpoint(file, next);
  CHECK(load_checkpoint(file).iteration == 38);

  write_file(folder / "file", "");
  CHECK_THROWS_WITH(save_checkpoint(folder / "file" / "a.safetensors", next), contains("cannot open"));
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
