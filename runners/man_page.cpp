#include "runners/man_page.h"

#include <algorithm>
#include <cctype>
#include <ostream>
#include <sstream>

#include "base/error.h"
#include "base/paths.h"
#include "runners/command_keys.h"
#include "runners/usage.h"

namespace innerloop {
namespace {

// Text as roff takes it: no backslash, hyphen, quote or dot of it is read as markup.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '`') {
      out += "\\(ga";
    } else if (c == '^') {
      out += "\\(ha";
    } else if (c == '~') {
      out += "\\(ti";
    } else {
      out += c;
    }
  }
  return out.empty() || out[0] != '.' ? out : "\\&" + out;
}

std::string bold(const std::string& text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + roff(text) + "\\fR"; }

void print_title(std::ostream& out, const std::string& page) {
  std::string title = page;
  for (char& c : title) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  out << ".\\\" Made by `innerloop help --man-pages`.\n.TH \"" << roff(title) << "\" 1 \"\" \"innerloop "
      << version() << "\" \"innerloop\"\n";
}

void print_entry(std::ostream& out, const std::string& tag, const std::string& meaning) {
  out << ".TP\n" << tag << "\n" << roff(meaning) << "\n";
}

// Paragraphs; a line that begins with a space or shows a command stays a line of its own, as in --help.
void print_paragraphs(std::ostream& out, const std::string& text) {
  bool verbatim = false, open = true;  // the heading before opens the first paragraph
  const auto end_verbatim = [&] {
    if (verbatim) out << ".fi\n.RE\n";
    verbatim = false;
  };
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const bool stays = !line.empty() && (line[0] == ' ' || line.rfind("example", 0) == 0);
    if (line.empty()) {
      end_verbatim();
      open = false;
    } else if (stays) {
      if (!verbatim) out << ".PP\n.RS 4\n.nf\n";
      verbatim = true;
      out << roff(line.substr(std::min(line.find_first_not_of(' '), size_t{2}))) << '\n';
    } else {
      if (verbatim) open = false;
      end_verbatim();
      if (!open) out << ".PP\n";
      open = true;
      out << roff(line) << '\n';
    }
  }
  end_verbatim();
}

// The first sentence's words as the line of NAME has them: "meta-trains a policy" without the dot.
std::string name_line(std::string summary) {
  if (!summary.empty() && summary.back() == '.') summary.pop_back();
  return summary;
}

void print_exit_codes(std::ostream& out) {
  out << ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : kExitCodes) print_entry(out, bold(code), meaning);
}

void print_keys(std::ostream& out, const CommandDescription& command) {
  const auto keys = listed_keys(command);
  const auto groups = merged(own_keys(command));
  if (keys.empty() && groups.empty()) return;
  out << ".SH CONFIGURATION KEYS\n"
      << "With their defaults in brackets; on the command line " << bold("--key") << " " << italic("value")
      << ", in an INI file key = value below the name of the section.\n";
  std::string section = "*";
  for (const auto& key : keys) {
    if (section_of(key.name) != section) {
      section = section_of(key.name);
      out << ".SS " << (section.empty() ? "Without section" : roff("[" + section + "]")) << "\n";
    }
    print_entry(out, bold("--" + key.name), help_text(key, default_text(command, key.name)));
  }
  for (const auto& group : groups) {
    out << ".SS Keys of " << roff(group.title) << "\n";
    for (const auto& key : group.keys) print_entry(out, bold("--" + key.name), help_text(key, key.initial));
  }
}

}  // namespace

void print_man_page(std::ostream& out, const std::vector<CommandDescription>& commands) {
  print_title(out, "innerloop");
  out << ".SH NAME\ninnerloop \\- " << roff(kWhatItIs) << "\n.SH SYNOPSIS\n.B innerloop\n.I COMMAND\n"
      << "[options]\n.SH COMMANDS\n";
  for (const auto& command : commands)
    print_entry(out, "\\fBinnerloop\\-" + roff(command.name) + "\\fR(1)", command.summary);
  out << ".SH EXAMPLES\n";
  for (const auto& [line, meaning] : kFirstSteps) print_entry(out, bold(line), meaning);
  out << ".SH ENVIRONMENT\n";
  for (const auto& [variable, meaning] : kEnvironmentVariables) print_entry(out, bold(variable), meaning);
  print_exit_codes(out);
}

void print_man_page(std::ostream& out, const CommandDescription& command) {
  const std::string page = "innerloop-" + command.name;
  print_title(out, page);
  out << ".SH NAME\n"
      << roff(page) << " \\- " << roff(name_line(command.summary)) << "\n.SH SYNOPSIS\n"
      << bold("innerloop " + command.name);
  if (!command.operands.empty()) out << " " << italic(command.operands);
  if (!command.options.empty()) out << " [options]";
  out << "\n";
  if (!command.details.empty()) {
    out << ".SH DESCRIPTION\n";
    print_paragraphs(out, command.details);
  }
  if (!command.options.empty()) out << ".SH OPTIONS\n";
  for (const auto& option : command.options) {
    const std::string value = option.value_name.empty() ? "" : " " + italic(option.value_name);
    print_entry(out, bold("--" + option.name) + value, option.meaning);
  }
  print_keys(out, command);
  print_exit_codes(out);
  out << ".SH SEE ALSO\n.BR innerloop (1)\n";
}

}  // namespace innerloop
