#include "meta/optimizers/registry.h"

#include "base/error.h"
#include "meta/optimizers/adam_by_group.h"
#include "meta/optimizers/first_order_optimizers.h"
#include "meta/optimizers/lars.h"
#include "meta/optimizers/repeated.h"
#include "meta/optimizers/trpo.h"

namespace innerloop {
namespace {

struct Entry {
  NamedDescription row;
  std::unique_ptr<MetaOptimizer> (*make)(const MetaOptimizerConfig& config, const Params& meta);
};

// Adding a meta-optimizer: write its file, add its line here.
const std::vector<Entry>& table() {
  static const std::vector<Entry> entries{
      {{"adam", "adaptive moments on the meta-gradient (Kingma and Ba 2015)"},
       [](const auto& config, const Params& meta) -> std::unique_ptr<MetaOptimizer> {
         return std::make_unique<Adam>(config, meta);
       }},
      {{"adam_by_group", "adam for each group of entries apart; a group without a gradient rests"},
       [](const auto& config, const Params& meta) -> std::unique_ptr<MetaOptimizer> {
         return std::make_unique<AdamByGroup>(config, meta);
       }},
      {{"lars", "momentum with a step for each entry in proportion to its size (You et al. 2017)"},
       [](const auto& config, const Params& meta) -> std::unique_ptr<MetaOptimizer> {
         return std::make_unique<Lars>(config, meta);
       }},
      {{"sgd", "plain gradient descent on the meta-gradient"},
       [](const auto& config, const Params&) -> std::unique_ptr<MetaOptimizer> {
         return std::make_unique<Sgd>(config);
       }},
      {{"trpo",
        "natural gradient with a KL trust region and line search, for policies (Schulman et al. 2015)"},
       [](const auto& config, const Params&) -> std::unique_ptr<MetaOptimizer> {
         return std::make_unique<Trpo>(config);
       }},
  };
  return entries;
}

}  // namespace

std::vector<NamedDescription> meta_optimizers() {
  std::vector<NamedDescription> rows;
  for (const auto& entry : table()) rows.push_back(entry.row);
  return rows;
}

std::unique_ptr<MetaOptimizer> make_meta_optimizer(const MetaOptimizerConfig& config, const Params& meta) {
  for (const auto& entry : table()) {
    if (entry.row.name != config.name) continue;
    auto one = entry.make(config, meta);
    return config.epochs == 1 ? std::move(one) : repeated(std::move(one), config.epochs);
  }
  throw UsageError(unknown_name("meta.optimizer", config.name, names_of(meta_optimizers())));
}

}  // namespace innerloop
