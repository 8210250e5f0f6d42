// The configuration keys that a command accepts, as help, man pages and completion show them.
#pragma once

#include <string>
#include <vector>

#include "runners/command_line.h"
#include "runners/experiment/options.h"

namespace innerloop {

// The common keys that the command accepts, section after section.
std::vector<Key> listed_keys(const CommandDescription& command);

// The own keys of one row of a table, among those that the command accepts.
struct KeyGroup {
  std::string by, row;  // "network.name", "conv4"
  std::string title;    // "network conv4"
  std::vector<Key> keys;
};
// A group for each row; also for those without keys.
std::vector<KeyGroup> own_keys(const CommandDescription& command);
// Groups whose keys are the same in all that is shown stand together: "environments ant_goal_gym, ...". Those
// without keys are left out.
std::vector<KeyGroup> merged(const std::vector<KeyGroup>& groups);

// What is shown of one key: its meaning, what it needs and, in brackets, `initial`, its default.
std::string help_text(const Key& key, const std::string& initial);
// "trpo" where one side matters; "trpo; adam for supervised learning" where both do.
std::string default_text(const CommandDescription& command, const std::string& name);

// The names that a key takes, of all sides that the command shows: those of a choice, "true" and "false" of a
// truth value, none of anything else.
std::vector<std::string> known_values(const CommandDescription& command, const std::string& name);

}  // namespace innerloop
