// The one table of configuration keys: it serves flags, INI files, --help and the written effective
// configuration. Adding a key is one line in options.cpp; a key of a new section is the same line with the
// new section's name.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runners/config.h"

namespace innerloop {

// What a key needs of another one to have any effect: meta.max_kl that meta.optimizer is trpo.
struct Needs {
  std::string key;
  std::string expected;  // "trpo"
  std::function<bool(const std::string& value)> met;
};

struct Option {
  std::string name;      // "inner.step_size"; no dot: top of the file
  std::string meaning;   // one line for --help and the written configuration
  std::string expected;  // "a number above 0"
  bool determines_training = true;
  // False if the text is not what `expected` says; the configuration is then as before.
  std::function<bool(ExperimentConfig&, const std::string& text)> set;
  std::function<std::string(const ExperimentConfig&)> get;  // text that `set` reads back to the same value

  std::vector<std::string> known = {};      // the values of a choice, or none
  std::optional<Side> side = std::nullopt;  // the side it belongs to; nothing: both
  std::optional<Needs> needs = std::nullopt;

  bool fits(Side of) const { return !side || *side == of; }
  std::string section() const;  // "inner", or "" at the top
};

const std::vector<Option>& options();
std::vector<std::string> option_names();
// UsageError with the nearest known name; `where` says in which file and line, or which argument, it stood.
const Option& find_option(const std::string& name, const std::string& where);

}  // namespace innerloop
