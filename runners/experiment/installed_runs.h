// The trained runs that come with the program, folders of assets/runs: "@NAME" stands for one wherever a run
// is named (find_run), and for its configuration where one is (find_config).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/named_description.h"

namespace innerloop {

// By name, with the first comment line of its config.ini.
std::vector<NamedDescription> installed_runs();

std::filesystem::path installed_runs_folder();

// The folder that "@NAME" means; nothing ("") for a text that does not begin with '@'. UsageError that begins
// with `asked` and has the known names for an "@NAME" that is none.
std::filesystem::path installed_run(const std::string& text, const std::string& asked);

}  // namespace innerloop
