// The tasks of online learning and their data as they arrive: a pure function of (data set, configuration,
// seed), the same for every learner.
//
// Round r = 0, 1, ... brings one task. Its data come in `batches` of `batch` samples of each class
// (regression: samples); `held_out` other samples of each class are never trained on. Numbered tasks
// (datasets/numbered_tasks.h) come in a random order, each once; other data sets draw a task of their
// training split in each round.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "meta/supervised/online_config.h"
#include "meta/supervised/supervised_meta_config.h"

namespace innerloop {

class OnlineStream {
 public:
  // How far the stream has come: of the tasks before `round` all data are there, of its own `batches`.
  struct Now {
    int64_t round = 0, batches = 1;
  };

  // held_out: samples of each class. The data set outlives the stream. UsageError if it has not as many tasks
  // or samples, and if a batch is smaller than what an update draws of a task (dataset.shots +
  // dataset.queries).
  OnlineStream(const SupervisedMetaConfig& config, const OnlineConfig& online, int64_t held_out,
               const Dataset& dataset);

  // Makes the data of the rounds up to `round`, which the functions below need.
  void reach(int64_t round);

  std::string task_name(int64_t round) const;  // "red half-size", "task 3"
  int64_t samples(int64_t batches) const;      // that have come in so many batches, of all classes
  double bytes() const;                        // that the data of all rounds take

  // T = 1: support all that has come of the round's task, query what is held out.
  Episodes held_out(const Now& now) const;
  EpisodeShape held_out_shape(const Now& now) const;

  // For update number `update`, the slots first .. first + count - 1 of its meta-batch: in each a task,
  // chosen uniformly with replacement among those that `tasks` names (of the last `buffer`), and of what has
  // come of it dataset.shots support and dataset.queries query samples of each class, uniformly without
  // replacement.
  Episodes draw(OnlineRule::Tasks tasks, const Now& now, int64_t update, int64_t first, int64_t count) const;

  // The rounds whose tasks these are: `first` to `last`.
  struct Range {
    int64_t first, last;
  };
  Range range(OnlineRule::Tasks tasks, int64_t round) const;

 private:
  std::string ways_text() const;
  void copy(const Now& now, Stream& stream, OnlineRule::Tasks tasks, Episodes& to, int64_t t) const;

  EpisodeShape shape_;  // of an update
  OnlineConfig online_;
  int64_t held_out_;
  uint64_t seed_;
  const Dataset& dataset_;
  std::vector<int64_t> order_;  // numbered tasks, by round
  std::vector<Episodes> data_;  // by round: support what arrives, class after class; query what is held out
};

}  // namespace innerloop
