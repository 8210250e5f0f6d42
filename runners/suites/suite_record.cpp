#include "runners/suites/suite_record.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/files.h"
#include "runners/experiment/options.h"

namespace innerloop {
namespace {

using nlohmann::json;

constexpr size_t kLargestResult = size_t{1} << 28;
constexpr char kRecord[] = "suite.json", kConfig[] = "config.ini", kLock[] = "lock";

bool there_is(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

// Changes no result.
bool is_of_no_result(const std::string& key) {
  const std::string section = section_of(key);
  return key == "threads" || key == "memory" || key == "progress.tensorboard" || section == "checkpoint" ||
         section == "video";
}

json read_json(const std::filesystem::path& file) {
  const json found = json::parse(read_file(file, kLargestResult), nullptr, /*allow_exceptions=*/false);
  require(found.is_object(), "'", file.string(), "' is no result: it is damaged");
  return found;
}

std::optional<double> number_or_none(const json& value) {
  return value.is_number() ? std::optional<double>(value.get<double>()) : std::nullopt;
}

RunResult test_result(const json& found, const std::string& metric, const std::string& prefix) {
  const json& last = found.at("steps").back();
  return {.metric = metric,
          .step = last.at("step"),
          .value = last.at(prefix + "_mean"),
          .ci95 = number_or_none(last.at(prefix == "return" ? "return_ci95" : "ci95")),
          .tasks = found.at("tasks"),
          .iterations = found.at("meta_iterations")};
}

// The learner that meta-learns, where it took part; else the first.
RunResult online_result(const json& found) {
  const json& learners = found.at("learners");
  const std::string learner = learners.contains("ftml") ? "ftml" : learners.begin().key();
  const json& all = learners.at(learner).at("all_rounds");
  const std::string metric = found.at("metric");
  const int64_t rounds = found.at("rounds"), batches = found.at("batches");
  return {.metric = concat(metric, " of ", learner),
          .value = all.at(metric + "_mean"),
          .ci95 = number_or_none(all.at(metric + "_ci95")),
          .tasks = rounds,
          .iterations = rounds * batches};
}

// The best row of validation.csv: iteration, METRIC_mean, ci95, best.
RunResult validation_result(const SuiteRun& run, const std::filesystem::path& file) {
  std::istringstream in(read_file(file, kLargestResult));
  std::string header, row, best;
  std::getline(in, header);
  while (std::getline(in, row)) {
    if (row.size() > 2 && row.substr(row.size() - 2) == ",1") best = row;
  }
  std::vector<std::string> cells;
  std::istringstream words(best);
  for (std::string word; std::getline(words, word, ',');) cells.push_back(word);
  const size_t mean = header.find(','), end = header.find("_mean");
  RunResult result{.step = run.config.supervised.inner.steps, .tasks = run.config.validation.tasks};
  double half = 0;
  constexpr keys::Interval kAny{-keys::kLargest, keys::kLargest, false, false, ""};
  require(cells.size() == 4 && mean != std::string::npos && end != std::string::npos && end > mean &&
              keys::read_whole(cells[0], 1, INT64_MAX, result.iterations) &&
              keys::read_number(cells[1], kAny, result.value),
          "'", file.string(), "' holds no validation that was the best");
  if (keys::read_number(cells[2], kAny, half)) result.ci95 = half;
  result.metric = header.substr(mean + 1, end - mean - 1);
  return result;
}

}  // namespace

std::optional<RunRecord> read_run_record(const std::filesystem::path& folder) {
  if (!there_is(folder / kRecord)) return std::nullopt;
  const json found = read_json(folder / kRecord);
  try {
    return RunRecord{found.at("version"), found.at("seconds"), found.at("done")};
  } catch (const json::exception&) {
    throw Error(concat("'", (folder / kRecord).string(), "' is damaged; without it the run is done again"));
  }
}

void write_run_record(const std::filesystem::path& folder, const RunRecord& record) {
  const nlohmann::ordered_json out{
      {"version", record.version}, {"seconds", record.seconds}, {"done", record.done}};
  write_file_atomically(folder / kRecord, out.dump(2) + "\n");
}

std::optional<std::string> difference_on_disk(const SuiteRun& run, const std::filesystem::path& folder) {
  if (!there_is(folder / kConfig)) return std::nullopt;
  const auto saved = make_config(read_settings(folder / kConfig));
  if (saved.side != run.config.side)
    return concat("it is one of ", side_name(saved.side), " there, of ", side_name(run.config.side),
                  " in the suite");
  const auto there = key_table(saved.side).keys_of(saved);
  for (const auto& key : key_table(run.config.side).keys_of(run.config)) {
    if (is_of_no_result(key.name)) continue;
    // The command itself counts them.
    if (key.name == "meta.iterations" && run.command == "online") continue;
    const auto same =
        std::find_if(there.begin(), there.end(), [&](const Key& k) { return k.name == key.name; });
    const std::string left = same == there.end() ? "(absent)" : same->get(&saved),
                      right = key.get(&run.config);
    if (left != right) return concat(key.name, " is ", left, " there, ", right, " in the suite");
  }
  return std::nullopt;
}

RunResult read_run_result(const SuiteRun& run, const std::filesystem::path& folder, bool search) {
  const bool policy = run.config.side == Side::kPolicy;
  if (search && !policy) return validation_result(run, folder / "validation.csv");
  const auto file = folder / (policy ? "adapt.json" : run.command + ".json");
  const json found = read_json(file);
  try {
    if (run.command == "online") return online_result(found);
    if (policy) return test_result(found, "return", "return");
    const std::string metric = found.at("steps").back().contains("accuracy_mean") ? "accuracy" : "mse";
    return test_result(found, metric, metric);
  } catch (const json::exception&) {
    throw Error(concat("'", file.string(), "' is no result of innerloop ", policy ? "adapt" : run.command));
  }
}

SuiteWriting::SuiteWriting(const SuiteFolder& folder) : descriptor_(wait_for_lock(folder.mark())) {}

SuiteWriting::~SuiteWriting() { close(descriptor_); }

bool run_in_use(const std::filesystem::path& folder) { return is_locked(folder / kLock); }

}  // namespace innerloop
