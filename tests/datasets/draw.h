// Streams and single tasks for the tests of this room.
#pragma once

#include "datasets/dataset.h"

namespace innerloop::testing {

inline Stream task_stream(uint64_t number, Purpose purpose = Purpose::kTest) {
  return Stream({.seed = 7, .purpose = purpose, .task = number});
}

// `tasks` tasks of the streams number `first`, `first` + 1, ...
inline Episodes draw_tasks(const Dataset& dataset, Split split, const EpisodeShape& shape, int64_t tasks,
                           uint64_t first = 0, torch::ScalarType dtype = torch::kFloat32) {
  auto episodes = make_episodes(dataset.spec(), shape, tasks, dtype);
  for (int64_t t = 0; t < tasks; ++t) {
    Stream stream = task_stream(first + static_cast<uint64_t>(t));
    dataset.draw(split, shape, stream, episodes, t);
  }
  return episodes;
}

inline bool same(const Episodes& a, const Episodes& b) {
  return a.support_x.equal(b.support_x) && a.query_x.equal(b.query_x) && a.support_y.equal(b.support_y) &&
         a.query_y.equal(b.query_y);
}

}  // namespace innerloop::testing
