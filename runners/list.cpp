#include <algorithm>
#include <functional>
#include <iomanip>
#include <iostream>

#include "base/error.h"
#include "datasets/dataset.h"
#include "envs/registry.h"
#include "meta/algorithms.h"
#include "networks/network.h"
#include "runners/commands.h"
#include "runners/preview.h"

namespace innerloop {
namespace {

using Rows = std::vector<NamedDescription>;

struct Listing {
  std::string name;
  std::function<Rows()> rows;
};

Rows environments() {
  Rows rows;
  for (const auto& name : environment_names()) {
    rows.push_back({name, make_environment({.name = name})->spec().description});
  }
  return rows;
}

Rows configs() {
  Rows rows;
  for (const auto& config : installed_configs()) rows.push_back({config.name, config.description});
  return rows;
}

Rows optimizers() {
  Rows rows;
  for (const auto& optimizer : meta_optimizers()) rows.push_back({optimizer.name, optimizer.description});
  return rows;
}

Rows data_sets() {
  Rows rows;
  for (const auto& dataset : datasets()) rows.push_back({dataset.name, dataset.description});
  return rows;
}

Rows known_networks() {
  Rows rows;
  for (const auto& network : networks()) rows.push_back({network.name, network.description});
  return rows;
}

const std::vector<Listing>& listings() {
  static const std::vector<Listing> table{{"environments", environments},
                                          {"policies", policies},
                                          {"datasets", data_sets},
                                          {"networks", known_networks},
                                          {"algorithms", algorithms},
                                          {"optimizers", optimizers},
                                          {"configs", configs}};
  return table;
}

void print(const Rows& rows, const std::string& indent) {
  size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.name.size());
  for (const auto& row : rows) {
    std::cout << indent << std::left << std::setw(static_cast<int>(width) + 2) << row.name << row.description
              << '\n';
  }
}

void preview(const CommandLine& line) {
  require_usage(line.operands == std::vector<std::string>{"datasets"},
                "list: --preview, --dataset and --path ", "belong to `list datasets`");
  require_usage(line.has("preview"), "list: --dataset and --path need --preview FILE.png");
  const DatasetConfig config{.name = line.value("dataset", "strokes"), .path = line.value("path")};
  write_preview(*make_dataset(config), line.value("preview"));
  std::cout << "drew " << line.value("preview") << '\n';
}

}  // namespace

CommandDescription list_description() {
  return {
      .name = "list",
      .summary = "Lists what there is, one line each; without a word, everything.",
      .details = "list datasets --preview FILE.png draws a sheet of labelled images instead, a class a row.",
      .options = {{"preview", "FILE.png", "a sheet of labelled images of one data set"},
                  {"dataset", "NAME", "the data set of --preview (default: strokes)"},
                  {"path", "PATH", "its file or folder"}},
      .operands = "[environments | policies | datasets | networks | algorithms | optimizers | configs]"};
}

int list(const std::vector<std::string>& arguments) {
  const auto description = list_description();
  const auto line = parse_command_line(description, arguments);
  if (line.help) {
    print_help(std::cout, description);
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
  std::vector<std::string> known;
  for (const auto& listing : listings()) {
    if (listing.name == line.operands.front()) {
      print(listing.rows(), "");
      return 0;
    }
    known.push_back(listing.name);
  }
  throw UsageError(unknown_name("listing", line.operands.front(), known));
}

}  // namespace innerloop
