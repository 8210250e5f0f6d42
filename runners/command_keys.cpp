#include "runners/command_keys.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace innerloop {
namespace {

std::vector<Side> sides_of(const CommandDescription& command) {
  return command.side ? std::vector<Side>{*command.side}
                      : std::vector<Side>(std::begin(kSides), std::end(kSides));
}

}  // namespace

std::string help_text(const Key& key, const std::string& initial) {
  const bool choices = !key.known.empty() && key.expected.size() < 60;
  const std::string needs = key.needs ? concat("; with ", key.needs->key, " ", key.needs->expected) : "";
  return concat(key.meaning, choices ? "; " + key.expected : "", needs, "  [", initial, "]");
}

std::string default_text(const CommandDescription& command, const std::string& name) {
  const Key* policy = key_table(Side::kPolicy).find(name);
  const Key* supervised = key_table(Side::kSupervised).find(name);
  if (command.side) return (*command.side == Side::kPolicy ? policy : supervised)->initial;
  if (policy == nullptr) return concat(supervised->initial, "; for ", side_name(Side::kSupervised));
  if (supervised == nullptr) return concat(policy->initial, "; for ", side_name(Side::kPolicy));
  if (policy->initial == supervised->initial) return policy->initial;
  return concat(policy->initial, "; ", supervised->initial, " for ", side_name(Side::kSupervised));
}

std::vector<Key> listed_keys(const CommandDescription& command) {
  std::vector<Key> keys;
  for (const Side side : sides_of(command)) {
    for (const auto& key : key_table(side).common) {
      const auto same = [&](const Key& k) { return k.name == key.name; };
      if (accepts(command, key.name) && std::none_of(keys.begin(), keys.end(), same)) keys.push_back(key);
    }
  }
  order_by_section(keys);
  return keys;
}

std::vector<KeyGroup> own_keys(const CommandDescription& command) {
  std::vector<KeyGroup> groups;
  for (const Side side : sides_of(command)) {
    for (const auto& choice : key_table(side).choices) {
      for (const auto& row : choice.rows) {
        const std::string title = choice.kind + " " + row.name;
        const auto same = [&](const KeyGroup& group) { return group.title == title; };
        if (std::any_of(groups.begin(), groups.end(), same)) continue;
        KeyGroup group{choice.by, row.name, title, {}};
        for (const auto& key : row.keys) {
          if (accepts(command, key.name)) group.keys.push_back(key);
        }
        groups.push_back(std::move(group));
      }
    }
  }
  return groups;
}

std::vector<KeyGroup> merged(const std::vector<KeyGroup>& groups) {
  const auto shown = [](const KeyGroup& group) {
    std::string text = group.by;
    for (const auto& key : group.keys) text += "\n" + key.name + help_text(key, key.initial);
    return text;
  };
  std::vector<KeyGroup> out;
  for (const auto& group : groups) {
    if (group.keys.empty()) continue;
    const auto twin =
        std::find_if(out.begin(), out.end(), [&](const KeyGroup& g) { return shown(g) == shown(group); });
    if (twin == out.end()) {
      out.push_back(group);
    } else {
      twin->title += ", " + group.row;
    }
  }
  return out;
}

std::vector<std::string> known_values(const CommandDescription& command, const std::string& name) {
  std::vector<std::string> values;
  const auto add = [&](const Key& key) {
    if (key.name != name) return;
    const bool truth = key.expected == "true or false";
    for (const auto& value : truth ? std::vector<std::string>{"true", "false"} : key.known) {
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    }
  };
  for (const Side side : sides_of(command)) {
    for (const auto& key : key_table(side).common) add(key);
    for (const auto& choice : key_table(side).choices) {
      for (const auto& row : choice.rows) std::for_each(row.keys.begin(), row.keys.end(), add);
    }
  }
  return values;
}

}  // namespace innerloop
