// An adaptation to held-out tasks as those who study it run it, and what it leaves behind.
#pragma once

#include <string>
#include <vector>

#include "networks/tensors/params.h"

namespace innerloop {

struct Course {
  int64_t steps = 1;
  double step_scale = 1;  // multiplies every inner step
  // Entries of the network (Network::layer_names, head_names) that the steps leave as they were before the
  // first. The update rule sees their gradients as ever; an entry of them kept for every step ("NAME.step0")
  // is held too.
  std::vector<std::string> held = {};
  // A support loss that is not finite ends the adaptation there instead of being an Error.
  bool may_diverge = false;

  bool plain() const { return step_scale == 1 && held.empty(); }
};

struct Trace {
  // The network's output on the query sets after 0, 1, ... gradient steps, [T, samples, outputs] each: of all
  // steps of the course, of fewer where it diverged, one alone for a method without gradient steps.
  std::vector<torch::Tensor> outputs;
  // What the network reads for the query samples before the first step and after the last, [T, ...]; of
  // several particles the first's.
  Params before, after;
};

// The entries of `phi` that a course holds.
std::vector<std::string> held_entries(const Course& course, const Params& phi);

}  // namespace innerloop
