// Configuration files: reading them, and finding the installed ones.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/named_description.h"

namespace innerloop {

// One `key = value` as somebody gave it.
struct Setting {
  std::string key;
  std::string value;
  std::string where;  // "configs/navigation_2d.ini:12", or "--inner.steps"
};

// UsageError, with the nearest known key, if there is no such key.
void require_known_key(const Setting& setting);

// A configuration in INI form: [sections], key = value, '#' comments. UsageError with file and line for a
// line that is neither, for an unknown key (with the nearest known one) and for a key given twice; also for
// what is no regular file (a folder, a FIFO, a device: it is not opened; /dev/stdin and /dev/fd/N, which the
// shell's <(command) gives, may be pipes) or is larger than 1 MB.
std::vector<Setting> read_settings(const std::filesystem::path& file);

// The same of its text; `name` is what errors call the file.
std::vector<Setting> parse_settings(const std::string& text, const std::string& name);

// The key = value lines of any INI text, keys as "section.key", known or not. UsageError as parse_settings.
std::vector<Setting> parse_ini(const std::string& text, const std::string& name);

// The text of a file of settings. UsageError as read_settings.
std::string read_ini(const std::filesystem::path& file);

// The file that --config NAME means: a path, or the name of an installed configuration (with or without
// ".ini"). UsageError with the known names if there is neither.
std::filesystem::path find_config(const std::string& name);

// By name ("navigation_2d"), with the first comment line of the file.
std::vector<NamedDescription> installed_configs();

// The same of suites (runners/suites/suite_file.h): a path, or the name of an installed one.
std::filesystem::path find_suite(const std::string& name);
std::vector<NamedDescription> installed_suites();

}  // namespace innerloop
