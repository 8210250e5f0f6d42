// The row of an algorithm that adapts by gradient steps: its own settings and the parts it makes of them.
#pragma once

#include <memory>
#include <utility>

#include "meta/algorithm.h"
#include "meta/gradient_method.h"

namespace innerloop {

// `row` completed by the keys and by a GradientMethod with the parts that make(settings, context) gives.
template <class Config>
Algorithm gradient_algorithm(Algorithm row, const Keys<Config>& keys,
                             Parts (*make)(const Config& config, const MethodContext& context),
                             Tasks tasks = Tasks::kBoth) {
  row.keys = keys.list();
  const auto build = [make, keys, name = row.name](const Texts& own, const MethodContext& context) {
    return std::make_unique<GradientMethod>(make(keys.read(own, "algorithm " + name, name), context),
                                            context);
  };
  if (tasks != Tasks::kPolicies) row.method = build;
  if (tasks != Tasks::kEpisodes) row.policy_method = build;
  return row;
}

}  // namespace innerloop
