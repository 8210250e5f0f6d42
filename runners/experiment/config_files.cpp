#include "runners/experiment/config_files.h"

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <fstream>
#include <map>
#include <sstream>

#include "base/error.h"
#include "base/paths.h"
#include "runners/experiment/installed_runs.h"
#include "runners/experiment/options.h"

namespace innerloop {
namespace {

namespace po = boost::program_options;

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Where the n-th key = value line stands; the parser of Boost does not say.
std::vector<int> lines_of_keys(const std::string& text) {
  std::vector<int> lines;
  std::istringstream in(text);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    line = trimmed(line.substr(0, line.find('#')));
    if (!line.empty() && line.front() != '[') lines.push_back(number);
  }
  return lines;
}

std::string place(const std::string& name, const std::string& text, const std::string& bad_line) {
  std::istringstream in(text);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (trimmed(line.substr(0, line.find('#'))) == trimmed(bad_line)) return concat(name, ":", number);
  }
  return name;
}

constexpr uintmax_t kLargestConfiguration = 1 << 20;

std::string kind_of(const std::filesystem::file_status& status) {
  switch (status.type()) {
    case std::filesystem::file_type::directory:
      return "a folder";
    case std::filesystem::file_type::fifo:
      return "a FIFO";
    case std::filesystem::file_type::socket:
      return "a socket";
    case std::filesystem::file_type::character:
    case std::filesystem::file_type::block:
      return "a device";
    default:
      return "no regular file";
  }
}

// A pipe that the caller opened: of `--config <(command)`, or stdin. Reading it ends with its writer; a FIFO
// by name may have none.
bool open_pipe(const std::filesystem::path& file, const std::filesystem::file_status& status) {
  const auto folder = file.parent_path();
  return std::filesystem::is_fifo(status) &&
         (file == "/dev/stdin" || folder == "/dev/fd" || folder == "/proc/self/fd");
}

bool can_be_read(const std::filesystem::path& file) {
  std::error_code ignored;
  const auto status = std::filesystem::status(file, ignored);
  return std::filesystem::is_regular_file(status) || open_pipe(file, status);
}

std::string first_comment(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line.empty() || line[0] != '#' ? "" : trimmed(line.substr(1));
}

std::vector<NamedDescription> installed(const std::filesystem::path& folder) {
  std::vector<NamedDescription> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".ini") continue;
    files.push_back({entry.path().stem().string(), first_comment(entry.path())});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return files;
}

// `asked`: what errors begin with; `kind`: "configuration".
std::filesystem::path find_file(const std::string& asked, const std::string& kind, const std::string& name,
                                const std::filesystem::path& folder) {
  std::error_code ignored;
  if (can_be_read(name)) return name;
  for (const auto& candidate : {folder / name, folder / (name + ".ini")}) {
    if (name.find('/') == std::string::npos && std::filesystem::is_regular_file(candidate, ignored))
      return candidate;
  }
  const auto status = std::filesystem::status(name, ignored);
  require_usage(!std::filesystem::exists(status), asked, ": '", name, "' is ", kind_of(status),
                ", expected a file");
  std::vector<std::string> known;
  for (const auto& file : installed(folder)) known.push_back(file.name);
  throw UsageError(concat(asked, ": no file '", name, "', and ", unknown_name(kind, name, known)));
}

}  // namespace

std::string read_ini(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  require_usage(std::filesystem::exists(status), "cannot read the configuration '", file.string(), "'");
  require_usage(can_be_read(file), "configuration '", file.string(), "' is ", kind_of(status),
                ", expected a file");
  std::ifstream in(file, std::ios::binary);
  require_usage(in.good(), "cannot read the configuration '", file.string(), "'");
  std::string text(kLargestConfiguration + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  require_usage(text.size() <= kLargestConfiguration, "configuration '", file.string(), "' is larger than ",
                kLargestConfiguration, " bytes, no configuration is");
  return text;
}

void require_known_key(const Setting& setting) {
  for (const Side side : kSides) {
    if (key_table(side).knows(setting.key)) return;
  }
  throw UsageError(concat(setting.where, ": unknown key '", shortened(setting.key), "'; ",
                          suggestion(setting.key, key_names()), "all keys: innerloop train --help"));
}

std::vector<Setting> read_settings(const std::filesystem::path& file) {
  return parse_settings(read_ini(file), file.string());
}

std::vector<Setting> parse_settings(const std::string& text, const std::string& name) {
  auto settings = parse_ini(text, name);
  for (const auto& setting : settings) require_known_key(setting);
  return settings;
}

std::vector<Setting> parse_ini(const std::string& text, const std::string& name) {
  std::vector<Setting> settings;
  const std::vector<int> lines = lines_of_keys(text);
  try {
    std::istringstream in(text);
    const auto parsed = po::parse_config_file<char>(in, po::options_description(), true);
    for (size_t i = 0; i < parsed.options.size(); ++i) {
      const auto& option = parsed.options[i];
      const std::string where = i < lines.size() ? concat(name, ":", lines[i]) : name;
      settings.push_back({option.string_key, option.value.empty() ? "" : option.value.front(), where});
    }
  } catch (const po::invalid_syntax& error) {
    throw UsageError(concat(place(name, text, error.tokens()), ": cannot read '",
                            shortened(trimmed(error.tokens())), "', expected [section] or key = value"));
  } catch (const po::error& error) {
    throw UsageError(concat(name, ": ", shortened(error.what())));
  }
  std::map<std::string, const Setting*> seen;
  for (const auto& setting : settings) {
    const auto [first, is_new] = seen.emplace(setting.key, &setting);
    require_usage(is_new, setting.where, ": ", setting.key, " is given twice, first at ",
                  first->second->where);
  }
  return settings;
}

std::vector<NamedDescription> installed_configs() { return installed(data_directory() / "configs"); }

std::filesystem::path find_config(const std::string& name) {
  if (const auto run = installed_run(name, "--config"); !run.empty()) return run / "config.ini";
  return find_file("--config", "configuration", name, data_directory() / "configs");
}

std::vector<NamedDescription> installed_suites() {
  return installed(data_directory() / "configs" / "suites");
}

std::filesystem::path find_suite(const std::string& name) {
  return find_file("suite", "suite", name, data_directory() / "configs" / "suites");
}

}  // namespace innerloop
