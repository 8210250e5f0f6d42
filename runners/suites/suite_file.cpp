#include "runners/suites/suite_file.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "base/error.h"

namespace innerloop {
namespace {

constexpr char kRun[] = "run ", kSearch[] = "search ";
const std::vector<std::string> kSections{"suite", "base", "run NAME", "search", "search NAME"};

bool begins_with(const std::string& text, const std::string& beginning) {
  return text.rfind(beginning, 0) == 0;
}

std::string without_blanks(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

struct Header {
  std::string section, where;
};

// The section lines, those of empty sections too, which parse_ini does not tell.
std::vector<Header> headers_of(const std::string& text, const std::string& file) {
  std::vector<Header> headers;
  std::istringstream in(text);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    line = without_blanks(line.substr(0, line.find('#')));
    if (line.size() < 2 || line.front() != '[' || line.back() != ']') continue;
    headers.push_back({line.substr(1, line.size() - 2), concat(file, ":", number)});
  }
  return headers;
}

std::string run_name(const Header& header) {
  const std::string name = without_blanks(header.section.substr(sizeof kRun - 1));
  constexpr char kPlain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+";
  const bool plain = !name.empty() && name.size() <= 100 && name.front() != '-' &&
                     name.find_first_not_of(kPlain) == std::string::npos;
  require_usage(plain, header.where, ": the run's name is '", shortened(name),
                "', expected letters, digits, '_', '-' and '+': it names folders");
  return name;
}

// The run of [search NAME].
size_t searched_run(const Header& header, const Suite& suite) {
  const std::string name = without_blanks(header.section.substr(sizeof kSearch - 1));
  std::vector<std::string> known;
  for (size_t i = 0; i < suite.runs.size(); ++i) {
    if (suite.runs[i].name == name) return i;
    known.push_back(suite.runs[i].name);
  }
  throw UsageError(concat(header.where, ": [", shortened(header.section),
                          "]: ", unknown_name("run of this suite", name, known)));
}

// The runs in the file's order, by the section that keys begin with ("run maml", "search maml"). Refuses
// unknown sections.
std::map<std::string, size_t> read_runs(const std::vector<Header>& headers, Suite& suite) {
  std::map<std::string, size_t> places;
  std::map<std::string, std::string> seen;
  for (const auto& header : headers) {
    const auto [first, fresh] = seen.emplace(header.section, header.where);
    require_usage(fresh, header.where, ": [", shortened(header.section), "] stands twice, first at ",
                  first->second);
    if (begins_with(header.section, kSearch)) continue;
    if (!begins_with(header.section, kRun)) {
      const bool known = std::find(kSections.begin(), kSections.end(), header.section) != kSections.end();
      require_usage(known, header.where, ": ", unknown_name("section", header.section, kSections));
      continue;
    }
    const std::string name = run_name(header);
    for (const auto& other : suite.runs) {
      require_usage(other.name != name, header.where, ": there are two runs '", name, "', the first at ",
                    other.where);
    }
    places[header.section] = suite.runs.size();
    suite.runs.push_back({name, header.where, "", {}, {}});
  }
  require_usage(!suite.runs.empty(), suite.name, ": no run, expected at least one section [run NAME]");
  std::map<size_t, std::string> searched;
  for (const auto& header : headers) {
    if (!begins_with(header.section, kSearch)) continue;
    const size_t run = places[header.section] = searched_run(header, suite);
    const auto [first, fresh] = searched.emplace(run, header.where);
    require_usage(fresh, header.where, ": [search ", suite.runs[run].name, "] stands twice, first at ",
                  first->second);
  }
  return places;
}

// `setting` takes the place of one of the same key.
void lay_over(std::vector<Setting>& settings, const Setting& setting) {
  std::erase_if(settings, [&](const Setting& other) { return other.key == setting.key; });
  settings.push_back(setting);
}

void give(SuiteEntry& run, const Setting& setting) {
  if (setting.key == "config") {
    require_usage(!setting.value.empty(), setting.where, ": config is empty, expected a name or a file");
    run.config = setting.value;
  } else {
    lay_over(run.settings, setting);
  }
}

void require_known_suite_key(const Setting& setting) {
  if (setting.key == "config") return;
  require_usage(setting.key != "seed", setting.where, ": seed is that of each run, suite.seeds names them");
  require_known_key(setting);
}

void set_suite_key(SuiteSettings& settings, const Setting& setting) {
  std::vector<std::string> known;
  for (const auto& key : kSuiteKeys.list()) known.push_back(key.name);
  require_usage(std::find(known.begin(), known.end(), setting.key) != known.end(), setting.where, ": ",
                unknown_name("key of [suite]", setting.key, known));
  try {
    set_all(&settings, kSuiteKeys.list(), {{setting.key, setting.value}}, "a suite", "suite");
  } catch (const UsageError& error) {
    throw UsageError(concat(setting.where, ": ", error.what()));
  }
}

void require_sense(const Suite& suite, const std::string& file) {
  const auto& s = suite.settings;
  require_usage(!s.seeds.empty(), file, ": suite.seeds is empty, expected at least one seed");
  auto seeds = s.seeds;
  std::sort(seeds.begin(), seeds.end());
  const auto twice = std::adjacent_find(seeds.begin(), seeds.end());
  require_usage(twice == seeds.end(), file, ": suite.seeds names ", twice == seeds.end() ? 0 : *twice,
                " twice");
  require_usage(s.iterations == 0 || s.minutes == 0, file,
                ": suite.iterations and suite.minutes are both given, expected one budget");
  for (const auto& run : suite.runs) {
    require_usage(s.search != "none" || run.space.empty(), file,
                  ": there is a [search], but suite.search is none; expected grid or random");
    require_usage(s.search == "none" || !run.space.empty(), run.where, ": suite.search is ", s.search,
                  ", but there is no [search] or [search ", run.name, "] with keys to search over");
  }
  require_usage(s.search != "random" || s.draws > 0, file,
                ": suite.search is random, suite.draws is 0; expected how many draws to try");
  require_usage(s.search == "random" || s.draws == 0, file,
                ": suite.draws would do nothing: suite.search is ", s.search, ", expected random");
  require_usage(s.search == "none" || s.study == "none", file, ": suite.study is made on test ",
                "classes, of which a search sees none; take it away, or suite.search");
  require_usage(s.search == "none" || s.baseline.empty(), file, ": suite.baseline is compared with on test ",
                "tasks, of which a search sees none; take it away, or suite.search");
}

}  // namespace

Suite parse_suite(const std::string& text, const std::string& file) {
  Suite suite{.name = std::filesystem::path(file).stem().string(),
              .folder = std::filesystem::path(file).parent_path()};
  std::istringstream in(text);
  std::string first;
  std::getline(in, first);
  if (begins_with(first, "#")) suite.description = without_blanks(first.substr(1));
  const auto settings = parse_ini(text, file);
  const auto places = read_runs(headers_of(text, file), suite);
  std::vector<Setting> space;              // [search]
  for (const bool base : {true, false}) {  // what a run says counts over [base], wherever that stands
    for (const auto& setting : settings) {
      const size_t end = std::min(setting.key.find('.'), setting.key.size());
      const std::string section = setting.key.substr(0, end);
      const Setting own{setting.key.substr(std::min(end + 1, setting.key.size())), setting.value,
                        setting.where};
      if (section == "suite") {
        if (base) set_suite_key(suite.settings, own);
        continue;
      }
      const auto place = places.find(section);
      const bool searches = section == "search" || begins_with(section, kSearch);
      require_usage(section == "search" || section == "base" || place != places.end(), setting.where, ": '",
                    shortened(setting.key),
                    "' stands in no section, expected [suite], [base] or [run NAME] above it");
      require_known_suite_key(own);
      if (searches) {
        require_usage(own.key != "config", own.where, ": config cannot be searched over; make it two runs");
        if (base) (place == places.end() ? space : suite.runs[place->second].space).push_back(own);
      } else if (section == "base") {
        for (auto& run : suite.runs) {
          if (base) give(run, own);
        }
      } else if (!base) {
        give(suite.runs[place->second], own);
      }
    }
  }
  for (const auto& [section, run] : places) {
    require_usage(!begins_with(section, kSearch) || !suite.runs[run].space.empty(), file, ": [", section,
                  "] is empty, expected keys to search over");
  }
  for (auto& run : suite.runs) {
    if (run.space.empty()) run.space = space;
  }
  require_sense(suite, file);
  return suite;
}

Suite read_suite(const std::filesystem::path& file) { return parse_suite(read_ini(file), file.string()); }

}  // namespace innerloop
