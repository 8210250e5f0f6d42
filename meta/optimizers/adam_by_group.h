// An Adam of its own for every group of entries, GROUP/NAME by their names (entries without a '/' are a group
// too). A group whose gradient is zero in every entry is left as it is, moments and number of steps included:
// where an iteration trains one of several sets of meta-parameters (TSA-MAML's clusters), the others rest.
#pragma once

#include <map>
#include <string>

#include "meta/optimizers/first_order_optimizers.h"

namespace innerloop {

class AdamByGroup : public MetaOptimizer {
 public:
  AdamByGroup(const MetaOptimizerConfig& config, const Params& meta);
  MetaStep step(Params& meta, MetaProblem& problem, const Moment& now) override;
  Params state() const override;
  void restore(const Params& state) override;

 private:
  struct Group {
    std::vector<std::string> names;
    Adam adam;
  };
  std::map<std::string, Group> groups_;
};

}  // namespace innerloop
