// What a shell completes behind `innerloop`: made of the commands' descriptions and of the keys they accept,
// so that a new command, option, key or row of a table appears by itself.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "runners/command_line.h"

namespace innerloop {

// The kind of a word that is expected.
enum class Expected {
  kNothing,  // an option without value
  kAnything,
  kNames,     // one of `names`
  kCommands,  // a command of the program
  kConfigs,   // a configuration by name, or an INI file
  kRuns,      // a folder that holds config.ini
  kFolders,
  kFiles
};

// An option as it can be completed: the command's own ones and --help, then the configuration keys it
// accepts.
struct CompletedOption {
  std::string name;     // "inner.steps"
  std::string meaning;  // one line
  std::string value;    // "FILE"; what the value is called, "" if there is none
  Expected expected = Expected::kNothing;
  std::vector<std::string> names = {};
};
std::vector<CompletedOption> completed_options(const CommandDescription& command);

// A word of the command that is no option: kNothing if it takes none. `first`: only the first
// word may be one.
struct CompletedWord {
  Expected expected = Expected::kNothing;
  std::vector<std::string> names = {};
  bool first = false;
};
CompletedWord completed_word(const CommandDescription& command);

// A script that a shell sources, or finds in its folder of completions.
void print_bash_completion(std::ostream& out, const std::vector<CommandDescription>& commands);
void print_zsh_completion(std::ostream& out, const std::vector<CommandDescription>& commands);

}  // namespace innerloop
