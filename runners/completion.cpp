#include "runners/completion.h"

#include <algorithm>
#include <sstream>

#include "runners/command_keys.h"

namespace innerloop {
namespace {

bool starts_with(const std::string& text, const std::string& beginning) {
  return text.rfind(beginning, 0) == 0;
}

// By what a value is called in the help: "DIR", "FILE.png", "RUN...".
Expected expected_of(const std::string& option, const std::string& value) {
  if (value.empty()) return Expected::kNothing;
  if (option == "config") return Expected::kConfigs;
  if (option == "run" || starts_with(value, "RUN")) return Expected::kRuns;
  if (starts_with(value, "DIR")) return Expected::kFolders;
  if (starts_with(value, "FILE") || starts_with(value, "PATH")) return Expected::kFiles;
  return Expected::kAnything;
}

CompletedOption completed_key(const CommandDescription& command, const Key& key) {
  CompletedOption option{key.name, key.meaning, "VALUE", Expected::kAnything};
  option.names = known_values(command, key.name);
  if (!option.names.empty()) {
    option.expected = Expected::kNames;
  } else if (starts_with(key.expected, "a path") || starts_with(key.expected, "a run directory")) {
    option.expected = Expected::kFiles;
  }
  return option;
}

// "environments", "policies" of "[environments | policies]"; nothing of "RUN...".
std::vector<std::string> alternatives(const std::string& operands) {
  std::vector<std::string> names;
  if (operands.find('|') == std::string::npos) return names;
  std::istringstream in(operands);
  for (std::string word; in >> word;) {
    word.erase(std::remove_if(word.begin(), word.end(), [](char c) { return c == '[' || c == ']'; }),
               word.end());
    std::istringstream parts(word);
    for (std::string name; std::getline(parts, name, '|');) {
      if (!name.empty()) names.push_back(name);
    }
  }
  return names;
}

}  // namespace

std::vector<CompletedOption> completed_options(const CommandDescription& command) {
  std::vector<CompletedOption> options;
  for (const auto& own : command.options) {
    CompletedOption option{own.name, own.meaning, own.value_name, expected_of(own.name, own.value_name)};
    option.names = own.known;
    if (option.names.empty() && !own.key.empty()) option.names = known_values(command, own.key);
    if (!option.names.empty()) option.expected = Expected::kNames;
    options.push_back(std::move(option));
  }
  options.push_back({"help", "explains the command and its options", "", Expected::kNothing});
  std::vector<Key> keys = listed_keys(command);
  for (const auto& group : own_keys(command)) keys.insert(keys.end(), group.keys.begin(), group.keys.end());
  for (const auto& key : keys) {
    const auto same = [&](const CompletedOption& option) { return option.name == key.name; };
    if (std::none_of(options.begin(), options.end(), same)) options.push_back(completed_key(command, key));
  }
  return options;
}

CompletedWord completed_word(const CommandDescription& command) {
  CompletedWord word;
  for (const auto& option : command.options) {
    if (option.name == command.word) word = {expected_of(option.name, option.value_name), option.known, true};
  }
  if (word.expected != Expected::kNothing) return word;
  word.names = alternatives(command.operands);
  if (!word.names.empty()) word.expected = Expected::kNames;
  if (starts_with(command.operands, "[COMMAND")) word.expected = Expected::kCommands;
  if (starts_with(command.operands, "RUN")) word.expected = Expected::kRuns;
  if (starts_with(command.operands, "FILE") || starts_with(command.operands, "PATH"))
    word.expected = Expected::kFiles;
  return word;
}

}  // namespace innerloop
