#include "runners/experiment/config.h"

#include <sched.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "base/error.h"
#include "meta/algorithms/registry.h"
#include "runners/experiment/image_network.h"
#include "runners/experiment/options.h"

namespace innerloop {
namespace {

enum Level { kDefault, kFile, kFlag };
using Levels = std::map<std::string, std::pair<Level, const Setting*>>;

// "configs/a.ini:3: inner.steps", or "--inner.steps" alone.
std::string at(const Setting& setting) {
  return setting.where == "--" + setting.key ? setting.where : concat(setting.where, ": ", setting.key);
}

// The side that alone knows the key; nothing if both do.
std::optional<Side> side_of(const Setting& setting) {
  std::optional<Side> found;
  for (const Side side : kSides) {
    if (!key_table(side).knows(setting.key)) continue;
    if (found) return std::nullopt;
    found = side;
  }
  if (!found) require_known_key(setting);
  return found;
}

// The side of the algorithm, if it is for one alone.
std::optional<Side> side_of_algorithm(const std::string& name) {
  for (const auto& row : algorithms()) {
    if (row.name != name || row.supervised() == row.policies()) continue;
    return row.policies() ? Side::kPolicy : Side::kSupervised;
  }
  return std::nullopt;
}

Side side_of(const std::vector<Setting>& file, const std::vector<Setting>& flags, Side otherwise) {
  const Setting *policy = nullptr, *supervised = nullptr;
  bool algorithm_said = false;
  for (const auto* settings : {&flags, &file}) {
    for (const auto& setting : *settings) {
      const auto side = side_of(setting);
      if (setting.key == "algorithm" && !algorithm_said) {
        algorithm_said = true;
        otherwise = side_of_algorithm(setting.value).value_or(otherwise);
      }
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

void set(ExperimentConfig& config, const Key& key, const Setting& setting) {
  if (key.set(&config, setting.value)) return;
  const std::string near = nearest_name(setting.value, key.known);
  throw UsageError(concat(at(setting), " is '", shortened(setting.value), "', expected ", key.expected,
                          near.empty() ? "" : concat("; did you mean '", near, "'?")));
}

Level level_of(const Levels& levels, const std::string& key) {
  const auto found = levels.find(key);
  return found == levels.end() ? kDefault : found->second.first;
}

// A key that only other rows know than the chosen one.
[[noreturn]] void refuse_own_key(const Choice& choice, const std::string& chosen, const Setting& setting) {
  const auto rows = choice.knowing(setting.key);
  throw UsageError(concat(at(setting), ": ", choice.kind, " ", chosen, " does not know this key (", choice.by,
                          " = ", chosen, "); ", join(rows), rows.size() == 1 ? " does" : " do"));
}

void assign(ExperimentConfig& config, const std::vector<Setting>& settings, Level level, bool own,
            Levels& levels) {
  const KeyTable& table = key_table(config.side);
  for (const auto& setting : settings) {
    const Key* key = table.find(setting.key);
    if ((key == nullptr) != own) continue;
    if (own) {
      const Choice& choice = *table.owner(setting.key);
      const std::string chosen = table.find(choice.by)->get(&config);
      const auto& keys = choice.find(chosen)->keys;
      const auto found =
          std::find_if(keys.begin(), keys.end(), [&](const Key& k) { return k.name == setting.key; });
      if (found == keys.end() && level_of(levels, choice.by) > level) continue;
      if (found == keys.end()) refuse_own_key(choice, chosen, setting);
      key = &*found;
    }
    const auto given = levels.find(setting.key);
    require_usage(given == levels.end() || given->second.first != level, at(setting), " is given twice");
    set(config, *key, setting);
    levels[setting.key] = {level, &setting};
  }
}

// The algorithm decides over what was said before it; what was said beside or after it must agree.
void fix_algorithm(ExperimentConfig& config, const Levels& levels) {
  const KeyTable& table = key_table(config.side);
  const ExperimentConfig wanted = config;
  const Algorithm& algorithm = find_algorithm(config.algorithm());
  const auto chosen = levels.find("algorithm");
  require_usage(config.side == Side::kPolicy ? algorithm.policies() : algorithm.supervised(),
                chosen == levels.end() ? "algorithm" : at(*chosen->second.second), " is '", algorithm.name,
                "', which is not for ", side_name(config.side));
  apply_algorithm(algorithm.name, config.meta());
  for (const auto& [name, value] : algorithm.prescribes) {
    const Key* key = table.find(name);
    require(key != nullptr && key->set(&config, value), "algorithm ", algorithm.name, " prescribes ", name,
            " = ", value, ", which ", side_name(config.side), " cannot have");
    const std::string found = key->get(&wanted), fixed = key->get(&config);
    const auto given = levels.find(name);
    if (found == fixed || given == levels.end() || given->second.first < level_of(levels, "algorithm"))
      continue;
    throw UsageError(concat(at(*given->second.second), " is '", found, "', but algorithm ", algorithm.name,
                            " means ", name, " = ", fixed));
  }
}

// A flag has an effect or is refused. A file may hold keys that another setting has put out of use: the
// effective configuration of a run holds every key.
void require_effect(const ExperimentConfig& config, const std::vector<Setting>& flags) {
  const KeyTable& table = key_table(config.side);
  for (const auto& flag : flags) {
    const Key* key = table.find(flag.key);
    if (key == nullptr || !key->needs) continue;
    const auto& needs = *key->needs;
    const std::string found = table.find(needs.key)->get(&config);
    require_usage(needs.met(found), at(flag), " would do nothing: ", needs.key, " is ", found, ", expected ",
                  needs.expected);
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

// A key of the training that these texts are of; null if there is none.
const Key* key_of(const std::string& name, const std::map<std::string, std::string>& values) {
  for (const Side side : kSides) {
    const KeyTable& table = key_table(side);
    const auto& rows = table.choices;
    if (!std::all_of(rows.begin(), rows.end(), [&](const auto& c) { return values.count(c.by) != 0; }))
      continue;
    if (const Key* key = table.find(name)) return key;
    for (const auto& choice : rows) {
      const auto* row = choice.find(values.at(choice.by));
      if (row == nullptr) continue;
      for (const auto& key : row->keys) {
        if (key.name == name) return &key;
      }
    }
  }
  return nullptr;
}

}  // namespace

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
  for (const bool own : {false, true}) {  // what rows are chosen decides which own keys there are
    assign(config, file, kFile, own, levels);
    assign(config, flags, kFlag, own, levels);
    if (!own) choose_network_for_images(config, file, flags);
  }
  fix_algorithm(config, levels);
  require_effect(config, flags);
  return config;
}

std::string format_config(const ExperimentConfig& config) {
  std::string text = "# The effective configuration of this run: every key.\n", section;
  for (const auto& key : key_table(config.side).keys_of(config)) {
    if (section_of(key.name) != section) {
      section = section_of(key.name);
      text += concat("\n[", section, "]\n");
    }
    const std::string name = section.empty() ? key.name : key.name.substr(section.size() + 1);
    text += concat(name, " = ", key.get(&config), "  # ", key.meaning, "\n");
  }
  return text;
}

std::string training_text(const ExperimentConfig& config) {
  std::string text;
  for (const auto& key : key_table(config.side).keys_of(config)) {
    if (key.determines_training) text += concat(key.name, " = ", key.get(&config), "\n");
  }
  return text;
}

std::optional<Difference> first_difference(const std::string& left, const std::string& right,
                                           const std::string& prefix) {
  std::vector<std::string> order;
  auto saved = by_key(left, &order), now = by_key(right, &order);
  for (const auto& [name, value] : now) {
    const Key* key = key_of(name, now);
    if (saved.count(name) == 0) saved[name] = key == nullptr ? "" : key->initial;
  }
  for (const auto& key : order) {
    const Key* known = key_of(key, now);
    if (known != nullptr && !known->determines_training) continue;  // it did when `left` was written
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
