// One iteration's meta-objective on the supervised side: the mean loss of the meta-batch. Loss and gradient
// come from one pass over the tasks, kept for the origin; each chunk draws its own episodes.
#pragma once

#include <functional>

#include "meta/executor.h"
#include "meta/meta_optimizer.h"
#include "meta/method.h"

namespace innerloop {

class EpisodeMetaProblem : public MetaProblem {
 public:
  struct Chunk {
    Method::Outcome outcome;
    double metric = 0;  // sum over the chunk's tasks
  };
  using Pass = std::function<Chunk(const Params& meta, int64_t chunk)>;

  // The executor outlives the problem.
  EpisodeMetaProblem(const Executor& executor, int64_t chunks, int64_t tasks, Pass pass)
      : executor_(executor), chunks_(chunks), tasks_(static_cast<double>(tasks)), pass_(std::move(pass)) {}

  Value value(const Params& meta) override;
  Params gradient(const Params& meta) override;
  std::optional<Value> value_after(const Params&) override { return std::nullopt; }

  // Of the last pass: means over tasks, and sums.
  double loss() const { return loss_; }
  double metric() const { return metric_; }
  const Params& statistics() const { return statistics_; }
  const Params& found() const { return found_; }

 private:
  void run(const Params& meta);

  const Executor& executor_;
  int64_t chunks_;
  double tasks_;
  Pass pass_;
  Params at_, gradient_, statistics_, found_;
  double loss_ = 0, metric_ = 0;
};

}  // namespace innerloop
