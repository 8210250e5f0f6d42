#include "runners/experiment/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "runners/experiment/safetensors.h"

namespace innerloop {
namespace {

constexpr int64_t kVersion = 2;
constexpr std::string_view kVersion1 = "INNRLOOP";  // how its files begin

// What follows the length of the header: "checksum" is the first key in the order of the alphabet.
constexpr std::string_view kOpening = R"({"__metadata__":{"checksum":")";
constexpr size_t kChecksumAt = 8 + kOpening.size();
constexpr std::string_view kNoChecksum = "0000000000000000";

struct Group {
  std::string_view prefix;
  Params Checkpoint::*params;
};
constexpr Group kGroups[] = {{"meta/", &Checkpoint::meta},
                             {"optimizer/", &Checkpoint::optimizer},
                             {"method/", &Checkpoint::method},
                             {"job/", &Checkpoint::job}};

uint64_t fnv1a(std::string_view bytes, uint64_t hash = 0xcbf29ce484222325u) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  return hash;
}

// As the header defines it. The file has at least kChecksumAt bytes.
std::string checksum(std::string_view file) {
  const auto after = file.substr(std::min(file.size(), kChecksumAt + kNoChecksum.size()));
  const uint64_t value = fnv1a(after, fnv1a(kNoChecksum, fnv1a(file.substr(0, kChecksumAt))));
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

// The metadata of the file, which `damaged` introduces in an Error.
class Metadata {
 public:
  Metadata(const std::map<std::string, std::string>& texts, std::string damaged)
      : texts_(texts), damaged_(std::move(damaged)) {}

  const std::string& text(const std::string& key) const {
    const auto found = texts_.find(key);
    require(found != texts_.end(), damaged_, "its metadata have no '", key, "'");
    return found->second;
  }
  int64_t number(const std::string& key) const {
    const std::string& digits = text(key);
    int64_t value = -1;
    const auto* end = digits.data() + digits.size();
    const auto result = std::from_chars(digits.data(), end, value);
    require(result.ec == std::errc() && result.ptr == end && value >= 0, damaged_, "its ", key, " is '",
            shortened(digits), "', expected a whole number");
    return value;
  }

 private:
  const std::map<std::string, std::string>& texts_;
  std::string damaged_;
};

Params group_of(const Params& tensors, std::string_view prefix) {
  std::vector<Params::Entry> entries;
  for (const auto& [name, value] : tensors) {
    if (name.starts_with(prefix)) entries.push_back({name.substr(prefix.size()), value});
  }
  return Params(std::move(entries));
}

void require_existing(const std::filesystem::path& file, const std::string& name) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) return;
  const auto former = std::filesystem::path(file).replace_extension(".ckpt");
  const bool superseded = former != file && std::filesystem::exists(former, ignored);
  require(!superseded, name, " does not exist; '", former.string(),
          "' beside it is of the format before safetensors, which is not read: train again");
  throw Error(concat(name, " does not exist"));
}

}  // namespace

std::string format_checkpoint(const Checkpoint& checkpoint) {
  std::vector<Params::Entry> tensors;
  for (const auto& group : kGroups) {
    for (const auto& [name, value] : checkpoint.*group.params)
      tensors.push_back({std::string(group.prefix) + name, value});
  }
  std::map<std::string, std::string> metadata{
      {"checksum", std::string(kNoChecksum)},
      {"config", checkpoint.config},
      {"environment_steps", std::to_string(checkpoint.environment_steps)},
      {"format_version", std::to_string(kVersion)},
      {"iteration", std::to_string(checkpoint.iteration)},
      {"kind", checkpoint.kind}};
  if (!checkpoint.data.empty()) metadata["data"] = checkpoint.data;
  if (!checkpoint.data_shape.empty()) metadata["data_shape"] = checkpoint.data_shape;
  std::string bytes = format_safetensors({std::move(metadata), Params(std::move(tensors))});
  bytes.replace(kChecksumAt, kNoChecksum.size(), checksum(bytes));
  return bytes;
}

void save_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint) {
  write_file_atomically(file, format_checkpoint(checkpoint));
}

Checkpoint load_checkpoint(const std::filesystem::path& file) {
  const std::string name = concat("checkpoint '", file.string(), "'");
  require_existing(file, name);
  return parse_checkpoint(read_file(file, kSafetensorsLimit), name);
}

Checkpoint parse_checkpoint(std::string_view bytes, const std::string& name) {
  require(!bytes.starts_with(kVersion1), name,
          " is of the format before safetensors, which is not read: train again");
  const auto opening = bytes.substr(std::min<size_t>(bytes.size(), 8), kOpening.size());
  require(kOpening.starts_with(opening), name, " is not a checkpoint of innerloop");
  const Safetensors content = parse_safetensors(bytes, name);
  require(bytes.compare(kChecksumAt, kNoChecksum.size(), checksum(bytes)) == 0, name,
          " is damaged: its checksum does not match its content");
  const std::string damaged = name + " is damaged: ";
  const Metadata metadata(content.metadata, damaged);
  const int64_t version = metadata.number("format_version");
  require(version <= kVersion, name, " has format version ", version, ", this program reads versions up to ",
          kVersion, ": use the newer innerloop that wrote it");
  require(version == kVersion, damaged, "its format version is ", version, ", expected ", kVersion);
  Checkpoint checkpoint{.kind = metadata.text("kind"),
                        .config = metadata.text("config"),
                        .iteration = metadata.number("iteration"),
                        .environment_steps = metadata.number("environment_steps")};
  if (const auto data = content.metadata.find("data"); data != content.metadata.end())
    checkpoint.data = data->second;
  if (const auto shape = content.metadata.find("data_shape"); shape != content.metadata.end())
    checkpoint.data_shape = shape->second;
  size_t grouped = 0;
  for (const auto& group : kGroups) {
    checkpoint.*group.params = group_of(content.tensors, group.prefix);
    grouped += (checkpoint.*group.params).size();
  }
  require(grouped == content.tensors.size(), damaged, content.tensors.size() - grouped,
          " of its tensors belong to no known group");
  return checkpoint;
}

}  // namespace innerloop
