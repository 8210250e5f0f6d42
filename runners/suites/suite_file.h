// What a suite asks for: many runs, in one INI file. Keys are those of configurations, in full
// ("inner.steps"), except in [suite].
//
//   [suite]        the keys of kSuiteKeys below
//   [base]         what all runs have: config = NAME or FILE, and keys that override it
//   [run NAME]     one run (for each seed): config and keys, which override [base]; may be empty
//   [search]       KEY = values to search over (runners/suites/search_space.h); with suite.search alone
//   [search NAME]  the same for the run NAME, in the place of [search]
//
// meta.start = suite:NAME starts from the run NAME of the suite with the same seed, which is then done first.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/settings.h"
#include "runners/experiment/config_files.h"

namespace innerloop {

struct SuiteSettings {
  std::vector<int64_t> seeds{1};
  int64_t iterations = 0;
  double minutes = 0;
  std::string baseline;
  std::string study = "none";
  std::string search = "none";
  int64_t draws = 0;
  uint64_t search_seed = 1;
};

inline const Keys<SuiteSettings> kSuiteKeys{
    keys::sizes("seeds", &SuiteSettings::seeds, 1'000'000'000, "of the training, a run for each"),
    keys::whole("iterations", &SuiteSettings::iterations, 0, 1'000'000'000,
                "budget: meta-iterations of every run, 0 = as configured"),
    keys::number("minutes", &SuiteSettings::minutes, {0, 1e6, false, false, "a number from 0 to 1e6"},
                 "budget: CPU minutes of every run, measured and turned into iterations, 0 = none"),
    keys::text("baseline", &SuiteSettings::baseline, "the name of an algorithm, or nothing", true,
               "compare with this algorithm at the end, in pairs on the same test tasks"),
    keys::choice("study", &SuiteSettings::study, {"none", "verification"},
                 "of every run beside its evaluation: innerloop analyse --study"),
    keys::choice("search", &SuiteSettings::search, {"none", "grid", "random"},
                 "over [search]; judged on validation tasks alone"),
    keys::whole("draws", &SuiteSettings::draws, 0, 100'000, "of search = random, for each run"),
    keys::seed("search_seed", &SuiteSettings::search_seed, "of the draws"),
};

struct SuiteEntry {
  std::string name;
  std::string where;              // "FILE:12"
  std::string config;             // NAME or FILE, "" if only the defaults count
  std::vector<Setting> settings;  // [base], and over it [run NAME]; meta.start may be "suite:NAME"
  std::vector<Setting> space;     // [search NAME], or else [search], in the file's order
};

struct Suite {
  std::string name;              // of the file, without ".ini"
  std::filesystem::path folder;  // where it lies
  std::string description;       // its first comment line
  SuiteSettings settings;
  std::vector<SuiteEntry> runs;  // at least one
};

// UsageError with file and line for what is no INI, an unknown section or key (with the nearest known), two
// runs of one name, a name that is not made of letters, digits, '_', '-' and '+', no run at all, a
// [search NAME] without its run, and settings of [suite] that contradict one another.
Suite parse_suite(const std::string& text, const std::string& file);
Suite read_suite(const std::filesystem::path& file);  // also as read_settings

}  // namespace innerloop
