#include "policies/policy.h"

#include <algorithm>

#include "base/error.h"
#include "policies/categorical_mlp.h"
#include "policies/gaussian_mlp.h"

namespace innerloop {
namespace {

template <class P>
std::unique_ptr<Policy> make(const PolicyConfig& config, const EnvironmentSpec& environment) {
  return std::make_unique<P>(config, environment);
}

struct Entry {
  const char* name;
  const char* description;
  ActionKind actions;
  std::unique_ptr<Policy> (*make)(const PolicyConfig&, const EnvironmentSpec&);
};

// Adding a policy: write policies/NAME.{h,cpp}, add its line here, run `ctest -R policies`.
constexpr Entry kPolicies[] = {
    {"gaussian_mlp",
     "MLP mean, learned standard deviation that does not depend on the state; continuous actions",
     ActionKind::kContinuous, make<GaussianMlp>},
    {"categorical_mlp", "MLP logits, softmax; discrete actions", ActionKind::kDiscrete, make<CategoricalMlp>},
};

const char* kind_name(ActionKind kind) { return kind == ActionKind::kDiscrete ? "discrete" : "continuous"; }

}  // namespace

std::vector<NamedDescription> policies() {
  std::vector<NamedDescription> out;
  for (const auto& entry : kPolicies) out.push_back({entry.name, entry.description});
  return out;
}

std::unique_ptr<Policy> make_policy(const PolicyConfig& config, const EnvironmentSpec& environment) {
  const auto entry = std::find_if(std::begin(kPolicies), std::end(kPolicies),
                                  [&](const Entry& e) { return e.name == config.name; });
  if (entry == std::end(kPolicies)) {
    std::vector<std::string> names;
    for (const auto& known : kPolicies) names.emplace_back(known.name);
    throw UsageError(unknown_name("policy", config.name, names));
  }
  std::string fitting;  // the policy that could act there
  for (const auto& known : kPolicies) {
    if (known.actions == environment.action_kind) fitting = known.name;
  }
  require_usage(entry->actions == environment.action_kind, "policy ", config.name, " has ",
                kind_name(entry->actions), " actions, but environment ", environment.name, " takes ",
                kind_name(environment.action_kind), " ones; use ", fitting);
  require_usage(environment.observation_size >= 1 && environment.action_size >= 1, "policy ", config.name,
                ": environment ", environment.name, " has ", environment.observation_size,
                " observations and actions of size ", environment.action_size,
                ", expected at least 1 of each");
  return entry->make(config, environment);
}

}  // namespace innerloop
