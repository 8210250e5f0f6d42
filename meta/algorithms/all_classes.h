// What methods share that train one classifier of all training classes at once and meet tasks only afterwards
// (joint; Ravi and Larochelle 2017, section 5.1).
//
// An iteration passes meta.batch_size batches of images of any training class, each as many as a task's query
// set has. Of what is learned, the last layer has one output for each training class.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "meta/gradient_method.h"

namespace innerloop {

class AllClasses : public Method {
 public:
  // The data set must have classes.
  explicit AllClasses(const MethodContext& context);

  Params initial(Stream& stream) const override { return training_.initial(stream); }
  const Network& network(bool training) const override {
    return training ? training_.network(true) : held_out_network();
  }
  int64_t tasks_per_chunk() const override { return 1; }
  Episodes draw(const TaskSource& source, const Moment& now, int64_t count) const override;
  Outcome pass(const Params& meta, const EpisodeTask& tasks, const Moment& now,
               bool with_output) const override {
    return training_.pass(meta, tasks, now, with_output);
  }

 protected:
  virtual const Network& held_out_network() const = 0;

 private:
  int64_t samples_;
  GradientMethod training_;
};

// The trained weights with a new last layer, of as many outputs as a task has classes, in the place of the
// trained one; gradient steps fit it, and what else context.inner.adapt names, to a held-out task's support
// set.
class FineTuned : public AllClasses {
 public:
  // The entries of a last layer, [1, ...], from tensors of their shapes.
  using NewHead = std::function<Params(const Params& shapes)>;

  FineTuned(const MethodContext& context, Parts adapting, NewHead head);

  std::vector<torch::Tensor> predict(const Params& meta, const EpisodeTask& tasks, int64_t steps,
                                     const Moment& now) const override {
    return adapting_.predict(initialisation(meta), tasks, steps, now);
  }
  Trace trace(const Params& meta, const EpisodeTask& tasks, const Course& course,
              const Moment& now) const override {
    return adapting_.trace(initialisation(meta), tasks, course, now);
  }
  double step_size() const override { return adapting_.step_size(); }
  Params initialisation(const Params& meta) const override;

 protected:
  const Network& held_out_network() const override { return adapting_.network(false); }

 private:
  GradientMethod adapting_;
  NewHead head_;
};

}  // namespace innerloop
