#include "runners/experiment/options.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/row.h"
#include "envs/registry.h"
#include "meta/algorithms/registry.h"
#include "meta/optimizers/table.h"

namespace innerloop {
namespace {

constexpr int64_t kMostIterations = 1'000'000'000, kMostTasks = 1'000'000, kMostThreads = 1024;

// The order of sections in --help and in the written configuration; those of algorithms come last.
const std::vector<std::string>& sections() {
  static const std::vector<std::string> order{
      "",     "environment", "policy",     "sampler", "advantage", "dataset",    "network",   "inner",
      "meta", "online",      "checkpoint", "video",   "progress",  "validation", "evaluation"};
  return order;
}

std::vector<Key> joined(std::initializer_list<std::vector<Key>> parts) {
  std::vector<Key> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// The keys of a base class as keys of the class.
template <class Derived, class Base>
std::vector<Key> inherited(std::vector<Key> keys) {
  for (auto& key : keys) {
    key.set = [set = key.set](void* config, const std::string& text) {
      return set(static_cast<Base*>(static_cast<Derived*>(config)), text);
    };
    key.get = [get = key.get](const void* config) {
      return get(static_cast<const Base*>(static_cast<const Derived*>(config)));
    };
  }
  return keys;
}

// A row's own keys as keys of the struct that keeps their texts.
template <class Config>
std::vector<Key> kept_in(std::vector<Key> keys) {
  for (auto& key : keys) {
    key.set = [name = key.name, canonical = key.canonical](void* config, const std::string& text) {
      const auto value = canonical ? canonical(text) : text;
      if (value) static_cast<Config*>(config)->own.set(name, *value);
      return value.has_value();
    };
    key.get = [name = key.name, initial = key.initial](const void* config) {
      const auto& values = static_cast<const Config*>(config)->own.values();
      const auto found = values.find(name);
      return found == values.end() ? initial : found->second;
    };
  }
  return keys;
}

// The choice of one row of a table, whose own texts are kept in the part `member` of the side's
// configuration.
template <class Outer, class Part>
Choice choice_of(const std::string& kind, const std::vector<Row>& rows, Part Outer::*member) {
  Choice choice{.by = kind + ".name", .kind = kind, .rows = {}};
  for (const auto& row : rows) {
    choice.rows.push_back({row.name, keys::within(kind + ".", member, kept_in<Part>(row.keys))});
  }
  return choice;
}

template <class Outer>
Choice choice_of_algorithm(Side side) {
  Choice choice{.by = "algorithm", .kind = "algorithm", .rows = {}};
  for (const auto& row : algorithms()) {
    if (!(side == Side::kPolicy ? row.policies() : row.supervised())) continue;
    const auto own = keys::within(row.name + ".", &MetaConfig::algorithm, kept_in<AlgorithmConfig>(row.keys));
    choice.rows.push_back({row.name, inherited<Outer, MetaConfig>(own)});
  }
  return choice;
}

std::vector<Key> checkpoint_keys() {
  using C = CheckpointConfig;
  return {
      keys::free(keys::whole("every", &C::every, 1, kMostIterations, "meta-iterations between checkpoints")),
      keys::free(keys::choice("keep", &C::keep, {"last", "all"},
                              "last: the last checkpoint only; all: also one file for each"))};
}

std::vector<Key> video_keys() {
  using C = VideoConfig;
  return {keys::free(keys::whole("every", &C::every, 0, kMostIterations,
                                 "meta-iterations between films of the policy, 0 = none"))};
}

Key of_validations(Key key) {
  return keys::needs(std::move(key),
                     {"validation.every", "above 0", [](const auto& value) { return value != "0"; }});
}

std::vector<Key> validation_keys() {
  using C = ValidationConfig;
  return {
      keys::whole("every", &C::every, 0, kMostIterations, "meta-iterations between validations, 0 = none"),
      of_validations(keys::whole("tasks", &C::tasks, 2, kMostTasks, "tasks of the validation split")),
      keys::free(of_validations(keys::whole("patience", &C::patience, 0, kMostTasks,
                                            "stop after so many without improvement, 0 = never"))),
      keys::free(of_validations(
          keys::whole("keep", &C::keep, 1, 100, "how many of the best are kept, for evaluation.ensemble")))};
}

Key iterations_key() {
  return keys::free(keys::whole("meta.iterations", &ExperimentConfig::iterations, 0, kMostIterations,
                                "meta-iterations; 0 only writes the initial checkpoint"));
}

// The other keys of both sides that ExperimentConfig has itself.
std::vector<Key> experiment_keys() {
  using C = ExperimentConfig;
  return joined({{keys::free(keys::whole("threads", &C::threads, 0, kMostThreads,
                                         "worker threads, 0 = one per core; never changes a result")),
                  keys::free(keys::truth("progress.tensorboard", &C::tensorboard,
                                         "write event files of TensorBoard beside progress.csv"))},
                 keys::within("checkpoint.", &C::checkpoint, checkpoint_keys())});
}

// Supervised learning has no policies that a trust region could be about.
std::vector<std::string> optimizers(Side side) {
  auto names = names_of(meta_optimizers());
  if (side == Side::kSupervised) std::erase(names, "trpo");
  return names;
}

// MetaConfig's, with the algorithm's name.
template <class Outer>
std::vector<Key> common_meta_keys(Side side) {
  const auto name =
      keys::choice("algorithm", &AlgorithmConfig::name, names_of(algorithms()),
                   "what is trained (innerloop list algorithms); fixes the keys that define it");
  return inherited<Outer, MetaConfig>(
      joined({keys::within("", &MetaConfig::algorithm, {name}), meta_keys(optimizers(side))}));
}

// Side by side: what is only of policies, and what is only of supervised learning.
KeyTable table_of_policies() {
  using C = ExperimentConfig;
  using M = PolicyMetaConfig;
  KeyTable table;
  table.common = joined({{iterations_key()},
                         keys::within("", &C::learner, common_meta_keys<M>(Side::kPolicy)),
                         experiment_keys(),
                         keys::within("", &C::learner, policy_meta_keys()),
                         keys::within("video.", &C::video, video_keys()),
                         keys::within("evaluation.", &C::evaluation, policy_evaluation_keys())});
  table.choices = {choice_of_algorithm<M>(Side::kPolicy),
                   choice_of("environment", environments(), &M::environment),
                   choice_of("policy", policies(), &M::policy)};
  for (auto& choice : table.choices) {
    for (auto& row : choice.rows) row.keys = keys::within("", &C::learner, row.keys);
  }
  return table;
}

KeyTable table_of_supervised_learning() {
  using C = ExperimentConfig;
  using M = SupervisedMetaConfig;
  KeyTable table;
  table.common =
      joined({{iterations_key()},
              keys::within("", &C::supervised, common_meta_keys<M>(Side::kSupervised)),
              experiment_keys(),
              keys::within("", &C::supervised, supervised_meta_keys()),
              {keys::whole("progress.every", &C::progress_every, 1, kMostIterations,
                           "meta-iterations per row of progress.csv")},
              keys::within("validation.", &C::validation, validation_keys()),
              keys::within("online.", &C::online, online_keys()),
              keys::within("evaluation.", &C::supervised_evaluation, supervised_evaluation_keys())});
  table.choices = {choice_of_algorithm<M>(Side::kSupervised), choice_of("dataset", datasets(), &M::dataset),
                   choice_of("network", networks(), &M::network)};
  for (auto& choice : table.choices) {
    for (auto& row : choice.rows) row.keys = keys::within("", &C::supervised, row.keys);
  }
  for (auto& key : table.common) {
    if (key.name == "network.name")
      key.meaning += "; not given, for images: conv4, with network.batch_norm = batch";
  }
  return table;
}

KeyTable finished(KeyTable table, Side side) {
  const ExperimentConfig defaults = default_config(side);
  for (auto& key : table.common) key.initial = key.get(&defaults);
  order_by_section(table.common);
  return table;
}

const Key* find_key(const std::vector<Key>& keys, const std::string& name) {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

}  // namespace

const Choice::Row* Choice::find(const std::string& name) const {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

std::vector<std::string> Choice::knowing(const std::string& key) const {
  std::vector<std::string> names;
  for (const auto& row : rows) {
    if (find_key(row.keys, key) != nullptr) names.push_back(row.name);
  }
  return names;
}

const Key* KeyTable::find(const std::string& name) const { return find_key(common, name); }

const Choice* KeyTable::owner(const std::string& name) const {
  const auto found = std::find_if(choices.begin(), choices.end(),
                                  [&](const Choice& choice) { return !choice.knowing(name).empty(); });
  return found == choices.end() ? nullptr : &*found;
}

bool KeyTable::knows(const std::string& name) const {
  return find(name) != nullptr || owner(name) != nullptr;
}

std::vector<Key> KeyTable::keys_of(const ExperimentConfig& config) const {
  std::vector<Key> keys = common;
  for (const auto& choice : choices) {
    const auto* row = choice.find(find(choice.by)->get(&config));
    if (row != nullptr) keys.insert(keys.end(), row->keys.begin(), row->keys.end());
  }
  if (config.online.rounds == 0)
    std::erase_if(keys, [](const Key& key) { return section_of(key.name) == "online"; });
  order_by_section(keys);
  return keys;
}

const KeyTable& key_table(Side side) {
  static const KeyTable policies = finished(table_of_policies(), Side::kPolicy),
                        supervised = finished(table_of_supervised_learning(), Side::kSupervised);
  return side == Side::kPolicy ? policies : supervised;
}

std::string section_of(const std::string& key) {
  const size_t dot = key.find('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

void order_by_section(std::vector<Key>& keys) {
  const auto place = [](const Key& key) {
    return std::find(sections().begin(), sections().end(), section_of(key.name)) - sections().begin();
  };
  std::stable_sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) { return place(a) < place(b); });
}

std::vector<std::string> key_names() {
  std::vector<std::string> names;
  const auto add = [&](const std::vector<Key>& keys) {
    for (const auto& key : keys) {
      if (std::find(names.begin(), names.end(), key.name) == names.end()) names.push_back(key.name);
    }
  };
  for (const Side side : kSides) {
    add(key_table(side).common);
    for (const auto& choice : key_table(side).choices) {
      for (const auto& row : choice.rows) add(row.keys);
    }
  }
  return names;
}

std::vector<std::string> names_for(const std::string& name) {
  static const std::map<std::string, std::vector<std::string>> table{
      {"algo", {"algorithm"}},
      {"alpha", {"inner.step_size"}},
      {"batch-size", {"meta.batch_size"}},
      {"beta", {"meta.step_size"}},
      {"config-file", {"config"}},
      {"data", {"dataset.path"}},
      {"dataset", {"dataset.name"}},
      {"env", {"environment.name"}},
      {"env-name", {"environment.name"}},
      {"environment", {"environment.name"}},
      {"epochs", {"meta.iterations"}},
      {"gamma", {"advantage.discount"}},
      {"inner-lr", {"inner.step_size"}},
      {"iterations", {"meta.iterations"}},
      {"learning-rate", {"inner.step_size", "meta.step_size"}},
      {"log-dir", {"run-dir", "run"}},
      {"logdir", {"run-dir", "run"}},
      {"lr", {"inner.step_size", "meta.step_size"}},
      {"meta-lr", {"meta.step_size"}},
      {"n-iter", {"meta.iterations"}},
      {"network", {"network.name"}},
      {"num-iterations", {"meta.iterations"}},
      {"num-threads", {"threads"}},
      {"num-workers", {"threads"}},
      {"optimizer", {"meta.optimizer"}},
      {"out", {"run-dir", "run"}},
      {"output", {"run-dir", "run"}},
      {"output-dir", {"run-dir", "run"}},
      {"policy", {"policy.name"}},
      {"shots", {"dataset.shots", "evaluation.shots"}},
      {"tau", {"advantage.gae_lambda"}},
      {"ways", {"dataset.ways", "evaluation.ways"}},
      {"workers", {"threads"}},
  };
  std::string dashed = name;
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  const auto found = table.find(dashed);
  return found == table.end() ? std::vector<std::string>{} : found->second;
}

std::string suggestion(const std::string& name, const std::vector<std::string>& known,
                       const std::string& prefix) {
  std::vector<std::string> ours;
  for (const auto& word : names_for(name)) {
    if (std::find(known.begin(), known.end(), word) != known.end()) ours.push_back(prefix + word);
  }
  if (!ours.empty()) return concat("innerloop calls it ", join(ours, " or "), "; ");
  const std::string near = nearest_name(name, known);
  return near.empty() ? "" : concat("did you mean '", prefix, near, "'? ");
}

}  // namespace innerloop
