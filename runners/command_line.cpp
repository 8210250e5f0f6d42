#include "runners/command_line.h"

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <charconv>
#include <ostream>
#include <set>

#include "base/error.h"
#include "runners/options.h"

namespace innerloop {
namespace {

namespace po = boost::program_options;

const CommandOption* own_option(const CommandDescription& command, const std::string& name) {
  for (const auto& option : command.options) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

bool accepts(const CommandDescription& command, const Option& key) {
  if (own_option(command, key.name) != nullptr) return false;
  return std::any_of(command.sections.begin(), command.sections.end(),
                     [&](const auto& section) { return section == "*" || section == key.section(); });
}

std::string without_dashes(const std::string& name) {
  return name.substr(std::min(name.find_first_not_of('-'), name.size()));
}

// "trpo" where one side matters; "trpo, or adam in supervised learning" where both do.
std::string default_text(const CommandDescription& command, const Option& key) {
  const Side side = key.side ? *key.side : command.side.value_or(Side::kPolicy);
  const std::string value = key.get(default_config(side));
  if (key.side && !command.side) return concat(value, "; for ", side_name(side));
  const std::string other = key.get(default_config(Side::kSupervised));
  if (command.side || other == value) return value;
  return concat(value, "; ", other, " for ", side_name(Side::kSupervised));
}

[[noreturn]] void refuse_unknown(const CommandDescription& command, const std::string& name) {
  std::vector<std::string> known{"help"};
  for (const auto& option : command.options) known.push_back(option.name);
  for (const auto& key : options()) {
    if (accepts(command, key)) known.push_back(key.name);
  }
  const std::string near = nearest_name(name, known);
  throw UsageError(concat(command.name, ": unknown option '--", name, "'; ",
                          near.empty() ? "" : concat("did you mean '--", near, "'? "),
                          "all options: innerloop ", command.name, " --help"));
}

}  // namespace

std::string CommandLine::value(const std::string& name, const std::string& otherwise) const {
  const auto found = values.find(name);
  return found == values.end() ? otherwise : found->second;
}

CommandLine parse_command_line(const CommandDescription& command, const std::vector<std::string>& arguments) {
  CommandLine line;
  for (const auto& argument : arguments) line.help = line.help || argument == "--help" || argument == "-h";
  if (line.help) return line;

  po::options_description known;
  for (const auto& option : command.options) {
    if (option.value_name.empty()) {
      known.add_options()(option.name.c_str(), "");
    } else {
      known.add_options()(option.name.c_str(), po::value<std::string>(), "");
    }
  }
  for (const auto& key : options()) {
    if (accepts(command, key)) known.add_options()(key.name.c_str(), po::value<std::string>(), "");
  }

  po::parsed_options parsed(nullptr);
  try {
    namespace style = po::command_line_style;
    parsed = po::command_line_parser(arguments)
                 .options(known)
                 .style(style::allow_long | style::long_allow_adjacent | style::long_allow_next)
                 .run();
  } catch (const po::unknown_option& error) {
    refuse_unknown(command, without_dashes(error.get_option_name()));
  } catch (const po::error& error) {
    throw UsageError(concat(command.name, ": ", error.what()));
  }
  std::set<std::string> seen;
  for (const auto& given : parsed.options) {
    if (given.position_key >= 0) {
      const std::string& word = given.value.front();
      require_usage(word.rfind('-', 0) != 0, command.name, ": unknown option '", word,
                    "'; options are spelled --name value");
      require_usage(!command.operands.empty(), command.name, ": unexpected word '", word,
                    "'; expected options only, see innerloop ", command.name, " --help");
      line.operands.push_back(word);
      continue;
    }
    const std::string& name = given.string_key;
    require_usage(seen.insert(name).second, command.name, ": --", name, " is given twice");
    const std::string value = given.value.empty() ? "" : given.value.front();
    const CommandOption* own = own_option(command, name);
    if (own != nullptr && own->key.empty()) {
      line.values[name] = value;
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

void print_help(std::ostream& out, const CommandDescription& command) {
  out << "innerloop " << command.name << (command.operands.empty() ? "" : " " + command.operands)
      << (command.options.empty() ? "" : " [options]") << "\n\n"
      << command.summary << "\n";
  if (!command.details.empty()) out << "\n" << command.details << "\n";
  po::options_description own("options", 110, 50);
  for (const auto& option : command.options) {
    const std::string name = option.name + (option.value_name.empty() ? "" : " " + option.value_name);
    own.add_options()(name.c_str(), option.meaning.c_str());
  }
  if (!command.options.empty()) out << "\n" << own;

  std::vector<po::options_description> sections;
  std::string section = "*";
  for (const auto& key : options()) {
    if (!accepts(command, key) || (command.side && !key.fits(*command.side))) continue;
    if (key.section() != section) {
      section = key.section();
      sections.emplace_back(section.empty() ? "without section" : "[" + section + "]", 110, 50);
    }
    const bool choices = !key.known.empty() && key.expected.size() < 60;
    const std::string meaning =
        concat(key.meaning, choices ? "; " + key.expected : "", "  [", default_text(command, key), "]");
    sections.back().add_options()(key.name.c_str(), meaning.c_str());
  }
  if (!sections.empty())
    out << "\nconfiguration keys, with [defaults]: --key value, or key = value in an INI file\n";
  for (const auto& keys : sections) out << "\n" << keys;
}

int64_t parse_integer(const std::string& name, const std::string& text, int64_t low, int64_t high) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  const bool fits = result.ec == std::errc() && result.ptr == end && value >= low && value <= high;
  const std::string upper = high == INT64_MAX ? "" : concat(" and at most ", high);
  require_usage(fits, "--", name, " is '", text, "', expected a whole number, at least ", low, upper);
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
