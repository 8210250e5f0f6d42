#include "meta/supervised/online_config.h"

#include <algorithm>
#include <sstream>

#include "base/error.h"
#include "base/named_description.h"

namespace innerloop {
namespace {

constexpr int64_t kMostRounds = 1'000'000, kMostInBatch = 10'000, kMostUpdates = 1'000'000;
constexpr keys::Interval kLevel{0, 1e6, false, false, "a number from 0 to 1000000"};

Key of_rounds(Key key) {
  return keys::needs(std::move(key),
                     {"online.rounds", "above 0", [](const auto& value) { return value != "0"; }});
}

bool read_learners(const std::string& text, std::vector<std::string>& value) {
  std::vector<std::string> found;
  const auto known = names_of(online_rules());
  std::istringstream list(text);
  for (std::string name; std::getline(list, name, ',');) {
    const bool fits = std::find(known.begin(), known.end(), name) != known.end();
    if (!fits || std::find(found.begin(), found.end(), name) != found.end()) return false;
    found.push_back(name);
  }
  if (found.empty() || text.back() == ',') return false;
  value = std::move(found);
  return true;
}

}  // namespace

const std::vector<OnlineRule>& online_rules() {
  using enum OnlineRule::Tasks;
  static const std::vector<OnlineRule> table{
      {"ftml", "follow the meta leader: meta-learns from all tasks so far, adapts to the current one", kSoFar,
       true, true, false},
      {"toe", "trains on everything so far, does not adapt", kSoFar, false, false, false},
      {"scratch", "trains on the current task alone, from new initial parameters", kCurrent, false, false,
       true},
      {"joint", "trains on all tasks before, fine-tunes to the current one", kBefore, false, true, false},
  };
  return table;
}

std::vector<Key> online_keys() {
  using C = OnlineConfig;
  Key learners =
      keys::make("learners", &C::learners, "that are compared, separated by commas",
                 concat("some of ", join(names_of(online_rules())), ", each once, separated by commas"),
                 read_learners, [](const std::vector<std::string>& value) { return join(value, ","); });
  learners.known = names_of(online_rules());
  return {
      keys::whole("rounds", &C::rounds, 0, kMostRounds, "tasks that arrive one after another, 0 = none"),
      of_rounds(keys::whole("batches", &C::batches, 1, kMostInBatch, "of data that arrive in a round")),
      of_rounds(keys::whole("batch", &C::batch, 2, kMostInBatch, "samples of a batch, of each class")),
      of_rounds(
          keys::whole("steps", &C::steps, 0, kMostUpdates, "updates of each learner after a batch has come")),
      keys::free(of_rounds(keys::number("level", &C::level, kLevel,
                                        "accuracy, or mean squared error, that counts as learned"))),
      of_rounds(keys::whole("buffer", &C::buffer, 0, kMostRounds, "tasks kept, the last ones; 0 = all")),
      of_rounds(std::move(learners)),
  };
}

}  // namespace innerloop
