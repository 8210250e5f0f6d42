#include <algorithm>
#include <functional>
#include <iomanip>
#include <iostream>

#include "base/error.h"
#include "base/named_description.h"
#include "base/row.h"
#include "datasets/dataset.h"
#include "envs/registry.h"
#include "meta/algorithms/registry.h"
#include "meta/optimizers/table.h"
#include "networks/network_config.h"
#include "policies/policy_config.h"
#include "runners/commands.h"
#include "runners/experiment/installed_runs.h"
#include "runners/experiment/preview.h"

namespace innerloop {
namespace {

// One line of a list: name, description and, of an algorithm, where it comes from.
struct Line {
  std::string name, description;
  std::string source = {};
};
using Lines = std::vector<Line>;

struct Listing {
  std::string name;
  std::function<Lines()> rows;
};

// The rows of any table with names and descriptions.
template <class Table>
Lines lines_of(const Table& table) {
  Lines lines;
  for (const auto& row : table) lines.push_back({row.name, row.description});
  return lines;
}

Lines lines_of_algorithms() {
  Lines lines;
  for (const auto& row : algorithms()) lines.push_back({row.name, row.summary, row.paper});
  return lines;
}

// As --run takes them.
Lines lines_of_runs() {
  Lines lines;
  for (const auto& run : installed_runs()) lines.push_back({"@" + run.name, run.description});
  return lines;
}

const std::vector<Listing>& listings() {
  static const std::vector<Listing> table{
      {"environments", [] { return lines_of(environments()); }},
      {"policies", [] { return lines_of(policies()); }},
      {"datasets", [] { return lines_of(datasets()); }},
      {"networks", [] { return lines_of(networks()); }},
      {"algorithms", lines_of_algorithms},
      {"optimizers", [] { return lines_of(meta_optimizers()); }},
      {"configs", [] { return lines_of(installed_configs()); }},
      {"suites", [] { return lines_of(installed_suites()); }},
      {"runs", lines_of_runs},
  };
  return table;
}

void print(const Lines& lines, const std::string& indent) {
  size_t name = 0, source = 0;
  for (const auto& line : lines) {
    name = std::max(name, line.name.size() + 2);
    if (!line.source.empty()) source = std::max(source, line.source.size() + 2);
  }
  for (const auto& line : lines) {
    std::cout << indent << std::left << std::setw(static_cast<int>(name)) << line.name
              << std::setw(static_cast<int>(source)) << line.source << line.description << '\n';
  }
}

void preview(const CommandLine& line) {
  require_usage(line.operands == std::vector<std::string>{"datasets"},
                "list: --preview, --dataset and --path ", "belong to `list datasets`");
  require_usage(line.has("preview"), "list: --dataset and --path need --preview FILE.png");
  DatasetConfig config{.name = line.value("dataset", "strokes")};
  if (line.has("path")) config.own.set("path", line.value("path"));
  const auto dataset = make_dataset(config);
  write_preview(*dataset, line.value("preview"));
  std::cout << "drew " << line.value("preview") << '\n' << dataset->spec().protocol << '\n';
  const auto training = make_config({}, {{"dataset.name", config.name, "--dataset"}});
  for (const auto& text : training.notes) std::cout << "training on it: " << text << '\n';
}

}  // namespace

CommandDescription list_description() {
  return {
      .name = "list",
      .summary = "Lists what there is, one line each; without a word, everything.",
      .details = "list datasets --preview FILE.png draws a sheet of labelled images instead, a class a row.",
      .options =
          {{"preview", "FILE.png", "a sheet of labelled images of one data set"},
           {"dataset", "NAME", "the data set of --preview (default: strokes)", {}, names_of(datasets())},
           {"path", "PATH", "its file or folder"}},
      .operands =
          "[environments | policies | datasets | networks | algorithms | optimizers | configs | suites | "
          "runs]"};
}

int list(const std::vector<std::string>& arguments) {
  const auto description = list_description();
  const auto line = parse_command_line(description, arguments);
  if (line.help) {
    print_help(std::cout, description, line);
    return 0;
  }
  if (line.has("preview") || line.has("dataset") || line.has("path")) {
    preview(line);
    return 0;
  }
  if (line.operands.empty()) {
    for (const auto& listing : listings()) {
      std::cout << listing.name << '\n';
      print(listing.rows(), "  ");
      std::cout << '\n';
    }
    return 0;
  }
  require_usage(line.operands.size() == 1, "list: expected one word, found ", line.operands.size());
  print(find_named("listing", listings(), line.operands.front()).rows(), "");
  return 0;
}

}  // namespace innerloop
