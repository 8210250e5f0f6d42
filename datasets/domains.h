// What a data set has beside where its classes belong to domains: alphabets of characters, styles of drawing,
// groups of people. Whole domains are training, validation or test, so that a held-out task is of a domain
// never trained on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace innerloop {

// Classes first .. first + count - 1 of Dataset::class_names(split).
struct Domain {
  std::string name;  // printable
  int64_t first = 0, count = 0;
};

class Domains {
 public:
  virtual ~Domains() = default;

  // Those of a split; each of its classes is of one. No domain is in two splits. All three empty: this data
  // set, as it is set, has none.
  virtual const std::vector<Domain>& domains(Split split) const = 0;

  // UsageError if a task of this shape cannot be drawn from the domain, naming it.
  virtual void check_domain(Split split, int64_t domain, const EpisodeShape& shape) const = 0;

  // As Dataset::draw, but all of the task's classes are of this domain. Returns them by label, as places in
  // class_names(split).
  virtual std::vector<int64_t> draw_within(Split split, int64_t domain, const EpisodeShape& shape,
                                           Stream& stream, Episodes& episodes, int64_t t) const = 0;
};

// The data set's, or null where it has none.
inline const Domains* domains_of(const Dataset& dataset) {
  const auto* found = dynamic_cast<const Domains*>(&dataset);
  return found != nullptr && !found->domains(Split::kTrain).empty() ? found : nullptr;
}

}  // namespace innerloop
