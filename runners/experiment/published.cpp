#include "runners/experiment/published.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/paths.h"
#include "runners/experiment/options.h"
#include "runners/experiment/resolved_config.h"

namespace innerloop {
namespace {

constexpr char kColumns[] = "dataset,ways,shots,algorithm,config,step,value,interval,interval_kind,source";
constexpr size_t kLargestTable = 1 << 20;  // bytes
constexpr keys::Interval kReturn{-keys::kLargest, keys::kLargest, false, false, "a number"};

// The fields of one line; a field in quotes may hold commas.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

PublishedCell read_cell(const std::string& line, const std::string& where) {
  const auto fields = fields_of(line);
  require(fields.size() == 10, where, ": ", fields.size(), " fields found, expected ", kColumns);
  PublishedCell cell{.dataset = fields[0], .algorithm = fields[3], .config = fields[4], .source = fields[9]};
  cell.interval_kind = fields[8];
  const auto whole = [&](size_t i, int64_t low, int64_t& value) {
    require(keys::read_whole(fields[i], low, 10'000, value), where, ": '", shortened(fields[i]),
            "' found, expected a whole number from ", low);
  };
  const auto number = [&](size_t i, const keys::Interval& interval, double& value) {
    require(keys::read_number(fields[i], interval, value), where, ": '", shortened(fields[i]),
            "' found, expected ", interval.text);
  };
  whole(1, 1, cell.ways);
  whole(2, 1, cell.shots);
  cell.step = kNotStated;
  if (!fields[5].empty()) whole(5, 0, cell.step);
  number(6, kReturn, cell.value);
  if (!fields[7].empty()) number(7, keys::kNotNegative, cell.interval);
  const std::vector<std::string> kinds{"tasks", "seeds", "images", "unknown"};
  require(std::find(kinds.begin(), kinds.end(), cell.interval_kind) != kinds.end(), where, ": ",
          unknown_name("kind of interval", cell.interval_kind, kinds));
  return cell;
}

// The protocol of a cell. `algorithm`: as the cell has it; otherwise as the file has it.
ExperimentConfig protocol_of(const PublishedCell& cell, bool algorithm) {
  std::vector<Setting> flags;
  if (algorithm) flags.push_back({"algorithm", cell.algorithm, "configs/published.csv"});
  return make_config(read_settings(find_config(cell.config)), flags, Side::kSupervised);
}

// "Mini-ImageNet.zip" and "miniImageNet" are one name.
std::string bare(const std::filesystem::path& name) {
  std::string letters;
  for (const char c : name.stem().string()) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return letters;
}

// The names that say what lies at a path: its last two.
std::vector<std::string> names_at(const DatasetConfig& dataset) {
  const auto& own = dataset.own.values();
  const auto path = own.find("path");
  std::vector<std::string> names;
  if (path == own.end()) return names;
  for (const auto& part : std::filesystem::path(path->second)) {
    if (const auto name = bare(part); !name.empty()) names.push_back(name);
  }
  if (names.size() > 2) names.erase(names.begin(), names.end() - 2);
  return names;
}

bool same_data(const DatasetConfig& left, const DatasetConfig& right) {
  if (left.name != right.name) return false;
  if (left.name != "image_folder") return true;
  const auto here = names_at(left), there = names_at(right);
  return std::find_first_of(here.begin(), here.end(), there.begin(), there.end()) != here.end();
}

// Neither what is trained nor how well it does, or, as `path`, not comparable by its text.
bool is_left_out(const std::string& key) {
  const std::string section = section_of(key);
  return key == "seed" || key == "evaluation.seed" || key == "dataset.path" || section == "progress" ||
         section == "validation" || section == "checkpoint" || key == "meta.iterations" || key == "threads" ||
         key == "inner.checkpointing" || key == "evaluation.ways" || key == "evaluation.shots" ||
         key == "evaluation.queries";
}

EpisodeShape evaluated(const ExperimentConfig& config) {
  EpisodeShape shape = config.supervised.shape;
  if (config.supervised_evaluation.ways > 0) shape.ways = config.supervised_evaluation.ways;
  if (config.supervised_evaluation.shots > 0) shape.shots = config.supervised_evaluation.shots;
  if (config.supervised_evaluation.queries > 0) shape.queries = config.supervised_evaluation.queries;
  return shape;
}

// Of the cells that fit, those of the protocol that differs least from the configuration.
std::vector<PublishedCell> of_nearest_protocol(const ExperimentConfig& config,
                                               const std::function<bool(const PublishedCell&)>& fits) {
  std::map<std::string, std::vector<PublishedCell>> by_protocol;
  for (const auto& cell : published_cells()) {
    if (fits(cell)) by_protocol[cell.config].push_back(cell);
  }
  if (by_protocol.empty()) return {};
  if (by_protocol.size() == 1) return by_protocol.begin()->second;
  const auto differences = [&](const auto& entry) {
    return protocol_differences(config, entry.second.front(), config.iterations).size();
  };
  return std::min_element(by_protocol.begin(), by_protocol.end(),
                          [&](const auto& a, const auto& b) { return differences(a) < differences(b); })
      ->second;
}

}  // namespace

const std::vector<PublishedCell>& published_cells() {
  static const std::vector<PublishedCell> cells = [] {
    const auto file = data_directory() / "configs" / "published.csv";
    return parse_published(read_file(file, kLargestTable), file.string());
  }();
  return cells;
}

std::vector<PublishedCell> parse_published(const std::string& text, const std::string& name) {
  std::vector<PublishedCell> cells;
  bool header = false;
  int number = 0;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const std::string where = concat(name, ":", ++number);
    if (line.empty() || line[0] == '#') continue;
    require(header || line == kColumns, where, ": expected the columns ", kColumns);
    if (header) cells.push_back(read_cell(line, where));
    header = true;
  }
  return cells;
}

std::vector<PublishedCell> find_published_baseline(const ExperimentConfig& config, const EpisodeShape& shape,
                                                   const std::string& algorithm) {
  return of_nearest_protocol(config, [&](const PublishedCell& cell) {
    if (cell.algorithm != algorithm || cell.ways != shape.ways || cell.shots != shape.shots) return false;
    const auto protocol = protocol_of(cell, false);
    return protocol.side == Side::kSupervised &&
           same_data(config.supervised.dataset, protocol.supervised.dataset);
  });
}

std::vector<PublishedCell> find_published(const ExperimentConfig& config, const EpisodeShape& shape) {
  return find_published_baseline(config, shape, config.algorithm());
}

std::vector<PublishedCell> find_published_returns(const ExperimentConfig& config) {
  const auto of = [&](const std::string& algorithm) {
    return of_nearest_protocol(config, [&](const PublishedCell& cell) {
      return cell.algorithm == algorithm && cell.dataset == config.learner.environment.name;
    });
  };
  auto found = of(config.algorithm());
  if (found.empty() && config.algorithm() == "fomaml") found = of("maml");
  return found;
}

std::string published_protocol(const PublishedCell& cell) {
  const bool another = protocol_of(cell, false).algorithm() != cell.algorithm;
  return concat("configuration ", cell.config, another ? ", algorithm " + cell.algorithm : "");
}

std::vector<std::string> protocol_differences(const ExperimentConfig& asked, const PublishedCell& cell,
                                              int64_t meta_iterations) {
  const ExperimentConfig config = with_horizon(asked), protocol = with_horizon(protocol_of(cell, true));
  const auto here = evaluated(config), there = evaluated(protocol);
  std::vector<std::string> found;
  const auto differ = [&](const std::string& what, const std::string& ours, const std::string& theirs) {
    if (ours != theirs) found.push_back(concat(what, " ", ours, " instead of ", theirs));
  };
  differ("meta.iterations", format_number(meta_iterations), format_number(protocol.iterations));
  const auto& table = key_table(config.side);
  const auto ours = table.keys_of(config), theirs = table.keys_of(protocol);
  for (const auto& key : ours) {
    const bool counts = key.determines_training || section_of(key.name) == "evaluation";
    if (!counts || is_left_out(key.name)) continue;
    const auto other =
        std::find_if(theirs.begin(), theirs.end(), [&](const Key& k) { return k.name == key.name; });
    if (other != theirs.end()) differ(key.name, key.get(&config), other->get(&protocol));
  }
  differ("evaluation.shots", format_number(here.shots), format_number(there.shots));
  differ("evaluation.queries", format_number(here.queries), format_number(there.queries));
  return found;
}

std::string differences_text(const std::vector<std::string>& differences) {
  constexpr size_t kColumnsOfText = 100;
  if (differences.empty()) return "";
  std::string text, line = "otherwise here:";
  for (size_t i = 0; i < differences.size(); ++i) {
    const std::string next = differences[i] + (i + 1 < differences.size() ? ";" : "");
    if (line.size() + 1 + next.size() > kColumnsOfText) {
      text.append(line).append("\n");
      line = " ";
    }
    line.append(" ").append(next);
  }
  return text.append(line).append("\n");
}

}  // namespace innerloop
