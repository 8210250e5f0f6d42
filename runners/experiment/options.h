// The keys of a configuration: they serve flags, INI files, --help and the written effective configuration.
// They are composed of those that the parts bring: common ones, which stand beside the structs, and own ones,
// which stand in the rows of the tables of algorithms, environments, policies, data sets and networks.
#pragma once

#include <string>
#include <vector>

#include "base/settings.h"
#include "runners/experiment/config.h"

namespace innerloop {

// What is chosen by name, and the own keys of each that can be chosen.
struct Choice {
  std::string by;    // the key that names it: "network.name", "algorithm"
  std::string kind;  // "network"
  struct Row {
    std::string name;
    std::vector<Key> keys;  // of ExperimentConfig, names with section: "network.filters"
  };
  std::vector<Row> rows;

  const Row* find(const std::string& name) const;
  std::vector<std::string> knowing(const std::string& key) const;  // names of the rows that have it
};

// All keys of one side, over ExperimentConfig, section after section.
struct KeyTable {
  std::vector<Key> common;
  std::vector<Choice> choices;

  const Key* find(const std::string& name) const;      // among the common ones
  const Choice* owner(const std::string& name) const;  // of a key that some of its rows have
  bool knows(const std::string& name) const;           // as common or as own
  // Common ones and those of the chosen rows; online.* only where there are rounds.
  std::vector<Key> keys_of(const ExperimentConfig& config) const;
};
const KeyTable& key_table(Side side);
inline constexpr Side kSides[] = {Side::kPolicy, Side::kSupervised};

std::string section_of(const std::string& key);  // "inner" of "inner.steps"; "" at the top
void order_by_section(std::vector<Key>& keys);   // stable

std::vector<std::string> key_names();  // of both sides, own ones with them

// What innerloop calls that which others call `name` ("lr": inner.step_size, meta.step_size; "logdir":
// run-dir).
std::vector<std::string> names_for(const std::string& name);

// "did you mean 'inner.steps'? ", "innerloop calls it inner.step_size or meta.step_size; " or "": `prefix`
// stands before each name ("--").
std::string suggestion(const std::string& name, const std::vector<std::string>& known,
                       const std::string& prefix = "");

}  // namespace innerloop
