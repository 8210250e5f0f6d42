// A learner of online meta-learning (Finn, Rajeswaran, Kakade and Levine, "Online meta-learning", ICML 2019).
//
//   round t   task t arrives, its data D_t batch by batch; after each batch some updates of w, then w is
//   judged ftml      w descends sum_k f_k(U(w, D_k)), k <= t (Algorithms 1 and 2): Adam on the query loss
//             after inner steps on the support set, of tasks drawn uniformly from all so far. U: gradient
//             steps on D_t before it is judged. The meta-gradient is that of `algorithm` (maml), second
//             derivatives included.
//   toe       "train on everything": descends sum_k f_k(w), k <= t, on support and query samples together
//   scratch   descends f_t(w), in each round from new initial parameters and optimizer state
//   joint     "joint training with fine-tuning", follow the leader: descends sum_k f_k(w), k < t; U
//             before judging
//
// All have the same network and initial parameters, see the same stream (online_stream.h), and make as many
// updates on as many samples.
//
// Otherwise than the paper's experiments: the buffer is empty at the start, not filled with 20 tasks; support
// and query are drawn balanced over classes; batch normalisation and network are the configuration's; no
// label smoothing; judged on held-out samples of the task, the same ones after every batch, not on the next
// batch.
#pragma once

#include <memory>

#include "meta/algorithm.h"
#include "meta/episode_task.h"
#include "meta/executor.h"
#include "meta/meta_optimizer.h"
#include "meta/method.h"
#include "meta/supervised/online_stream.h"

namespace innerloop {

class OnlineLearner {
 public:
  // `algorithm` makes the meta-gradient of ftml. Data set and executor outlive the learner. UsageError if it
  // does not adapt by gradient steps, and for statistics of batch normalisation kept over training.
  OnlineLearner(const OnlineRule& rule, const SupervisedMetaConfig& config, const Algorithm& algorithm,
                const Dataset& dataset, const Executor& executor);
  ~OnlineLearner();

  const OnlineRule& rule() const { return rule_; }

  void begin_round(int64_t round);

  // Update `number` (0, 1, ... over all rounds): a function of (parameters, states, seed, now, number)
  // alone. Returns the mean loss over its tasks. Error if that is not finite.
  double update(const OnlineStream& stream, const OnlineStream::Now& now, int64_t number);

  // Accuracy or mean squared error on what is held out of the round's task, after `steps` gradient steps on
  // all that has come of it if the rule adapts. Changes nothing; any number of threads at once.
  double judge(const OnlineStream& stream, const OnlineStream::Now& now, int64_t steps) const;

  const Params& parameters() const { return meta_; }
  Params optimizer_state() const { return optimizer_->state(); }
  Params method_state() const { return method_->state(); }
  // Error naming what does not fit.
  void restore(const Params& parameters, const Params& optimizer_state, const Params& method_state);

 private:
  OnlineRule rule_;
  SupervisedMetaConfig config_;
  LossReduction reduction_;
  BatchNormMode mode_;
  const Executor& executor_;
  std::unique_ptr<Method> method_;
  std::unique_ptr<MetaOptimizer> optimizer_;
  Params meta_;
};

}  // namespace innerloop
