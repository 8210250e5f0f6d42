// Methods that adapt by gradient steps: an inner loop, an objective, and what an algorithm makes of them. The
// same object serves episodes (pass, predict) and policies (inner, objective, view, read).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "meta/algorithm.h"
#include "meta/inner_loop.h"
#include "meta/meta_objective.h"
#include "meta/method.h"
#include "meta/parameter_map.h"
#include "meta/update_rule.h"

namespace innerloop {

// What an algorithm decides; null or empty is MAML's choice, so that a file says only what its paper adds.
struct Parts {
  std::shared_ptr<const ParameterMap> initialisation;  // meta-parameters -> phi_0
  std::shared_ptr<const ParameterMap> network;         // phi_k -> what the network reads
  std::shared_ptr<const UpdateRule> rule;              // FixedStep(inner.step_size)
  std::shared_ptr<const MetaObjective> objective;      // LastStepObjective
  // What the outer loop learns, from the initial parameters of the network or policy: those. Entries that
  // this adds do not adapt unless inner.adapt names them.
  std::function<Params(const Params& network, Stream& stream)> meta;
  // How the inner loop and the objective see a task (mini-batches, losses of the algorithm's own); the task
  // outlives what this returns. An EpisodeView also says what is predicted; else the task itself does.
  std::function<std::unique_ptr<Task>(const Task& task, const Moment& now)> view;
  // How many tasks a thread passes together; 0: as the network does. More than one where operations of the
  // algorithm's own cost more in handling than in arithmetic (small_chunk).
  int64_t tasks_per_chunk = 0;
};

// A few tasks at a time, while a meta-batch of so many still makes work for several threads.
int64_t small_chunk(int64_t tasks);

class GradientMethod : public Method {
 public:
  GradientMethod(Parts parts, const MethodContext& context);

  const InnerLoop& inner() const { return *inner_; }
  const MetaObjective& objective() const { return *parts_.objective; }

  // A task as the inner loop sees it; refers to the task.
  class View {
   public:
    const Task& operator*() const { return *seen_; }

   private:
    friend class GradientMethod;
    std::unique_ptr<Task> viewed_, mapped_;
    const Task* seen_ = nullptr;
  };
  View view(const Task& task, const Moment& now) const;

  // What the network or policy reads of phi after `step` inner steps. The same tensors where there is no map.
  Params read(const Params& phi, Part part, int64_t step, const Moment& now) const;
  // The same of a direction along phi, and J^T of a cotangent on what is read.
  Params read_tangent(const Params& phi, Part part, int64_t step, const Moment& now, const Params& d) const;
  Params read_cotangent(const Params& phi, Part part, int64_t step, const Moment& now, const Params& c) const;

  Params initial(Stream& stream) const override;
  const Network& network(bool training) const override;
  int64_t tasks_per_chunk() const override;
  Outcome pass(const Params& meta, const EpisodeTask& tasks, const Moment& now,
               bool with_output) const override;
  std::vector<torch::Tensor> predict(const Params& meta, const EpisodeTask& tasks, int64_t steps,
                                     const Moment& now) const override;
  Trace trace(const Params& meta, const EpisodeTask& tasks, const Course& course,
              const Moment& now) const override;
  double step_size() const override { return inner_->rule().step_size(); }
  Params initialisation(const Params& meta) const override;

 private:
  ParameterMap::At at(const Params& phi, Part part, int64_t step, const Moment& now) const {
    return {step, phi.tasks(), part, now};
  }

  Parts parts_;
  std::function<Params(Stream&)> initial_;
  std::unique_ptr<Network> network_;  // null for policies
  std::unique_ptr<InnerLoop> inner_;
};

}  // namespace innerloop
