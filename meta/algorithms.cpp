#include "meta/algorithms.h"

#include "base/error.h"

namespace innerloop {
namespace {

struct Algorithm {
  NamedDescription entry;
  void (*apply)(MetaConfig&);
};

// Adding an algorithm: docs/adding_an_algorithm.md.
const std::vector<Algorithm>& table() {
  static const std::vector<Algorithm> algorithms{
      {{"fomaml", "first-order MAML: second derivatives dropped (Finn et al. 2017, section 5.2)"},
       [](MetaConfig& c) { c.inner.first_order = true; }},
      {{"joint",
        "no inner steps: one policy, or network, for the mixture of tasks, the papers' 'pretrained' "
        "baseline"},
       [](MetaConfig& c) { c.inner.steps = 0; }},
      {{"maml", "model-agnostic meta-learning (Finn et al. 2017, Alg. 3)"}, [](MetaConfig&) {}},
      {{"meta_sgd", "MAML with a learned step size for every parameter (Li et al. 2017)"},
       [](MetaConfig& c) { c.inner.step_sizes = "per_parameter"; }},
  };
  return algorithms;
}

}  // namespace

std::vector<NamedDescription> algorithms() {
  std::vector<NamedDescription> out;
  for (const auto& algorithm : table()) out.push_back(algorithm.entry);
  return out;
}

void apply_algorithm(const std::string& name, MetaConfig& config) {
  std::vector<std::string> names;
  for (const auto& algorithm : table()) {
    if (algorithm.entry.name == name) return algorithm.apply(config);
    names.push_back(algorithm.entry.name);
  }
  throw UsageError(unknown_name("algorithm", name, names));
}

}  // namespace innerloop
