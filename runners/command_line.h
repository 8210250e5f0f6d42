// The arguments of one command: its own options, and configuration keys as --section.key value.
#pragma once

#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runners/experiment/config.h"

namespace innerloop {

struct CommandOption {
  std::string name;                     // "run-dir"; shadows a configuration key of the same name
  std::string value_name;               // "DIR"; "" for a switch without value
  std::string meaning;                  // one line for --help
  std::string key = {};                 // if set, the option is another name of this configuration key
  std::vector<std::string> known = {};  // names it takes, for completion; those of `key` need not be repeated
  bool many = false;                    // takes all words up to the next option
};

struct CommandDescription {
  std::string name;          // "train"
  std::string summary;       // one line
  std::string details = {};  // paragraphs below the usage line: what it reads, makes and returns
  std::vector<CommandOption> options = {};
  // Configuration keys the command accepts: sections ("" for keys without one), or {"*"} for all, or {} for
  // none.
  std::vector<std::string> sections = {};
  std::vector<std::string> without = {};  // sections and keys among them that it does not accept
  std::optional<Side> side = {};          // --help shows the keys of this side; nothing: of both
  std::string operands = {};              // "[environments | policies]"; "" if the command takes no words
  std::string word = {};  // the option that a first word sets: "config", so that `train NAME` works
};

bool accepts(const CommandDescription& command, const std::string& key);
std::vector<std::string> accepted_keys(const CommandDescription& command);

struct CommandLine {
  bool help = false;  // --help stood there; nothing else was checked but `settings`, which then hold the rows
                      // whose keys are asked for ("algorithm" = "cavia")
  std::map<std::string, std::string> values;  // the command's own options without `key`; "" for switches
  // Of those that take many words, all of them; the first is in `values` too.
  std::map<std::string, std::vector<std::string>> words;
  std::vector<Setting> settings;  // configuration keys, aliases included
  std::vector<std::string> operands;

  bool has(const std::string& name) const { return values.count(name) != 0; }
  std::string value(const std::string& name, const std::string& otherwise = "") const;
};

// UsageError for unknown options (with the nearest known, or what innerloop calls them), options given twice,
// missing values, unexpected words.
CommandLine parse_command_line(const CommandDescription& command, const std::vector<std::string>& arguments);

// The command, its options and the keys it accepts: the common ones, then those of the rows of each table.
// With `line.settings` only the own keys of the rows named there. As wide as the terminal.
void print_help(std::ostream& out, const CommandDescription& command, const CommandLine& line = {});

// Reads option `name` of a command as a whole number in [low, high], or as numbers separated by commas;
// UsageError says what was found and expected.
int64_t parse_integer(const std::string& name, const std::string& text, int64_t low,
                      int64_t high = INT64_MAX);
std::vector<int64_t> parse_integers(const std::string& name, const std::string& text, int64_t low,
                                    int64_t high = INT64_MAX);

}  // namespace innerloop
