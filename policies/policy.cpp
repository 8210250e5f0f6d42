#include "policies/policy.h"

#include "base/error.h"
#include "policies/categorical_mlp.h"
#include "policies/gaussian_mlp.h"
#include "policies/recurrent_policy.h"

namespace innerloop {
namespace {

template <class P>
std::unique_ptr<Policy> make(const PolicyConfig& config, const EnvironmentSpec& environment) {
  return std::make_unique<P>(config, environment);
}

template <Cell cell>
std::unique_ptr<Policy> make_recurrent(const PolicyConfig& config, const EnvironmentSpec& environment) {
  return std::make_unique<RecurrentPolicy>(cell, config, environment);
}

constexpr int64_t kMostHidden = 1'000'000;

struct Entry : Row {
  ActionKind actions;
  std::unique_ptr<Policy> (*make)(const PolicyConfig&, const EnvironmentSpec&);
};

// Adding a policy: write policies/NAME.{h,cpp}, add its line here, run `ctest -R policies`.
const std::vector<Entry>& table() {
  static const std::vector<Entry> entries{
      {{"gaussian_mlp",
        "MLP mean, learned standard deviation that does not depend on the state; continuous actions",
        kGaussianKeys.list()},
       ActionKind::kContinuous,
       make<GaussianMlp>},
      {{"categorical_mlp", "MLP logits, softmax; discrete actions", {}},
       ActionKind::kDiscrete,
       make<CategoricalMlp>},
      {{"gaussian_gru", "gaussian_mlp on the state of a gated recurrent unit, which remembers the trajectory",
        recurrent_keys(Cell::kGru, ActionKind::kContinuous).list()},
       ActionKind::kContinuous,
       make_recurrent<Cell::kGru>},
      {{"gaussian_lstm", "gaussian_mlp on the state of a long short-term memory",
        recurrent_keys(Cell::kLstm, ActionKind::kContinuous).list()},
       ActionKind::kContinuous,
       make_recurrent<Cell::kLstm>},
      {{"categorical_gru", "categorical_mlp on the state of a gated recurrent unit",
        recurrent_keys(Cell::kGru, ActionKind::kDiscrete).list()},
       ActionKind::kDiscrete,
       make_recurrent<Cell::kGru>},
      {{"categorical_lstm", "categorical_mlp on the state of a long short-term memory",
        recurrent_keys(Cell::kLstm, ActionKind::kDiscrete).list()},
       ActionKind::kDiscrete,
       make_recurrent<Cell::kLstm>},
  };
  return entries;
}

const char* kind_name(ActionKind kind) { return kind == ActionKind::kDiscrete ? "discrete" : "continuous"; }

}  // namespace

std::vector<Row> policies() { return rows_of(table()); }

std::vector<Key> policy_keys() {
  using C = PolicyConfig;
  return {keys::choice("name", &C::name, names_of(table()), "kind of policy"),
          keys::sizes("hidden", &C::hidden, kMostHidden, "sizes of the hidden layers, none = linear"),
          keys::choice("activation", &C::activation, names_of(kActivations), "of the hidden layers")};
}

std::unique_ptr<Policy> make_policy(const PolicyConfig& config, const EnvironmentSpec& environment) {
  const Entry* entry = &find_named("policy", table(), config.name);
  std::vector<std::string> fitting;  // policies that could act there
  for (const auto& known : table()) {
    if (known.actions == environment.action_kind) fitting.push_back(known.name);
  }
  require_usage(entry->actions == environment.action_kind, "policy ", config.name, " has ",
                kind_name(entry->actions), " actions, but environment ", environment.name, " takes ",
                kind_name(environment.action_kind), " ones; use ", join(fitting, " or "));
  require_usage(environment.observation_size >= 1 && environment.action_size >= 1, "policy ", config.name,
                ": environment ", environment.name, " has ", environment.observation_size,
                " observations and actions of size ", environment.action_size,
                ", expected at least 1 of each");
  return entry->make(config, environment);
}

}  // namespace innerloop
