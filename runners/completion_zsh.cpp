// print_zsh_completion: zsh's own _arguments takes the options with their meanings.
#include <ostream>

#include "base/error.h"
#include "base/named_description.h"
#include "base/paths.h"
#include "runners/completion.h"
#include "runners/experiment/config_files.h"

namespace innerloop {
namespace {

constexpr char kZshBeginning[] = R"(
_innerloop_configs() {
  local expl
  _wanted configs expl 'configuration' compadd -a configs
  _files -g '*.ini'
}

# Folders of trainings: they hold a config.ini, up to two folders further down.
_innerloop_runs() {
  local expl before=${(Q)PREFIX}
  local -a runs
  runs=(${before}*/config.ini(N:h) ${before}*/*/config.ini(N:h) ${before}*/*/*/config.ini(N:h))
  _wanted runs expl 'run directory' compadd -f -a runs || _files -/
}

_innerloop() {
)";

constexpr char kZshEnd[] = R"(
}

# Found in a folder of $fpath, or sourced.
if [[ ${funcstack[1]} == _innerloop ]]; then
  _innerloop "$@"
else
  compdef _innerloop innerloop
fi
)";

std::string with_escapes(const std::string& text, const std::string& special) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string::npos) out += '\\';
    out += c;
  }
  return out;
}

// A word of the shell, in single quotes.
std::string zsh_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// What _arguments does to complete a value: ":FILE:_files".
std::string zsh_action(const std::string& value, Expected expected, const std::vector<std::string>& names) {
  const std::string message = ":" + with_escapes(value, "\\:") + ":";
  switch (expected) {
    case Expected::kNothing:
      return "";
    case Expected::kAnything:
      return message + " ";
    case Expected::kNames:
      return message + "(" + join(names, " ") + ")";
    case Expected::kCommands:
      return message + "(${commands%%:*})";
    case Expected::kConfigs:
      return message + "_innerloop_configs";
    case Expected::kRuns:
      return message + "_innerloop_runs";
    case Expected::kFolders:
      return message + "_files -/";
    case Expected::kFiles:
      return message + "_files";
  }
  return "";
}

void print_zsh_command(std::ostream& out, const CommandDescription& command) {
  out << "    " << command.name << ")\n      _arguments -S";
  for (const auto& option : completed_options(command)) {
    const bool takes = option.expected != Expected::kNothing;
    const std::string meaning = "[" + with_escapes(option.meaning, "\\[]") + "]";
    out << " \\\n        "
        << zsh_quoted("--" + option.name + (takes ? "=" : "") + meaning +
                      zsh_action(option.value, option.expected, option.names));
  }
  const auto word = completed_word(command);
  if (word.expected == Expected::kCommands) {
    out << " \\\n        \"*:command:(${commands%%:*})\"";
  } else if (word.expected != Expected::kNothing) {
    const std::string action = zsh_action("word", word.expected, word.names);
    out << " \\\n        " << zsh_quoted((word.first ? "1" : "*") + action);
  }
  out << " ;;\n";
}

}  // namespace

void print_zsh_completion(std::ostream& out, const std::vector<CommandDescription>& commands) {
  out << "#compdef innerloop\n"
      << "# Completion of innerloop " << version() << " for zsh, printed by `innerloop completion zsh`.\n"
      << kZshBeginning << "  local -a commands configs\n  commands=(\n";
  for (const auto& command : commands)
    out << "    " << zsh_quoted(command.name + ":" + command.summary) << '\n';
  out << "  )\n  configs=(" << join(names_of(installed_configs()), " ") << ")\n"
      << "  if ((CURRENT == 2)); then\n"
      << "    _describe -t commands command commands\n"
      << "    return\n  fi\n"
      << "  local command=$words[2]\n"
      << "  shift words\n  ((CURRENT--))\n  case $command in\n";
  for (const auto& command : commands) print_zsh_command(out, command);
  out << "  esac" << kZshEnd;
}

}  // namespace innerloop
