#include "runners/config.h"

#include <sched.h>

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/paths.h"
#include "meta/algorithms.h"
#include "runners/options.h"

namespace innerloop {
namespace {

namespace po = boost::program_options;

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Where the n-th key = value line stands; the parser of Boost does not say.
std::vector<int> lines_of_keys(const std::string& text) {
  std::vector<int> lines;
  std::istringstream in(text);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    line = trimmed(line.substr(0, line.find('#')));
    if (!line.empty() && line.front() != '[') lines.push_back(number);
  }
  return lines;
}

std::string place(const std::string& name, const std::string& text, const std::string& bad_line) {
  std::istringstream in(text);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (trimmed(line.substr(0, line.find('#'))) == trimmed(bad_line)) return concat(name, ":", number);
  }
  return name;
}

std::string read_text(const std::filesystem::path& file) {
  require_usage(!std::filesystem::is_directory(file), "configuration '", file.string(), "' is a folder");
  std::ifstream in(file, std::ios::binary);
  require_usage(in.good(), "cannot read the configuration '", file.string(), "'");
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string first_comment(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line.empty() || line[0] != '#' ? "" : trimmed(line.substr(1));
}

enum Level { kDefault, kFile, kFlag };
using Levels = std::map<std::string, std::pair<Level, const Setting*>>;

// "configs/a.ini:3: inner.steps", or "--inner.steps" alone.
std::string at(const Setting& setting) {
  return setting.where == "--" + setting.key ? setting.where : concat(setting.where, ": ", setting.key);
}

Side side_of(const std::vector<Setting>& file, const std::vector<Setting>& flags, Side otherwise) {
  const Setting *policy = nullptr, *supervised = nullptr;
  for (const auto* settings : {&flags, &file}) {
    for (const auto& setting : *settings) {
      const auto& side = find_option(setting.key, setting.where).side;
      if (!side) continue;
      auto& first = *side == Side::kPolicy ? policy : supervised;
      if (first == nullptr) first = &setting;
    }
  }
  require_usage(policy == nullptr || supervised == nullptr, policy == nullptr ? "" : at(*policy),
                " is a key of ", side_name(Side::kPolicy), ", ", supervised == nullptr ? "" : at(*supervised),
                " one of ", side_name(Side::kSupervised), ": a configuration is of one side");
  return policy != nullptr ? Side::kPolicy : supervised != nullptr ? Side::kSupervised : otherwise;
}

void assign(ExperimentConfig& config, const std::vector<Setting>& settings, Level level, Levels& levels) {
  for (const auto& setting : settings) {
    const Option& option = find_option(setting.key, setting.where);
    const auto given = levels.find(setting.key);
    require_usage(given == levels.end() || given->second.first != level, at(setting), " is given twice");
    if (!option.set(config, setting.value)) {
      const std::string near = nearest_name(setting.value, option.known);
      throw UsageError(concat(at(setting), " is '", setting.value, "', expected ", option.expected,
                              near.empty() ? "" : concat("; did you mean '", near, "'?")));
    }
    levels[setting.key] = {level, &setting};
  }
}

// The algorithm decides over what was said before it; what was said beside or after it must agree.
void fix_algorithm(ExperimentConfig& config, const Levels& levels) {
  const ExperimentConfig wanted = config;
  apply_algorithm(config.algorithm, config.meta());
  const auto chosen = levels.find("algorithm");
  const Level level = chosen == levels.end() ? kDefault : chosen->second.first;
  for (const auto& option : options()) {
    if (!option.fits(config.side)) continue;
    const std::string found = option.get(wanted), fixed = option.get(config);
    const auto given = levels.find(option.name);
    if (found == fixed || given == levels.end() || given->second.first < level) continue;
    throw UsageError(concat(at(*given->second.second), " is '", found, "', but algorithm ", config.algorithm,
                            " means ", option.name, " = ", fixed));
  }
}

// A flag has an effect or is refused. A file may hold keys that another setting has put out of use: the
// effective configuration of a run holds every key.
void require_effect(const ExperimentConfig& config, const std::vector<Setting>& flags) {
  for (const auto& flag : flags) {
    const auto& needs = find_option(flag.key, flag.where).needs;
    if (!needs) continue;
    const std::string found = find_option(needs->key, flag.where).get(config);
    require_usage(needs->met(found), at(flag), " would do nothing: ", needs->key, " is ", found,
                  ", expected ", needs->expected);
  }
}

std::map<std::string, std::string> by_key(const std::string& text,
                                          std::vector<std::string>* order = nullptr) {
  std::map<std::string, std::string> values;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const size_t equals = line.find(" = ");
    if (equals == std::string::npos) continue;
    values[line.substr(0, equals)] = line.substr(equals + 3);
    if (order != nullptr) order->push_back(line.substr(0, equals));
  }
  return values;
}

}  // namespace

std::vector<Setting> read_settings(const std::filesystem::path& file) {
  const std::string text = read_text(file);
  std::vector<Setting> settings;
  const std::vector<int> lines = lines_of_keys(text);
  try {
    std::istringstream in(text);
    const auto parsed = po::parse_config_file<char>(in, po::options_description(), true);
    for (size_t i = 0; i < parsed.options.size(); ++i) {
      const auto& option = parsed.options[i];
      const std::string where = i < lines.size() ? concat(file.string(), ":", lines[i]) : file.string();
      settings.push_back({option.string_key, option.value.empty() ? "" : option.value.front(), where});
    }
  } catch (const po::invalid_syntax& error) {
    throw UsageError(concat(place(file.string(), text, error.tokens()), ": cannot read '",
                            trimmed(error.tokens()), "', expected [section] or key = value"));
  } catch (const po::error& error) {
    throw UsageError(concat(file.string(), ": ", error.what()));
  }
  std::map<std::string, const Setting*> seen;
  for (const auto& setting : settings) {
    find_option(setting.key, setting.where);
    const auto [first, is_new] = seen.emplace(setting.key, &setting);
    require_usage(is_new, setting.where, ": ", setting.key, " is given twice, first at ",
                  first->second->where);
  }
  return settings;
}

std::vector<NamedConfig> installed_configs() {
  std::vector<NamedConfig> configs;
  for (const auto& entry : std::filesystem::directory_iterator(data_directory() / "configs")) {
    if (entry.path().extension() != ".ini") continue;
    configs.push_back({entry.path().stem().string(), first_comment(entry.path())});
  }
  std::sort(configs.begin(), configs.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return configs;
}

std::filesystem::path find_config(const std::string& name) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(name, ignored)) return name;
  const auto folder = data_directory() / "configs";
  for (const auto& candidate : {folder / name, folder / (name + ".ini")}) {
    if (name.find('/') == std::string::npos && std::filesystem::is_regular_file(candidate, ignored))
      return candidate;
  }
  std::vector<std::string> known;
  for (const auto& config : installed_configs()) known.push_back(config.name);
  throw UsageError(
      concat("--config: no file '", name, "', and ", unknown_name("configuration", name, known)));
}

std::string side_name(Side side) { return side == Side::kPolicy ? "policies" : "supervised learning"; }

ExperimentConfig default_config(Side side) {
  ExperimentConfig config;
  config.side = side;
  if (side == Side::kPolicy) return config;
  config.supervised.meta_batch_size = 25;
  config.supervised.inner.step_size = 0.01;
  config.supervised.optimizer.name = "adam";
  config.iterations = 1000;
  config.checkpoint.every = 1000;
  return config;
}

ExperimentConfig make_config(const std::vector<Setting>& file, const std::vector<Setting>& flags,
                             Side otherwise) {
  ExperimentConfig config = default_config(side_of(file, flags, otherwise));
  Levels levels;
  assign(config, file, kFile, levels);
  assign(config, flags, kFlag, levels);
  fix_algorithm(config, levels);
  require_effect(config, flags);
  const auto optimizer = levels.find("meta.optimizer");
  require_usage(config.side == Side::kPolicy || config.supervised.optimizer.name != "trpo",
                optimizer == levels.end() ? "" : at(*optimizer->second.second),
                " is 'trpo', which needs policies; expected adam or sgd in ", side_name(config.side));
  return config;
}

std::string format_config(const ExperimentConfig& config) {
  std::string text = "# The effective configuration of this run: every key.\n", section;
  for (const auto& option : options()) {
    if (!option.fits(config.side)) continue;
    if (option.section() != section) {
      section = option.section();
      text += concat("\n[", section, "]\n");
    }
    const std::string key = section.empty() ? option.name : option.name.substr(section.size() + 1);
    text += concat(key, " = ", option.get(config), "  # ", option.meaning, "\n");
  }
  return text;
}

std::string training_text(const ExperimentConfig& config) {
  std::string text;
  for (const auto& option : options()) {
    if (option.determines_training && option.fits(config.side))
      text += concat(option.name, " = ", option.get(config), "\n");
  }
  return text;
}

std::optional<Difference> first_difference(const std::string& left, const std::string& right,
                                           const std::string& prefix) {
  std::vector<std::string> order;
  auto saved = by_key(left, &order), now = by_key(right, &order);
  for (const auto& option : options()) {
    if (now.count(option.name) == 0 || saved.count(option.name) != 0) continue;
    saved[option.name] = option.get(default_config(option.side.value_or(Side::kPolicy)));
  }
  for (const auto& key : order) {
    if (key.rfind(prefix, 0) == 0 && (now.count(key) == 0 || saved[key] != now[key])) {
      return Difference{key, saved[key], now.count(key) != 0 ? now[key] : "(absent)"};
    }
  }
  return std::nullopt;
}

int thread_count(const ExperimentConfig& config) {
  if (config.threads > 0) return static_cast<int>(config.threads);
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return std::max(1, CPU_COUNT(&cores));
}

}  // namespace innerloop
