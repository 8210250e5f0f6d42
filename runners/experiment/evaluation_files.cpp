#include "runners/experiment/evaluation_files.h"

#include <algorithm>
#include <iostream>

#include "base/error.h"
#include "base/files.h"
#include "datasets/hash.h"
#include "runners/experiment/options.h"

namespace innerloop {
namespace {

constexpr char kSection[] = "evaluation";
constexpr size_t kLongestName = 200;  // bytes; file systems take 255

// The value in lines of "key = value", or `otherwise`.
std::string value_in(const std::string& text, const std::string& key, const std::string& otherwise) {
  const std::string lines = "\n" + text, begin = "\n" + key + " = ";
  const size_t at = lines.find(begin);
  if (at == std::string::npos) return otherwise;
  const size_t from = at + begin.size();
  return lines.substr(from, lines.find('\n', from) - from);
}

std::string as_file_name(const std::string& text) {
  constexpr char kPlain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.=_";
  std::string name = text;
  for (char& c : name) {
    if (std::string_view(kPlain).find(c) == std::string_view::npos) c = '-';
  }
  if (name == text && name.size() <= kLongestName) return name;
  return concat(name.substr(0, kLongestName), "_", Hash().add(text).hex());
}

}  // namespace

Overrides find_overrides(const ExperimentConfig& config, const std::string& trained_with) {
  Overrides found;
  for (const auto& key : key_table(config.side).keys_of(config)) {
    const bool named =
        key.name == "evaluation.tasks" || key.name == "evaluation.steps" || key.name == "evaluation.seed";
    const bool evaluates = section_of(key.name) == kSection;
    if (named || (!evaluates && !key.determines_training)) continue;
    const std::string value = key.get(&config);
    if (value != (evaluates ? key.initial : value_in(trained_with, key.name, key.initial)))
      found[key.name] = value;
  }
  return found;
}

std::string evaluation_name(const std::string& command, const ExperimentConfig& config,
                            const Overrides& overrides, int64_t after) {
  const KeyTable& table = key_table(config.side);
  std::string name = command;
  for (const char* key : {"tasks", "steps", "seed"})
    name += concat("_", key, "=", table.find(concat(kSection, ".", key))->get(&config));
  name += concat("_after=", after);
  for (const auto& [key, value] : overrides) {
    const bool evaluates = section_of(key) == kSection;
    name += concat("_", evaluates ? key.substr(sizeof kSection) : key, "=", value);
  }
  return as_file_name(name);
}

void keep_evaluation(const RunDirectory& directory, const std::string& command, const std::string& name,
                     const std::string& json) {
  const auto folder = directory.evaluations();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  require(!error, "cannot make the folder '", folder.string(), "': ", error.message());
  for (const auto& file : {folder / (name + ".json"), directory.results() / (command + ".json")}) {
    write_file_atomically(file, json);
    std::cout << "wrote " << file.string() << std::endl;
  }
}

}  // namespace innerloop
