#include "runners/experiment/class_results.h"

#include <algorithm>
#include <iomanip>
#include <ostream>

#include "base/error.h"

namespace innerloop {
namespace {

constexpr int64_t kFewest = 10;  // queries of a class whose accuracy is worth a line
constexpr size_t kShown = 5, kMistakesShown = 3;

// "Greek/character03 (12), Greek/character07 (4)", the most frequent first.
std::string mistakes_text(const ClassResult& result) {
  std::vector<std::pair<std::string, int64_t>> mistakes(result.taken_for.begin(), result.taken_for.end());
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> words;
  for (const auto& [name, count] : mistakes) words.push_back(concat(name, " (", count, ")"));
  if (words.size() > kMistakesShown) words.resize(kMistakesShown);
  return join(words);
}

}  // namespace

std::vector<ClassResult> by_class(const TaskOutcomes& outcomes, int64_t queries,
                                  const std::vector<std::string>& names) {
  std::vector<ClassResult> all(names.size());
  for (size_t i = 0; i < names.size(); ++i) all[i].name = names[i];
  for (size_t task = 0; task < outcomes.classes.size(); ++task) {
    const auto& classes = outcomes.classes[task];
    const auto& predicted = outcomes.predicted[task];
    for (size_t i = 0; i < predicted.size() && !classes.empty(); ++i) {
      const auto label = i / static_cast<size_t>(queries), said = static_cast<size_t>(predicted[i]);
      ClassResult& result = all.at(static_cast<size_t>(classes.at(label)));
      ++result.queries;
      if (said == label) {
        ++result.right;
      } else {
        ++result.taken_for[names.at(static_cast<size_t>(classes.at(said)))];
      }
    }
  }
  std::erase_if(all, [](const ClassResult& result) { return result.queries == 0; });
  return all;
}

void print_worst_classes(std::ostream& out, const std::vector<ClassResult>& classes) {
  std::vector<ClassResult> known = classes;
  std::erase_if(known, [](const ClassResult& result) { return result.queries < kFewest; });
  if (known.empty()) return;
  std::stable_sort(known.begin(), known.end(),
                   [](const auto& a, const auto& b) { return a.accuracy() < b.accuracy(); });
  if (known.size() > kShown) known.resize(kShown);
  out << "lowest of " << classes.size() << " classes:\n";
  for (const auto& result : known) {
    const std::string mistakes = mistakes_text(result);
    out << std::setw(23) << std::fixed << std::setprecision(2) << 100 * result.accuracy() << " % of "
        << result.queries << " queries   " << result.name
        << (mistakes.empty() ? "" : ", taken for " + mistakes) << '\n';
  }
}

}  // namespace innerloop
