// print_help: the text of `innerloop COMMAND --help`.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <sstream>

#include "base/error.h"
#include "base/named_description.h"
#include "runners/command_keys.h"

namespace innerloop {
namespace {

size_t terminal_width() {
  int64_t width = 100;
  const char* columns = std::getenv("COLUMNS");
  winsize size{};
  if (columns != nullptr && keys::read_whole(columns, 40, 1000, width)) return static_cast<size_t>(width);
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) width = size.ws_col;
  return static_cast<size_t>(width);
}

// Words in lines of up to `width`, the first line after `first`, all others after `indent` spaces.
std::string wrapped(const std::string& first, const std::string& text, size_t indent, size_t width) {
  std::string out, line = first;
  bool fresh = true;  // no word of this line yet
  std::istringstream in(text);
  for (std::string word; in >> word; fresh = false) {
    if (!fresh && line.size() + 1 + word.size() > width) {
      out += line + "\n";
      line = std::string(indent, ' ');
      fresh = true;
    }
    line += (fresh ? "" : " ") + word;
  }
  return out + line + "\n";
}

// Paragraphs; a line that begins with a space or shows a command stays a line of its own.
std::string wrapped_paragraphs(const std::string& text, size_t width) {
  std::string out, paragraph;
  const auto flush = [&] {
    if (!paragraph.empty()) out += wrapped("", paragraph, 0, width);
    paragraph.clear();
  };
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == ' ' || line.rfind("example", 0) == 0) {
      flush();
      out += line + "\n";
    } else {
      paragraph += line + " ";
    }
  }
  flush();
  return out;
}

// "  --name VALUE    what it means", from column `indent` on.
std::string entry(const std::string& name, const std::string& meaning, size_t indent, size_t width) {
  std::string first = "  --" + name;
  if (first.size() + 2 > indent)
    return first + "\n" + wrapped(std::string(indent, ' '), meaning, indent, width);
  first.resize(indent, ' ');
  return wrapped(first, meaning, indent, width);
}

size_t column(const std::vector<std::string>& names, size_t width) {
  size_t longest = 0;
  for (const auto& name : names) longest = std::max(longest, name.size());
  return std::min(longest + 6, width / 2);
}

void print_rows_help(std::ostream& out, const CommandDescription& command, const std::vector<Setting>& rows,
                     size_t width) {
  const auto groups = own_keys(command);
  for (const auto& row : rows) {
    std::vector<std::string> known;
    const KeyGroup* found = nullptr;
    for (const auto& group : groups) {
      if (group.by != row.key) continue;
      known.push_back(group.row);
      if (group.row == row.value) found = &group;
    }
    require_usage(found != nullptr, row.where, ": ", unknown_name("name", row.value, known));
    out << found->title << (found->keys.empty() ? " has no keys of its own\n" : ":\n");
    for (const auto& key : found->keys)
      out << entry(key.name, help_text(key, key.initial), column(names_of(found->keys), width), width);
  }
}

}  // namespace

void print_help(std::ostream& out, const CommandDescription& command, const CommandLine& line) {
  const size_t width = terminal_width();
  if (!line.settings.empty()) return print_rows_help(out, command, line.settings, width);
  out << "innerloop " << command.name << (command.operands.empty() ? "" : " " + command.operands)
      << (command.options.empty() ? "" : " [options]") << "\n\n"
      << wrapped("", command.summary, 0, width);
  if (!command.details.empty()) out << "\n" << wrapped_paragraphs(command.details, width);

  std::vector<std::string> names;
  const auto with_value = [](const CommandOption& option) {
    return option.name + (option.value_name.empty() ? "" : " " + option.value_name);
  };
  for (const auto& option : command.options) names.push_back(with_value(option));
  if (!names.empty()) out << "\noptions:\n";
  for (const auto& option : command.options)
    out << entry(with_value(option), option.meaning, column(names, width), width);

  const auto keys = listed_keys(command);
  const auto groups = merged(own_keys(command));
  if (keys.empty() && groups.empty()) return;
  names = names_of(keys);
  for (const auto& group : groups) {
    for (const auto& key : group.keys) names.push_back(key.name);
  }
  const size_t indent = column(names, width);
  out << "\nconfiguration keys, with [defaults]: --key value, or key = value in an INI file\n";
  std::string section = "*";
  for (const auto& key : keys) {
    if (section_of(key.name) != section) {
      section = section_of(key.name);
      out << "\n" << (section.empty() ? "without section" : "[" + section + "]") << ":\n";
    }
    out << entry(key.name, help_text(key, default_text(command, key.name)), indent, width);
  }
  if (!groups.empty()) out << "\nkeys of one choice alone\n";
  for (const auto& group : groups) {
    out << "\n" << wrapped("", group.title + ":", 2, width);
    for (const auto& key : group.keys) out << entry(key.name, help_text(key, key.initial), indent, width);
  }
}

}  // namespace innerloop
