#include "runners/experiment/adapted_file.h"

#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "datasets/names.h"
#include "runners/experiment/safetensors.h"

namespace innerloop {
namespace {

constexpr const char* kAdaptedFormat = "innerloop adaptation";
constexpr int64_t kAdaptedVersion = 1;

struct AdaptedGroup {
  const char* prefix;
  Params AdaptedFile::*params;
};
constexpr AdaptedGroup kAdaptedGroups[] = {{"adapted/", &AdaptedFile::adapted},
                                           {"statistics/", &AdaptedFile::statistics},
                                           {"meta/", &AdaptedFile::meta},
                                           {"method/", &AdaptedFile::method},
                                           {"support/", &AdaptedFile::support}};

class AdaptedMetadata {
 public:
  AdaptedMetadata(const std::map<std::string, std::string>& texts, std::string damaged)
      : texts_(texts), damaged_(std::move(damaged)) {}

  const std::string& text(const std::string& key) const {
    const auto found = texts_.find(key);
    require(found != texts_.end(), damaged_, "its metadata have no '", key, "'");
    return found->second;
  }

  template <class Number>
  Number number(const std::string& key) const {
    const std::string& digits = text(key);
    Number value = 0;
    const auto* end = digits.data() + digits.size();
    const auto result = std::from_chars(digits.data(), end, value);
    require(result.ec == std::errc() && result.ptr == end && value >= 0, damaged_, "its ", key, " is ",
            in_quotes(digits), ", expected a whole number");
    return value;
  }

  std::vector<std::string> names(const std::string& key) const {
    const auto list = nlohmann::json::parse(text(key), nullptr, /*allow_exceptions=*/false);
    require(list.is_array(), damaged_, "its ", key, " are no JSON list");
    std::vector<std::string> out;
    for (const auto& name : list) {
      require(name.is_string(), damaged_, "one of its ", key, " is no text");
      out.push_back(name.get<std::string>());
    }
    return out;
  }

 private:
  const std::map<std::string, std::string>& texts_;
  std::string damaged_;
};

}  // namespace

void save_adapted(const std::filesystem::path& file, const AdaptedFile& content) {
  std::vector<Params::Entry> tensors;
  for (const auto& group : kAdaptedGroups) {
    for (const auto& [name, value] : content.*group.params) tensors.push_back({group.prefix + name, value});
  }
  write_safetensors(file, {{{"format", kAdaptedFormat},
                            {"format_version", std::to_string(kAdaptedVersion)},
                            {"kind", content.kind},
                            {"config", content.config},
                            {"data_shape", content.data_shape},
                            {"iteration", std::to_string(content.iteration)},
                            {"steps", std::to_string(content.steps)},
                            {"seed", std::to_string(content.seed)},
                            {"classes", nlohmann::json(content.classes).dump()},
                            {"pictures", content.pictures},
                            {"task", content.task}},
                           Params(std::move(tensors))});
}

AdaptedFile load_adapted(const std::filesystem::path& file) {
  const std::string name = concat("'", file.string(), "'");
  std::error_code ignored;
  require(std::filesystem::exists(file, ignored), name,
          " does not exist; --save of predict or act writes one");
  const Safetensors content = read_safetensors(file);
  const auto format = content.metadata.find("format");
  require(format != content.metadata.end() && format->second == kAdaptedFormat, name,
          " holds no adaptation; --save of predict or act writes one",
          content.metadata.count("checksum") != 0 ? " (this is a checkpoint: --run takes its folder)" : "");
  const std::string damaged = name + " is damaged: ";
  const AdaptedMetadata metadata(content.metadata, damaged);
  const auto version = metadata.number<int64_t>("format_version");
  require(version <= kAdaptedVersion, name, " has format version ", version,
          ", this program reads versions up to ", kAdaptedVersion, ": use the newer innerloop that wrote it");
  AdaptedFile out{.kind = metadata.text("kind"),
                  .config = metadata.text("config"),
                  .data_shape = metadata.text("data_shape"),
                  .iteration = metadata.number<int64_t>("iteration"),
                  .steps = metadata.number<int64_t>("steps"),
                  .seed = metadata.number<uint64_t>("seed"),
                  .classes = metadata.names("classes"),
                  .pictures = metadata.text("pictures"),
                  .task = metadata.text("task")};
  for (const auto& group : kAdaptedGroups) out.*group.params = content.tensors.part(group.prefix);
  require(
      !out.adapted.empty() || (!out.meta.empty() && out.support.contains("x") && out.support.contains("y")),
      damaged, "it has neither adapted parameters nor a support set");
  return out;
}

ExperimentConfig config_of(const AdaptedFile& content, const std::filesystem::path& file,
                           const std::vector<Setting>& overrides) {
  const std::string name = concat("'", file.string(), "' (its configuration)");
  const Side side = content.kind == "policy" ? Side::kPolicy : Side::kSupervised;
  try {
    ExperimentConfig config = make_config(parse_settings(content.config, name), overrides, side);
    require(config.side == side, name, " is one of ", side_name(config.side), ", expected ", side_name(side));
    return config;
  } catch (const UsageError& error) {
    throw Error(error.what());
  }
}

}  // namespace innerloop
