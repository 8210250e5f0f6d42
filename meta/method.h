// What is trained and how it is used: an algorithm made for one network and one kind of tasks.
//
// A Method is const but for prepare(), absorb() and restore(): any number of threads use it at once. Policies
// need a GradientMethod (meta/gradient_method.h); the rest of this interface is the supervised side's.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "datasets/dataset.h"
#include "meta/course.h"
#include "meta/episode_task.h"
#include "meta/executor.h"
#include "meta/moment.h"
#include "networks/network.h"
#include "networks/tensors/params.h"

namespace innerloop {

// The training tasks of an iteration: a pure function of (data set, shape, seed, iteration, task), so that a
// method which wants other tasks than its chunk's can draw them anywhere.
class TaskSource {
 public:
  TaskSource(const Dataset& dataset, const EpisodeShape& shape, uint64_t seed)
      : dataset_(dataset), shape_(shape), seed_(seed) {}

  const Dataset& dataset() const { return dataset_; }
  const EpisodeShape& shape() const { return shape_; }

  Episodes tasks(int64_t iteration, int64_t first, int64_t count) const;

  // Images of any training class in the place of task `task` as support and query alike, T = 1; labels count
  // all training classes.
  Episodes labelled(int64_t iteration, int64_t task, int64_t samples) const;

 private:
  Stream stream(int64_t iteration, int64_t task) const;

  const Dataset& dataset_;
  EpisodeShape shape_;
  uint64_t seed_;
};

// What a method may use before an iteration.
struct Preparation {
  const TaskSource& source;
  const Executor& executor;                       // of the learner's threads
  std::function<EpisodeTask(Episodes)> as_tasks;  // as the iteration's passes see them
};

class Method {
 public:
  virtual ~Method() = default;

  // Everything that the outer loop learns, [1, ...].
  virtual Params initial(Stream& stream) const = 0;

  // The network that training tasks, or held-out tasks, are passed through.
  virtual const Network& network(bool training) const = 0;

  // How many tasks a thread passes together.
  virtual int64_t tasks_per_chunk() const { return network(/*training=*/true).tasks_per_chunk(); }

  // Before iteration `now`, on the learner's threads: what must be known before its tasks are drawn. Returns
  // the meta-parameters to train, by default those there are. Called again for the same iteration, it gives
  // the same.
  virtual Params prepare(const Params& meta, const Preparation& /*with*/, const Moment& /*now*/) {
    return meta;
  }

  // The training tasks of a chunk; by default the source's own.
  virtual Episodes draw(const TaskSource& source, const Moment& now, int64_t count) const;

  struct Outcome {
    torch::Tensor loss;         // [T]
    Params gradient;            // of sum_t loss_t in the meta-parameters, [1, ...]
    torch::Tensor output = {};  // the network's on the query sets after adaptation, if it was asked for
    Params statistics = {};     // batch normalisation's, summed over tasks (EpisodeTask::statistics)
    Params found = {};          // what absorb() is given, summed over tasks
  };
  // One pass over a chunk of training tasks.
  virtual Outcome pass(const Params& meta, const EpisodeTask& tasks, const Moment& now,
                       bool with_output) const = 0;

  // The network's output on the query sets after 0, 1, ..., `steps` gradient steps, [T, samples, outputs]
  // each; a method without gradient steps has one output. Outside any graph.
  virtual std::vector<torch::Tensor> predict(const Params& meta, const EpisodeTask& tasks, int64_t steps,
                                             const Moment& now) const = 0;

  // The same for those who study it, with the parameters before and after. By default that of a method
  // without gradient steps; UsageError for one that takes them and is asked for more than predict() gives.
  virtual Trace trace(const Params& meta, const EpisodeTask& tasks, const Course& course,
                      const Moment& now) const;

  // The inner step size where it is one number for all entries and steps; NaN where it is learned or there is
  // none.
  virtual double step_size() const { return std::numeric_limits<double>::quiet_NaN(); }

  // The parameters of network(false) before a task is seen, [1, ...].
  virtual Params initialisation(const Params& meta) const = 0;

  // Once an iteration, with the sum over all tasks of what the passes found.
  virtual void absorb(const Params& /*found*/, int64_t /*tasks*/, const Moment& /*now*/) {}

  // What a checkpoint must hold beside meta-parameters and optimizer.
  virtual Params state() const { return {}; }
  virtual void restore(const Params& /*state*/) {}  // Error if it does not fit
};

}  // namespace innerloop
