#include "runners/experiment/comparison.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "runners/experiment/config_files.h"
#include "runners/experiment/json_values.h"

namespace innerloop {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr size_t kLargestResult = 1 << 28;

std::string training_seed(const std::filesystem::path& run) {
  for (const auto& setting : read_settings(run / "config.ini")) {
    if (setting.key == "seed") return setting.value;
  }
  return "?";
}

std::vector<double> mean_over_seeds(const std::vector<EvaluatedRun>& runs) {
  std::vector<double> out(runs.front().per_task.size(), 0);
  for (const auto& run : runs) {
    for (size_t t = 0; t < out.size(); ++t) out[t] += run.per_task[t] / static_cast<double>(runs.size());
  }
  return out;
}

std::string figure(double value, bool accuracy, bool sign = false) {
  std::ostringstream out;
  out << std::fixed << (sign ? std::showpos : std::noshowpos);
  constexpr double kLarge = 1000;  // errors of tasks that diverge would not fit into their column
  if (accuracy) {
    out << std::setprecision(2) << 100 * value;
  } else if (std::abs(value) < kLarge) {
    out << std::setprecision(4) << value;
  } else {
    out << std::scientific << std::setprecision(2) << value;
  }
  return out.str();
}

std::string half_width(const std::optional<double>& value, bool accuracy) {
  return value ? "+-" + figure(*value, accuracy) : std::string("-");
}

std::string iterations_text(const std::vector<EvaluatedRun>& runs) {
  int64_t least = runs.front().meta_iterations, most = least;
  for (const auto& run : runs) {
    least = std::min(least, run.meta_iterations);
    most = std::max(most, run.meta_iterations);
  }
  return least == most ? concat(least) : concat(least, "-", most);
}

}  // namespace

bool higher_is_better(const std::string& metric) { return metric != "mse"; }

EvaluatedRun read_evaluated_run(const std::filesystem::path& run, const std::string& name) {
  const auto file = run / (name + ".json");
  const json found = json::parse(read_file(file, kLargestResult), nullptr, /*allow_exceptions=*/false);
  const auto damaged = [&] { return Error(concat("'", file.string(), "' is no evaluation of a data set")); };
  if (!found.is_object() || !found.contains("per_task") || !found.contains("dataset")) throw damaged();
  try {
    EvaluatedRun out{.run = run.string(), .algorithm = found.at("algorithm"), .metric = "mse"};
    for (const char* key : {"dataset", "data_digest", "ways", "shots", "queries", "tasks", "seed"})
      out.test[key] = found.at(key).is_string() ? found.at(key).get<std::string>() : found.at(key).dump();
    out.test["replacement"] = found.value("replacement", true) ? "true" : "false";
    out.meta_iterations = found.at("meta_iterations");
    const auto& time = found.at("milliseconds_per_iteration");
    if (time.is_number()) out.milliseconds = time.get<double>();
    for (const auto& task : found.at("per_task")) {
      if (task.contains("accuracy")) out.metric = "accuracy";
      out.per_task.push_back(task.at(out.metric).back());
    }
    if (out.per_task.empty()) throw damaged();
    out.training_seed = training_seed(run);
    return out;
  } catch (const json::exception&) {
    throw damaged();
  }
}

std::vector<Compared> compare(std::vector<EvaluatedRun> runs, const std::string& baseline) {
  require_usage(!runs.empty(), "nothing to compare: 0 evaluated runs found");
  std::map<std::string, Compared> by_algorithm;
  const EvaluatedRun first = runs.front();
  for (auto& run : runs) {
    for (const auto& [key, value] : first.test) {
      require_usage(run.test.at(key) == value, "'", run.run, "' was tested with ", key, " = ",
                    run.test.at(key), ", but '", first.run, "' with ", value,
                    ": their tasks are not the same");
    }
    require_usage(run.per_task.size() == first.per_task.size(), "'", run.run, "' has ", run.per_task.size(),
                  " tasks, but '", first.run, "' has ", first.per_task.size());
    auto& row = by_algorithm[run.algorithm];
    row.algorithm = run.algorithm;
    row.runs.push_back(std::move(run));
  }
  std::vector<std::string> known;
  for (const auto& [name, row] : by_algorithm) known.push_back(name);
  require_usage(by_algorithm.count(baseline) != 0, "no run of the baseline '", baseline,
                "'; there are: ", join(known));
  const auto reference = mean_over_seeds(by_algorithm.at(baseline).runs);
  std::vector<Compared> out;
  for (auto& [name, row] : by_algorithm) {
    const auto values = mean_over_seeds(row.runs);
    row.result = mean_statistics(values);
    std::vector<double> apart(values.size());
    for (size_t t = 0; t < values.size(); ++t) apart[t] = values[t] - reference[t];
    row.difference = mean_statistics(apart);
    row.lowest = row.highest = mean_statistics(row.runs.front().per_task).mean;
    for (const auto& run : row.runs) {
      const double mean = mean_statistics(run.per_task).mean;
      row.lowest = std::min(row.lowest, mean);
      row.highest = std::max(row.highest, mean);
    }
    out.push_back(std::move(row));
  }
  const bool higher = higher_is_better(first.metric);
  std::stable_sort(out.begin(), out.end(), [higher](const Compared& a, const Compared& b) {
    return higher ? a.result.mean > b.result.mean : a.result.mean < b.result.mean;
  });
  return out;
}

void print_comparison(std::ostream& out, const std::vector<Compared>& rows, const std::string& baseline) {
  const auto& test = rows.front().runs.front().test;
  const bool accuracy = rows.front().runs.front().metric == "accuracy";
  out << test.at("dataset") << ", " << (accuracy ? test.at("ways") + "-way " : "") << test.at("shots")
      << "-shot, " << test.at("tasks") << " test tasks"
      << (test.at("replacement") == "true" ? "" : " that share no sample") << ", seed " << test.at("seed")
      << "; " << (accuracy ? "accuracy in %" : "mean squared error") << ", 95 % CI over tasks\n";
  size_t longest = 16;
  for (const auto& row : rows) longest = std::max(longest, row.algorithm.size());
  const auto name_width = static_cast<int>(longest) + 2;
  out << std::left << std::setw(name_width) << "algorithm" << std::right << std::setw(6) << "seeds"
      << std::setw(14) << "iterations" << std::setw(10) << "ms" << std::setw(10)
      << (accuracy ? "accuracy" : "mse") << std::setw(12) << "95 % CI" << std::setw(20) << "seeds from to"
      << std::setw(12) << "- " + baseline << std::setw(12) << "95 % CI" << '\n';
  for (const auto& row : rows) {
    std::vector<double> times;
    for (const auto& run : row.runs) {
      if (run.milliseconds) times.push_back(*run.milliseconds);
    }
    std::ostringstream time;
    if (!times.empty()) time << std::fixed << std::setprecision(2) << mean_statistics(times).mean;
    const bool own = row.algorithm == baseline;
    out << std::left << std::setw(name_width) << row.algorithm << std::right << std::setw(6)
        << row.runs.size() << std::setw(14) << iterations_text(row.runs) << std::setw(10)
        << (times.empty() ? "-" : time.str()) << std::setw(10) << figure(row.result.mean, accuracy)
        << std::setw(12) << half_width(row.result.ci95, accuracy) << std::setw(10)
        << figure(row.lowest, accuracy) << std::setw(10) << figure(row.highest, accuracy) << std::setw(12)
        << (own ? "" : figure(row.difference.mean, accuracy, true)) << std::setw(12)
        << (own ? "" : half_width(row.difference.ci95, accuracy)) << '\n';
  }
}

std::string comparison_json(const std::vector<Compared>& rows, const std::string& baseline) {
  ordered_json out;
  for (const auto& [key, value] : rows.front().runs.front().test) out[key] = value;
  out["metric"] = rows.front().runs.front().metric;
  out["baseline"] = baseline;
  out["algorithms"] = ordered_json::array();
  for (const auto& row : rows) {
    ordered_json one{{"algorithm", row.algorithm},
                     {"mean", row.result.mean},
                     {"ci95", or_null(row.result.ci95)},
                     {"lowest_seed", row.lowest},
                     {"highest_seed", row.highest},
                     {"difference", row.difference.mean},
                     {"difference_ci95", or_null(row.difference.ci95)}};
    for (const auto& run : row.runs) {
      one["runs"].push_back({{"run", run.run},
                             {"seed", run.training_seed},
                             {"meta_iterations", run.meta_iterations},
                             {"milliseconds_per_iteration", or_null(run.milliseconds)},
                             {"mean", mean_statistics(run.per_task).mean}});
    }
    out["algorithms"].push_back(one);
  }
  return out.dump(2) + "\n";
}

}  // namespace innerloop
