// What a data set has beside where its tasks are finitely many, each with a number, and a label means the
// same class in all of them.
#pragma once

#include <cstdint>
#include <string>

#include "datasets/dataset.h"

namespace innerloop {

class NumberedTasks {
 public:
  virtual ~NumberedTasks() = default;
  virtual int64_t tasks() const = 0;  // over all splits
  virtual std::string task_name(int64_t task) const = 0;
  // As Dataset::draw, of the task of this number, whatever its split.
  virtual void draw_numbered(int64_t task, const EpisodeShape& shape, Stream& stream, Episodes& episodes,
                             int64_t t) const = 0;
};

// The data set's, or null where its tasks are drawn.
inline const NumberedTasks* numbered_tasks(const Dataset& dataset) {
  return dynamic_cast<const NumberedTasks*>(&dataset);
}

}  // namespace innerloop
