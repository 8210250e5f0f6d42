// What is done with the meta-gradient.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "networks/params.h"

namespace innerloop {

// The meta-objective of one iteration, on fixed data, as a function of the meta-parameters. `origin` is where
// the iteration started: gradients are asked there first.
class MetaProblem {
 public:
  virtual ~MetaProblem() = default;
  struct Value {
    double loss = 0;
    double kl = 0;  // mean KL(old || new) of the adapted policies; 0 where there is no policy
  };
  virtual Value value(const Params& meta) = 0;
  virtual Params gradient(const Params& meta) = 0;
  // What an optimizer that does not need it reports of the new meta-parameters; nothing where it would cost a
  // second pass.
  virtual std::optional<Value> value_after(const Params& meta) { return value(meta); }
  // F v at the origin: the Hessian of the mean KL, J^T F J through the adaptation. Error where there is no
  // policy.
  virtual Params fisher_product(const Params& direction) = 0;
};

struct MetaOptimizerConfig {
  std::string name = "trpo";  // see meta_optimizers()
  double step_size = 1e-3;    // adam, sgd: beta
  double clip = 0;            // adam, sgd: every entry of the meta-gradient is cut to [-clip, clip]; 0: not
  double max_kl = 0.01;       // trpo: delta
  int64_t cg_iterations = 10;
  double cg_damping = 1e-5;
  int64_t line_search_steps = 15;
  double line_search_ratio = 0.8;
};

struct MetaStep {
  double loss_before = 0, loss_after = 0;  // after: NaN if the problem does not tell (value_after)
  double kl_before = 0, kl_after = 0;
  int64_t line_search = 0;  // trpo: index of the accepted step, -1 if rejected; otherwise 0
  bool accepted = true;
};

class MetaOptimizer {
 public:
  virtual ~MetaOptimizer() = default;
  // Replaces `meta` by the next meta-parameters. Error if the loss or gradient is not finite; `meta` is then
  // as before.
  virtual MetaStep step(Params& meta, MetaProblem& problem) = 0;
  virtual Params state() const { return {}; }       // what a checkpoint must hold beside the meta-parameters
  virtual void restore(const Params& /*state*/) {}  // Error if it does not fit
};

struct NamedMetaOptimizer {
  std::string name, description;
};
std::vector<NamedMetaOptimizer> meta_optimizers();  // the table
std::vector<std::string> meta_optimizer_names();
std::unique_ptr<MetaOptimizer> make_meta_optimizer(const MetaOptimizerConfig& config, const Params& meta);

}  // namespace innerloop
