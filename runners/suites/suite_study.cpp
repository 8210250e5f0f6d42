#include "runners/suites/suite_study.h"

#include <algorithm>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "runners/experiment/progress.h"
#include "runners/experiment/statistics.h"
#include "runners/suites/suite_record.h"

namespace innerloop {
namespace {

constexpr int64_t kLargestStudy = 100'000'000;

struct StudiedRun {
  std::string name;
  int64_t seed;
  StudyFigures figures;
};

std::vector<StudiedRun> studied_runs(const SuitePlan& plan, const SuiteOutcome& outcome) {
  std::vector<StudiedRun> out;
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    if (!outcome.runs[i].result) continue;
    const auto& run = plan.runs[i];
    out.push_back(
        {run.name, run.seed, read_study(SuiteFolder{plan.directory}.run(run), plan.settings.study)});
  }
  return out;
}

std::string percent_over_seeds(const std::vector<double>& values) {
  const auto found = mean_statistics(values);
  std::ostringstream out;
  out << std::fixed << std::setprecision(1) << 100 * found.mean;
  if (found.ci95) out << " +-" << 100 * *found.ci95;
  return out.str();
}

}  // namespace

StudyFigures read_study(const std::filesystem::path& run, const std::string& study) {
  const auto file = run / (study + ".json");
  StudyFigures out;
  try {
    const auto found = nlohmann::ordered_json::parse(read_file(file, kLargestStudy));
    for (const auto& [name, figure] : found.at("all").items()) {
      if (figure.is_object()) out.emplace_back(name, figure.at("value").get<double>());
    }
  } catch (const nlohmann::json::exception&) {
    throw Error(concat("'", file.string(), "' is no result of innerloop analyse --study ", study));
  }
  require(!out.empty(), "'", file.string(), "' has no figures of innerloop analyse --study ", study);
  return out;
}

std::string study_csv(const SuitePlan& plan, const SuiteOutcome& outcome) {
  std::string text = "run,seed";
  const auto runs = studied_runs(plan, outcome);
  if (!runs.empty()) {
    for (const auto& [name, value] : runs.front().figures) text += "," + name;
  }
  text += "\n";
  for (const auto& run : runs) {
    text += concat(run.name, ",", run.seed);
    for (const auto& [name, value] : run.figures) text += "," + cell(value);
    text += "\n";
  }
  return text;
}

void print_study(std::ostream& out, const SuitePlan& plan, const SuiteOutcome& outcome) {
  const auto runs = studied_runs(plan, outcome);
  if (runs.empty()) return;
  size_t widest = 3;
  for (const auto& run : runs) widest = std::max(widest, run.name.size());
  const auto wide = static_cast<int>(widest);
  out << '\n'
      << plan.settings.study << " on test classes in %, mean over seeds with its 95 % interval\n"
      << std::setw(wide) << std::left << "run" << std::right << std::setw(7) << "seeds";
  for (const auto& [name, value] : runs.front().figures) out << std::setw(14) << name;
  out << '\n';
  std::vector<std::string> names;
  for (const auto& run : runs) {
    if (std::find(names.begin(), names.end(), run.name) == names.end()) names.push_back(run.name);
  }
  for (const auto& name : names) {
    std::vector<const StudiedRun*> own;
    for (const auto& run : runs) {
      if (run.name == name) own.push_back(&run);
    }
    out << std::setw(wide) << std::left << name << std::right << std::setw(7) << own.size();
    for (size_t f = 0; f < own.front()->figures.size(); ++f) {
      std::vector<double> values;
      for (const auto* run : own) values.push_back(run->figures.at(f).second);
      out << std::setw(14) << percent_over_seeds(values);
    }
    out << '\n';
  }
}

}  // namespace innerloop
