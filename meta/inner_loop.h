// The inner loop: how the meta-parameters become parameters adapted to T tasks, and the exact derivatives of
// that map.
//
//   phi_0 = initialisation(theta),   phi_{k+1} = update(phi_k, grad L_support(phi_k), k)   (Finn et al. 2017,
//   eq. 1)
//
// The loop is differentiated by hand, step by step, rather than by keeping one graph over all steps: the
// pullback of a cotangent c through step k is
//   (c_phi, c_g) = update^T c;   c <- c_phi + H_k c_g,   H_k the Hessian of the support loss at phi_k,
// and the pushforward of a direction d is update'(d, H_k d). Hessian-vector products come from the task
// (LossAt), so memory grows with what LossAt keeps, not with graphs (with phi alone under `checkpointing`),
// and kernels with exact second derivatives plug in. First order (FOMAML; Finn et al. 2017, section 5.2)
// drops the terms with H_k, and with them what an update rule makes of the loss's value.
//
// Entries of phi that do not adapt get their exact meta-gradient through the support loss too: H (c_g, 0) is
// asked in all entries. Meta-parameters of an inner loss therefore need no mathematics of their own: they
// ride along in phi.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "meta/inner_loop_config.h"
#include "meta/moment.h"
#include "meta/parameter_map.h"
#include "meta/task.h"
#include "meta/update_rule.h"
#include "networks/tensors/derivatives.h"
#include "networks/tensors/params.h"

namespace innerloop {

class InnerLoop;

// A support loss, or its gradient, is not finite: the adaptation diverges.
class NotFinite : public Error {
 public:
  using Error::Error;
};

// What an adaptation keeps: what its derivatives need, of that the parameters alone (the rest is computed
// again where it is needed), or only the last parameters (nothing can be differentiated then).
enum class Keep { kAll, kParameters, kLast };

// The inner loop run on one batch of tasks, with what is needed to differentiate it.
class Adaptation {
 public:
  const Params& phi(int64_t step) const;                 // phi_0 .. phi_K, [T, ...]; of kLast phi_K alone
  const Params& adapted() const { return phi_.back(); }  // phi_K
  int64_t steps() const { return steps_; }               // K
  const Params& meta() const { return meta_; }           // where it started

  // Entries of phi that every further step leaves as they are. Of kLast alone: nothing is differentiated.
  void hold(std::vector<std::string> names);

  // J^T c: a cotangent on every phi_k, k = 0..K (an empty Params for none) -> gradient in the meta-parameters
  // [1, ...], summed over tasks. second_order: false drops second derivatives, whatever the configuration
  // says.
  Params pullback(const std::vector<Params>& cotangents, bool second_order = true) const;
  Params pullback(const Params& cotangent) const;  // on phi_K alone

  // J d: direction d in the meta-parameters [1, ...] -> derivative of phi_K [T, ...].
  Params pushforward(const Params& direction) const;

 private:
  friend class InnerLoop;
  struct Step {
    const Task* task;
    std::shared_ptr<LossAt> support;  // the support loss at phi_k; none under checkpointing
    double scale;
  };
  std::shared_ptr<LossAt> support(size_t k) const;
  UpdateRule::In rule_in(size_t k, const Params& rule, LossAt& support, Params& phi, Params& gradient) const;

  const InnerLoop* loop_ = nullptr;
  Keep keep_ = Keep::kAll;
  Params meta_, rule_;
  int64_t tasks_ = 1, steps_ = 0;
  Moment now_;
  std::vector<Params> phi_, state_;  // state_k: of the update rule, before step k
  std::vector<std::string> held_;    // of hold()
  std::vector<Step> taken_;          // step k leads from phi_k to phi_{k+1}
};

// What an algorithm may choose of the inner loop; null: MAML's.
struct InnerLoopParts {
  std::shared_ptr<const UpdateRule> rule;              // FixedStep(config.step_size)
  std::shared_ptr<const ParameterMap> initialisation;  // every task starts from theta
  std::vector<std::string> fixed = {};                 // entries of phi that "all" does not mean
  std::vector<std::string> head = {};                  // the last layer's: what "head" means in `adapt`
};

class InnerLoop {
 public:
  // `initial` [1, ...]: what the outer loop learns beside the rule's own parameters. UsageError for a pattern
  // in `adapt` that matches nothing, negative steps, a step size that is not positive, a rule with
  // meta-parameters but no steps to learn them through.
  InnerLoop(InnerLoopConfig config, const Params& initial, InnerLoopParts parts = {});

  const InnerLoopConfig& config() const { return config_; }
  const UpdateRule& rule() const { return *parts_.rule; }

  // Everything the outer loop learns: `initial` plus the update rule's own parameters.
  Params meta_parameters(const Params& initial, Stream& stream) const;
  Params theta(const Params& meta) const;  // without the rule's

  // All K steps on the task's support losses. The Adaptation refers to this InnerLoop and to the task, which
  // must outlive it. NotFinite if a support loss is not finite, naming task (counted from now.first_task) and
  // step.
  Adaptation adapt(const Params& meta, const Task& task, const Moment& now = {}) const;

  // The same step by step, where data for step k + 1 is collected with phi_k: start() gives phi_0 for T
  // tasks, advance() appends phi_{k+1}. `step_scale` multiplies the step sizes (evaluation protocols halve
  // later steps).
  Adaptation start(const Params& meta, int64_t tasks, const Moment& now = {}) const;
  Adaptation start(const Params& meta, int64_t tasks, const Moment& now, Keep keep) const;
  void advance(Adaptation& adaptation, const Task& task, double step_scale = 1) const;

  const std::vector<std::string>& adapted_names() const { return adapted_names_; }

 private:
  friend class Adaptation;

  // The adapted entries of `whole`, which is not copied where all adapt.
  const Params& adapted_part(const Params& whole, Params& storage) const;
  Params with_adapted(const Params& whole, const Params& part) const;  // `whole` with these entries replaced
  Params initial_phi(const Params& theta, int64_t tasks, const Moment& now) const;
  // (rule, phi_0) -> the rule's first state, as lists of tensors; the names are those of the arguments.
  TensorFunction initial_state_of(const Params& rule, const Params& phi) const;

  InnerLoopConfig config_;
  InnerLoopParts parts_;
  std::vector<std::string> theta_names_, adapted_names_, rule_names_;
  bool all_adapt_ = false;
};

}  // namespace innerloop
