#include "runners/command_line.h"

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <charconv>
#include <set>
#include <sstream>

#include "base/error.h"
#include "runners/experiment/options.h"

namespace innerloop {
namespace {

namespace po = boost::program_options;

const CommandOption* own_option(const CommandDescription& command, const std::string& name) {
  for (const auto& option : command.options) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

std::string without_dashes(const std::string& name) {
  return name.substr(std::min(name.find_first_not_of('-'), name.size()));
}

[[noreturn]] void refuse_unknown(const CommandDescription& command, const std::string& written) {
  const std::string name = without_dashes(written.substr(0, written.find('=')));
  std::vector<std::string> known = accepted_keys(command);
  known.emplace_back("help");
  for (const auto& option : command.options) known.push_back(option.name);
  const bool exact = std::find(known.begin(), known.end(), name) != known.end();
  throw UsageError(concat(
      command.name, ": unknown option '", shortened(written), "'; ",
      exact ? concat("options are spelled with two dashes: '--", name, "'; ") : suggestion(name, known, "--"),
      "all options: innerloop ", command.name, " --help"));
}

// The values given for keys that choose a row, for --help.
std::vector<Setting> chosen_rows(const std::vector<std::string>& arguments) {
  std::vector<Setting> rows;
  for (const Side side : kSides) {
    for (const auto& choice : key_table(side).choices) {
      const std::string flag = "--" + choice.by;
      for (size_t i = 0; i < arguments.size(); ++i) {
        std::string name;
        if (arguments[i] == flag && i + 1 < arguments.size()) name = arguments[i + 1];
        if (arguments[i].rfind(flag + "=", 0) == 0) name = arguments[i].substr(flag.size() + 1);
        const auto same = [&](const Setting& row) { return row.key == choice.by && row.value == name; };
        if (name.empty() || name[0] == '-' || std::any_of(rows.begin(), rows.end(), same)) continue;
        rows.push_back({choice.by, name, flag});
      }
    }
  }
  return rows;
}

}  // namespace

bool accepts(const CommandDescription& command, const std::string& key) {
  if (own_option(command, key) != nullptr) return false;
  for (const auto& left_out : command.without) {
    if (left_out == key || left_out == section_of(key)) return false;
  }
  if (command.sections == std::vector<std::string>{"*"}) return true;
  return std::find(command.sections.begin(), command.sections.end(), section_of(key)) !=
         command.sections.end();
}

std::vector<std::string> accepted_keys(const CommandDescription& command) {
  std::vector<std::string> names;
  for (const auto& name : key_names()) {
    if (accepts(command, name)) names.push_back(name);
  }
  return names;
}

std::string CommandLine::value(const std::string& name, const std::string& otherwise) const {
  const auto found = values.find(name);
  return found == values.end() ? otherwise : found->second;
}

CommandLine parse_command_line(const CommandDescription& command, const std::vector<std::string>& arguments) {
  CommandLine line;
  for (const auto& argument : arguments) {
    line.help = line.help || argument == "--help" || argument == "-h";
    if (argument.rfind("---", 0) == 0) refuse_unknown(command, argument);
  }
  if (line.help) {
    line.settings = chosen_rows(arguments);
    return line;
  }

  po::options_description known;
  for (const auto& option : command.options) {
    if (option.value_name.empty()) {
      known.add_options()(option.name.c_str(), "");
    } else if (option.many) {
      known.add_options()(option.name.c_str(), po::value<std::vector<std::string>>()->multitoken(), "");
    } else {
      known.add_options()(option.name.c_str(), po::value<std::string>(), "");
    }
  }
  for (const auto& key : accepted_keys(command)) {
    known.add_options()(key.c_str(), po::value<std::string>(), "");
  }

  po::parsed_options parsed(nullptr);
  try {
    namespace style = po::command_line_style;
    parsed = po::command_line_parser(arguments)
                 .options(known)
                 .style(style::allow_long | style::long_allow_adjacent | style::long_allow_next)
                 .run();
  } catch (const po::unknown_option& error) {
    refuse_unknown(command, "--" + without_dashes(error.get_option_name()));
  } catch (const po::error& error) {
    throw UsageError(concat(command.name, ": ", shortened(error.what())));
  }
  std::set<std::string> seen;
  for (const auto& given : parsed.options) {
    if (given.position_key >= 0) {
      const std::string& word = given.value.front();
      if (word.rfind('-', 0) == 0) refuse_unknown(command, word);
      const bool first = line.operands.empty() && line.values.count(command.word) == 0;
      if (!command.word.empty() && first && seen.insert(command.word).second) {
        line.values[command.word] = word;
        continue;
      }
      require_usage(!command.operands.empty(), command.name, ": unexpected word '", shortened(word),
                    "'; expected options, see innerloop ", command.name, " --help");
      line.operands.push_back(word);
      continue;
    }
    const std::string& name = given.string_key;
    require_usage(seen.insert(name).second, command.name, ": --", name, " is given twice");
    const std::string value = given.value.empty() ? "" : given.value.front();
    const CommandOption* own = own_option(command, name);
    if (own != nullptr && own->key.empty()) {
      line.values[name] = value;
      if (own->many) line.words[name] = given.value;
    } else {
      const std::string key = own == nullptr ? name : own->key;
      for (const auto& setting : line.settings) {
        require_usage(setting.key != key, command.name, ": --", name, " and ", setting.where,
                      " are the same key");
      }
      line.settings.push_back({key, value, "--" + name});
    }
  }
  return line;
}

int64_t parse_integer(const std::string& name, const std::string& text, int64_t low, int64_t high) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  const bool fits = result.ec == std::errc() && result.ptr == end && value >= low && value <= high;
  const std::string upper = high == INT64_MAX ? "" : concat(" and at most ", high);
  require_usage(fits, "--", name, " is '", shortened(text), "', expected a whole number, at least ", low,
                upper);
  return value;
}

std::vector<int64_t> parse_integers(const std::string& name, const std::string& text, int64_t low,
                                    int64_t high) {
  std::vector<int64_t> values;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    values.push_back(parse_integer(name, text.substr(at, comma - at), low, high));
    at = comma + 1;
  }
  return values;
}

}  // namespace innerloop
