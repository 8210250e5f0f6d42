#include "runners/suites/suite_plan.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "base/error.h"
#include "runners/experiment/options.h"

namespace innerloop {
namespace {

constexpr char kSuitePrefix[] = "suite:";

void put_over(std::vector<Setting>& settings, const Setting& setting) {
  std::erase_if(settings, [&](const Setting& other) { return other.key == setting.key; });
  settings.push_back(setting);
}

const Setting* find_setting(const std::vector<Setting>& settings, const std::string& key) {
  const auto found =
      std::find_if(settings.begin(), settings.end(), [&](const Setting& s) { return s.key == key; });
  return found == settings.end() ? nullptr : &*found;
}

// A file beside the suite's, or what --config means.
std::string config_file(const SuiteEntry& entry, const std::filesystem::path& folder) {
  std::error_code ignored;
  if (entry.config.empty()) return "";
  const auto beside = folder / entry.config;
  if (std::filesystem::is_regular_file(beside, ignored)) return beside.lexically_normal().string();
  try {
    const auto found = find_config(entry.config);
    require_usage(std::filesystem::is_regular_file(found, ignored), "'", entry.config,
                  "' is a pipe; every run reads its configuration anew, expected a file");
    return found.string();
  } catch (const UsageError& error) {
    throw UsageError(concat(entry.where, ": run ", entry.name, ": ", error.what()));
  }
}

std::string numbered_name(const std::string& name, size_t number, size_t count) {
  std::string digits = std::to_string(number);
  const size_t width = std::max<size_t>(3, std::to_string(count).size());
  return concat(name, "-", std::string(width - std::min(width, digits.size()), '0'), digits);
}

constexpr char kBySearch[] = "suite.search";

// What a search adds to the keys of a run on data: validations to be judged by, and no end before the
// budget's. `file`: of its configuration.
void add_validation(std::vector<Setting>& flags, const std::vector<Setting>& file) {
  std::erase_if(flags, [](const Setting& s) { return s.where == kBySearch; });  // for another budget
  auto others = flags;
  std::erase_if(others, [](const Setting& s) { return section_of(s.key) == "validation"; });
  const ExperimentConfig bare = make_config(file, others);
  if (bare.side != Side::kSupervised || bare.iterations == 0) return;
  int64_t every = bare.validation.every;
  const Setting* own = find_setting(flags, "validation.every");
  if (own != nullptr && !keys::read_whole(own->value, 0, INT64_MAX, every)) return;  // refused as any other
  every = every > 0 ? std::min(every, bare.iterations) : std::max<int64_t>(1, bare.iterations / 10);
  put_over(flags, {"validation.every", std::to_string(every), kBySearch});
  if (make_config(file, flags).validation.patience > 0)
    put_over(flags, {"validation.patience", "0", kBySearch});
}

// The effective configuration; in a search, flags that it brings are added to the run.
void make_effective(SuiteRun& run, const SuitePlan& plan) {
  const auto file = run.file.empty() ? std::vector<Setting>{} : read_settings(run.file);
  if (plan.searches()) add_validation(run.settings, file);
  run.config = make_config(file, run.settings);
  if (plan.searches()) {
    require_usage(run.config.online.rounds == 0, run.id,
                  ": a run of online learning has no validation tasks, so a search cannot judge it");
    require_usage(run.config.iterations > 0 || plan.settings.minutes > 0, run.id,
                  ": meta.iterations is 0, so there is nothing to search over");
  }
  run.command = run.config.side == Side::kPolicy ? "train"
                : run.config.online.rounds > 0   ? "online"
                : plan.searches()                ? "train"
                                                 : "bench";
}

// What `meta.start = suite:NAME` starts from; every other value is left as it is.
void resolve_start(SuiteRun& run, const Suite& suite, const SuitePlan& plan) {
  for (auto& setting : run.settings) {
    if (setting.key != "meta.start" || setting.value.rfind(kSuitePrefix, 0) != 0) continue;
    const std::string name = setting.value.substr(sizeof kSuitePrefix - 1);
    std::vector<std::string> known;
    for (const auto& entry : suite.runs) known.push_back(entry.name);
    const auto found = std::find_if(suite.runs.begin(), suite.runs.end(),
                                    [&](const SuiteEntry& entry) { return entry.name == name; });
    require_usage(found != suite.runs.end(), setting.where,
                  ": meta.start: ", unknown_name("run of this suite", name, known));
    require_usage(!plan.searches(), setting.where, ": meta.start = ", setting.value,
                  ": in a search there are many runs ", name, "; name a folder");
    const Setting* before = find_setting(found->settings, "meta.start");
    require_usage(before == nullptr || before->value.rfind(kSuitePrefix, 0) != 0, setting.where,
                  ": meta.start = ", setting.value, ", which itself starts from another run of this suite");
    run.after = concat(name, "-seed", run.seed);
    setting.value = (plan.directory / run.after).lexically_normal().string();
  }
}

std::vector<SearchPoint> points_of(const SuiteEntry& entry, const SuiteSettings& settings) {
  std::vector<SearchDimension> space;
  for (const auto& setting : entry.space) space.push_back(read_dimension(setting));
  if (settings.search == "grid") return grid_points(space);
  if (settings.search == "random") return random_points(space, settings.search_seed, settings.draws);
  return {{}};
}

// The entries that are asked for, with what the request lays over them.
std::vector<SuiteEntry> asked_entries(const Suite& suite, const SuiteRequest& request) {
  std::vector<std::string> known;
  std::set<std::string> configs;
  for (const auto& entry : suite.runs) {
    known.push_back(entry.name);
    configs.insert(entry.config);
  }
  for (const auto& name : request.runs) {
    require_usage(std::find(known.begin(), known.end(), name) != known.end(),
                  "--runs: ", unknown_name("run of this suite", name, known));
  }
  require_usage(request.config.empty() || configs.size() == 1,
                "--config: the runs of this suite have configurations of their own: ",
                join({configs.begin(), configs.end()}));
  std::vector<SuiteEntry> entries;
  for (auto entry : suite.runs) {
    const auto& asked = request.runs;
    if (!asked.empty() && std::find(asked.begin(), asked.end(), entry.name) == asked.end()) continue;
    if (!request.config.empty()) entry.config = request.config;
    for (const auto& setting : request.settings) put_over(entry.settings, setting);
    entries.push_back(std::move(entry));
  }
  return entries;
}

// Runs that belong together go to the same part: one that starts from another, and with a measured budget all
// seeds, which share the measurement.
void share_out(SuitePlan& plan) {
  std::map<std::string, int64_t> places;
  for (auto& run : plan.runs) {
    std::string unit = run.after.empty() ? run.id : run.after;
    if (plan.settings.minutes > 0)
      unit = run.after.empty() ? run.name : run.after.substr(0, run.after.rfind("-seed"));
    const auto place = places.emplace(unit, static_cast<int64_t>(places.size())).first->second;
    run.here = place % plan.part.count + 1 == plan.part.index;
  }
}

// A comparison goes by algorithm, so each run must have its own.
void check_baseline(SuitePlan& plan) {
  auto& baseline = plan.settings.baseline;
  if (baseline.empty()) return;
  std::map<std::string, std::string> names;  // of algorithms
  for (const auto& run : plan.runs) {
    require_usage(run.command == "bench", "suite.baseline: run ", run.name,
                  " is not one that innerloop bench does; only those can be compared in pairs");
    const auto [first, fresh] = names.emplace(run.config.algorithm(), run.name);
    require_usage(fresh || first->second == run.name, "suite.baseline compares algorithms, but the runs ",
                  first->second, " and ", run.name, " have the same, ", run.config.algorithm());
  }
  if (names.count(baseline) == 0) baseline.clear();
}

}  // namespace

SuitePlan plan_suite(const Suite& suite, const SuiteRequest& request) {
  SuitePlan plan{.name = suite.name, .description = suite.description, .settings = suite.settings};
  plan.directory = request.directory;
  plan.part = request.part;
  if (!request.seeds.empty()) plan.settings.seeds = request.seeds;
  if (request.iterations || request.minutes) {  // one budget in the place of the other
    plan.settings.iterations = request.iterations.value_or(0);
    plan.settings.minutes = request.minutes.value_or(0);
  }
  const auto entries = asked_entries(suite, request);
  std::vector<std::vector<SearchPoint>> searches;  // of each entry
  size_t all = 0;
  for (const auto& entry : entries) {
    searches.push_back(points_of(entry, plan.settings));
    all += searches.back().size() * plan.settings.seeds.size();
  }
  const int64_t cores = thread_count(ExperimentConfig{});
  plan.jobs = request.jobs > 0 ? request.jobs : std::min<int64_t>(cores, static_cast<int64_t>(all));
  plan.threads = std::max<int64_t>(1, cores / plan.jobs);
  std::set<std::string> ids;
  for (size_t e = 0; e < entries.size(); ++e) {
    const auto& entry = entries[e];
    const auto& points = searches[e];
    const std::string file = config_file(entry, suite.folder);
    for (size_t p = 0; p < points.size(); ++p) {
      for (const int64_t seed : plan.settings.seeds) {
        SuiteRun run{.group = entry.name, .seed = seed, .file = file, .settings = entry.settings};
        run.name = plan.searches() ? numbered_name(entry.name, p + 1, points.size()) : entry.name;
        run.id = concat(run.name, "-seed", seed);
        require_usage(ids.insert(run.id).second, entry.where, ": there are two runs '", run.id, "'");
        run.point = points[p];
        for (const auto& setting : run.point) put_over(run.settings, setting);
        put_over(run.settings, {"seed", std::to_string(seed), "suite.seeds"});
        if (find_setting(run.settings, "threads") == nullptr)
          put_over(run.settings, {"threads", std::to_string(plan.threads), "--jobs"});
        resolve_start(run, suite, plan);
        if (plan.settings.iterations > 0) {
          set_iterations(run, plan.settings.iterations, plan);
        } else {
          make_effective(run, plan);
        }
        require_usage(
            run.command != "online" || (plan.settings.iterations == 0 && plan.settings.minutes == 0), run.id,
            ": a run of online learning has its online.rounds, no other budget");
        require_usage(plan.settings.study == "none" || run.command == "bench", run.id, ": suite.study is ",
                      plan.settings.study, ", which only runs that innerloop bench does know");
        plan.runs.push_back(std::move(run));
      }
    }
  }
  for (const auto& run : plan.runs) {
    require_usage(run.after.empty() || ids.count(run.after) != 0, run.id, " starts from ", run.after,
                  ", which --runs leaves out");
  }
  check_baseline(plan);
  share_out(plan);
  return plan;
}

void set_iterations(SuiteRun& run, int64_t iterations, const SuitePlan& plan) {
  put_over(run.settings, {"meta.iterations", std::to_string(iterations), "the suite's budget"});
  make_effective(run, plan);
}

std::vector<std::string> training_arguments(const SuiteRun& run, const std::filesystem::path& folder) {
  const auto defaults = folder.parent_path() / kDefaultsFile;
  std::vector<std::string> words{run.command, "--config", run.file.empty() ? defaults.string() : run.file};
  for (const auto& setting : run.settings) words.insert(words.end(), {"--" + setting.key, setting.value});
  words.insert(words.end(), {"--run-dir", folder.string(), "--resume"});
  return words;
}

std::vector<std::string> evaluation_arguments(const SuiteRun& run, const std::filesystem::path& folder,
                                              bool search) {
  std::vector<std::string> words{"adapt", "--run", folder.string()};
  if (search)
    words.insert(words.end(), {"--seed", concat(run.config.evaluation.seed + kValidationSeedOffset)});
  return words;
}

std::vector<std::string> study_arguments(const SuitePlan& plan, const std::filesystem::path& folder) {
  return {"analyse", "--run", folder.string(), "--study", plan.settings.study};
}

SuitePart parse_part(const std::string& text) {
  SuitePart part;
  constexpr int64_t kMost = 1'000'000;
  if (text != "slurm") {
    const size_t slash = text.find('/');
    const bool read = slash != std::string::npos &&
                      keys::read_whole(text.substr(slash + 1), 1, kMost, part.count) &&
                      keys::read_whole(text.substr(0, slash), 1, part.count, part.index);
    require_usage(read, "--part is '", shortened(text),
                  "', expected I/N with I from 1 to N, as 2/4, or slurm in a job array");
    return part;
  }
  const auto variable = [&](const char* name, int64_t otherwise) {
    const char* value = std::getenv(name);
    int64_t number = otherwise;
    require_usage(value != nullptr || otherwise > 0, "--part slurm: ", name,
                  " is not set; it is in the tasks of a job array (sbatch --array=1-4)");
    require_usage(value == nullptr || keys::read_whole(value, 0, INT64_MAX, number), "--part slurm: ", name,
                  " is '", shortened(value == nullptr ? "" : value), "', expected a whole number");
    return number;
  };
  const int64_t id = variable("SLURM_ARRAY_TASK_ID", 0), first = variable("SLURM_ARRAY_TASK_MIN", 0),
                step = std::max<int64_t>(1, variable("SLURM_ARRAY_TASK_STEP", 1));
  part.count = variable("SLURM_ARRAY_TASK_COUNT", 0);
  part.index = (id - first) / step + 1;
  require_usage(part.index >= 1 && part.index <= part.count && (id - first) % step == 0,
                "--part slurm: task ", id, " of an array of ", part.count, " that begins at ", first,
                " in steps of ", step, "; expected an array in even steps, as --array=1-4");
  return part;
}

}  // namespace innerloop
