// Which trainings a suite comes to: each with its configuration, its folder and what is run there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runners/experiment/config.h"
#include "runners/suites/search_space.h"
#include "runners/suites/suite_file.h"

namespace innerloop {

// One part of several that share a suite's runs: 1 <= index <= count.
struct SuitePart {
  int64_t index = 1, count = 1;
};

// What is asked beside the file.
struct SuiteRequest {
  std::filesystem::path directory;
  std::vector<int64_t> seeds;     // in the place of suite.seeds; empty: those
  std::vector<std::string> runs;  // these alone; empty: all
  std::string config;             // in the place of every run's config; "": those
  std::vector<Setting> settings;  // over those of every run
  std::optional<int64_t> iterations;
  std::optional<double> minutes;
  int64_t jobs = 0;  // at a time; 0: one per core, no more than there are runs
  SuitePart part;
};

struct SuiteRun {
  std::string name;   // "maml"; of a search "maml-003"
  std::string group;  // "maml": the [run NAME] it comes from
  int64_t seed = 1;
  std::string id;                 // "maml-seed1": the name of its folder, and of the log
  std::string command;            // "train", "bench" or "online"
  std::string file;               // --config, or ""
  std::vector<Setting> settings;  // flags, seed included
  SearchPoint point;              // of a search
  std::string after;              // the id of the run that it starts from, or ""
  bool here = true;               // in this part
  ExperimentConfig config;        // effective; with a budget of minutes without its iterations yet
};

struct SuitePlan {
  std::string name, description;
  SuiteSettings settings;  // those that count
  std::filesystem::path directory;
  std::vector<SuiteRun> runs;
  int64_t jobs = 1, threads = 1;  // threads of each run that has no number of its own
  SuitePart part;

  bool searches() const { return settings.search != "none"; }
};

// UsageError, with the place, for everything about the configurations that can be known before they train:
// before anything is started.
SuitePlan plan_suite(const Suite& suite, const SuiteRequest& request);

// The same run with so many meta-iterations: what a measured budget buys.
void set_iterations(SuiteRun& run, int64_t iterations, const SuitePlan& plan);

// Arguments of the program that train this run in `folder`, or go on with it: {"bench", "--config", ...}. A
// run without a configuration reads defaults.ini in the folder above, which has no key.
std::vector<std::string> training_arguments(const SuiteRun& run, const std::filesystem::path& folder);

// Of a run of policies, whose training says nothing of held-out tasks: `innerloop adapt`. In a search the
// tasks are others than test tasks: drawn with evaluation.seed + kValidationSeedOffset.
std::vector<std::string> evaluation_arguments(const SuiteRun& run, const std::filesystem::path& folder,
                                              bool search);
inline constexpr uint64_t kValidationSeedOffset = uint64_t{1} << 32;

inline constexpr char kDefaultsFile[] = "defaults.ini";

// "2/4", or "slurm": this task of the job array (SLURM_ARRAY_TASK_ID, _MIN, _STEP, _COUNT). UsageError.
// Of suite.study.
std::vector<std::string> study_arguments(const SuitePlan& plan, const std::filesystem::path& folder);

SuitePart parse_part(const std::string& text);

}  // namespace innerloop
