#include "meta/meta_optimizer.h"

#include <cmath>

#include "base/error.h"
#include "meta/first_order_optimizers.h"
#include "meta/trpo.h"

namespace innerloop {

// Adding a meta-optimizer: write its file, add its line here.
std::vector<NamedMetaOptimizer> meta_optimizers() {
  return {{"adam", "adaptive moments on the meta-gradient (Kingma and Ba 2015)"},
          {"sgd", "plain gradient descent on the meta-gradient"},
          {"trpo",
           "natural gradient with a KL trust region and line search, for policies (Schulman et al. 2015)"}};
}

std::vector<std::string> meta_optimizer_names() {
  std::vector<std::string> names;
  for (const auto& entry : meta_optimizers()) names.push_back(entry.name);
  return names;
}

std::unique_ptr<MetaOptimizer> make_meta_optimizer(const MetaOptimizerConfig& config, const Params& meta) {
  if (config.name == "adam") return std::make_unique<Adam>(config, meta);
  if (config.name == "sgd") return std::make_unique<Sgd>(config);
  if (config.name == "trpo") return std::make_unique<Trpo>(config);
  throw UsageError(unknown_name("meta.optimizer", config.name, meta_optimizer_names()));
}

}  // namespace innerloop
