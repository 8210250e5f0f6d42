// The inner loop: how the meta-parameters become parameters adapted to T tasks, and the exact derivatives of
// that map.
//
//   phi_0 = theta,   phi_{k+1} = update(phi_k, grad L_support(phi_k), k)        (Finn et al. 2017, eq. 1)
//
// The loop is differentiated by hand, step by step, rather than by keeping one graph over all steps: the
// pullback of a cotangent c through step k is
//   (c_phi, c_g) = update^T c;   c <- c_phi + H_k c_g,   H_k the Hessian of the support loss at phi_k,
// and the pushforward of a direction d is update'(d, H_k d). Hessian-vector products come from the task
// (LossAt), so memory grows with what LossAt keeps, not with graphs (with phi alone under `checkpointing`),
// and kernels with exact second derivatives plug in. First order (FOMAML; Finn et al. 2017, section 5.2)
// drops the terms with H_k.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "meta/task.h"
#include "meta/update_rule.h"
#include "networks/params.h"

namespace innerloop {

struct InnerLoopConfig {
  int64_t steps = 1;         // K; 0 = no adaptation (joint training over the task mixture)
  double step_size = 0.1;    // alpha
  bool first_order = false;  // drop the second-derivative terms
  std::string adapt =
      "all";  // "all", or parameter names separated by commas; '*' matches any text ("layer2.*")
  std::string step_sizes = "fixed";  // see update_rule_names()
  // Keep only phi_k of every step and compute the support loss there again when it is differentiated: memory
  // grows by one copy of the parameters a step instead of by all that a gradient needs. Same values.
  bool checkpointing = false;
};

class InnerLoop;

// The inner loop run on one batch of tasks, with what is needed to differentiate it.
class Adaptation {
 public:
  const Params& phi(int64_t step) const {
    return phi_[static_cast<size_t>(step)];
  }                                                      // phi_0 .. phi_K, [T, ...]
  const Params& adapted() const { return phi_.back(); }  // phi_K
  int64_t steps() const { return static_cast<int64_t>(phi_.size()) - 1; }

  // J^T c: a cotangent on every phi_k, k = 0..K (an empty Params for none) -> gradient in the meta-parameters
  // [1, ...], summed over tasks.
  Params pullback(const std::vector<Params>& cotangents) const;
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

  const InnerLoop* loop_ = nullptr;
  Params meta_;
  std::vector<Params> phi_;
  int64_t first_task_ = 0;
  std::vector<Step> taken_;  // step k leads from phi_k to phi_{k+1}
};

class InnerLoop {
 public:
  // `initial` [1, ...] names the parameters of the network. UsageError for a pattern in `adapt` that matches
  // nothing, negative steps, a step size that is not positive, learned step sizes without steps, and unknown
  // names.
  InnerLoop(InnerLoopConfig config, const Params& initial);

  const InnerLoopConfig& config() const { return config_; }
  const std::vector<std::string>& adapted_names() const { return adapted_names_; }

  // Everything the outer loop learns: `initial` plus the update rule's own parameters.
  Params meta_parameters(const Params& initial) const;
  Params theta(const Params& meta) const;  // the network's part of the meta-parameters

  // All K steps on the task's support losses. The Adaptation refers to this InnerLoop and to the task, which
  // must outlive it. Error if a support loss is not finite, naming task (counted from first_task) and step.
  Adaptation adapt(const Params& meta, const Task& task, int64_t first_task = 0) const;

  // The same step by step, where data for step k + 1 is collected with phi_k: start() gives phi_0 for T
  // tasks, advance() appends phi_{k+1}. `step_scale` multiplies the step sizes (evaluation protocols halve
  // later steps).
  Adaptation start(const Params& meta, int64_t tasks, int64_t first_task = 0) const;
  void advance(Adaptation& adaptation, const Task& task, double step_scale = 1) const;

 private:
  friend class Adaptation;

  InnerLoopConfig config_;
  std::vector<std::string> theta_names_, adapted_names_;
  std::unique_ptr<UpdateRule> rule_;
};

}  // namespace innerloop
