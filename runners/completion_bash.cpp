// print_bash_completion.
#include <map>
#include <ostream>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/named_description.h"
#include "base/paths.h"
#include "runners/completion.h"
#include "runners/experiment/config_files.h"

namespace innerloop {
namespace {

constexpr char kBashBeginning[] = R"(
# Folders of trainings: they hold a config.ini, up to two folders further down.
_innerloop_runs() {
  mapfile -t COMPREPLY < <(compgen -G "$1*/config.ini"; compgen -G "$1*/*/config.ini"; compgen -G "$1*/*/*/config.ini")
  COMPREPLY=("${COMPREPLY[@]%/config.ini}")
  ((${#COMPREPLY[@]})) || mapfile -t COMPREPLY < <(compgen -d -- "$1")
  compopt -o filenames 2>/dev/null
}

_innerloop() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  local kind= names= options= all=
  COMPREPLY=()
  # bash takes --key=value for three words.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=${COMP_WORDS[COMP_CWORD-2]}
  fi
)";

constexpr char kBashEnd[] = R"(
  case $kind in
    names) mapfile -t COMPREPLY < <(compgen -W "$names" -- "$cur") ;;
    configs)
      [[ $cur == */* ]] || mapfile -t COMPREPLY < <(compgen -W "$configs" -- "$cur")
      ((${#COMPREPLY[@]})) && return
      mapfile -t COMPREPLY < <(compgen -f -X '!*.ini' -- "$cur"; compgen -d -- "$cur")
      compopt -o filenames 2>/dev/null ;;
    runs) _innerloop_runs "$cur" ;;
    folders) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); compopt -o filenames 2>/dev/null ;;
    files) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames 2>/dev/null ;;
  esac
}
complete -F _innerloop innerloop
)";

// The assignments that say what is completed; "" where nothing can be.
std::string bash_kind(Expected expected, const std::vector<std::string>& names) {
  switch (expected) {
    case Expected::kNothing:
      return "kind=option";
    case Expected::kAnything:
      return "";
    case Expected::kNames:
      return "kind=names names=\"" + join(names, " ") + "\"";
    case Expected::kCommands:
      return "kind=names names=\"$commands\"";
    case Expected::kConfigs:
      return "kind=configs";
    case Expected::kRuns:
      return "kind=runs";
    case Expected::kFolders:
      return "kind=folders";
    case Expected::kFiles:
      return "kind=files";
  }
  return "";
}

// What stands in front of its value, "train:--config", by what is completed there.
void print_bash_values(std::ostream& out, const std::vector<CommandDescription>& commands) {
  std::map<std::string, std::vector<std::string>> places;
  for (const auto& command : commands) {
    for (const auto& option : completed_options(command))
      places[bash_kind(option.expected, option.names)].push_back(command.name + ":--" + option.name);
  }
  out << "\n  case $command:$prev in\n";
  for (const auto& [kind, options] : places) {
    if (!kind.empty()) out << "    " << join(options, " | ") << ") " << kind << " ;;\n";
  }
  out << "    *:--*) return ;;  # a value that has no names\n"
      << "    *) kind=option ;;\n  esac\n";
}

// Options without dots, and the sections of the others: "--seed --inner."; then all of them.
void print_bash_options(std::ostream& out, const std::vector<CommandDescription>& commands) {
  out << "  if [[ $kind == option && $cur == -* ]]; then\n    case $command in\n";
  for (const auto& command : commands) {
    std::vector<std::string> shown, all;
    std::set<std::string> sections;
    for (const auto& option : completed_options(command)) {
      const size_t dot = option.name.find('.');
      all.push_back("--" + option.name);
      if (dot == std::string::npos) {
        shown.push_back(all.back());
      } else if (sections.insert(option.name.substr(0, dot + 1)).second) {
        shown.push_back("--" + option.name.substr(0, dot + 1));
      }
    }
    out << "      " << command.name << ")\n        options=\"" << join(shown, " ") << "\"\n        all=\""
        << join(all, " ") << "\" ;;\n";
  }
  out << "    esac\n"
      << "    [[ $cur == --*.* ]] && options=$all\n"
      << "    mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
      << "    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *. ]] && compopt -o nospace 2>/dev/null\n"
      << "    return\n  fi\n";
}

void print_bash_words(std::ostream& out, const std::vector<CommandDescription>& commands) {
  out << "  if [[ $kind == option ]]; then\n    kind=\n    case $command:$COMP_CWORD in\n";
  for (const auto& command : commands) {
    const auto word = completed_word(command);
    if (word.expected == Expected::kNothing) continue;
    out << "      " << command.name << (word.first ? ":2" : ":*") << ") "
        << bash_kind(word.expected, word.names) << " ;;\n";
  }
  out << "    esac\n  fi\n";
}

}  // namespace

void print_bash_completion(std::ostream& out, const std::vector<CommandDescription>& commands) {
  out << "# Completion of innerloop " << version() << " for bash, printed by `innerloop completion bash`.\n"
      << kBashBeginning << "  local commands=\"" << join(names_of(commands), " ") << "\"\n  local configs=\""
      << join(names_of(installed_configs()), " ") << "\"\n"
      << "  if ((COMP_CWORD == 1)); then\n"
      << "    mapfile -t COMPREPLY < <(compgen -W \"$commands --help --version\" -- \"$cur\")\n"
      << "    return\n  fi\n";
  print_bash_values(out, commands);
  print_bash_options(out, commands);
  print_bash_words(out, commands);
  out << kBashEnd;
}

}  // namespace innerloop
