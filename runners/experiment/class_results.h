// What an evaluation of classification says of each class: over all tasks, after the last gradient step.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "meta/supervised/supervised_meta_learner.h"

namespace innerloop {

struct ClassResult {
  std::string name;                          // Dataset::class_names
  int64_t queries = 0, right = 0;            // query samples of this class, and those it was recognised in
  std::map<std::string, int64_t> taken_for;  // the others, by the name of the class they were taken for

  double accuracy() const { return static_cast<double>(right) / static_cast<double>(queries); }
};

// The classes that were asked for, in the order of `names`; empty where the data set does not tell its tasks'
// classes. `queries`: of each label in each task, one label after the other.
std::vector<ClassResult> by_class(const TaskOutcomes& outcomes, int64_t queries,
                                  const std::vector<std::string>& names);

// The few classes of the lowest accuracy among those with at least 10 queries, worst first, and what they
// were taken for. Nothing if there are none.
void print_worst_classes(std::ostream& out, const std::vector<ClassResult>& classes);

}  // namespace innerloop
