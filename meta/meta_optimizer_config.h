// What a configuration chooses of the meta-optimizer (meta/optimizers/). No torch.
#pragma once

#include <cstdint>
#include <string>

namespace innerloop {

struct MetaOptimizerConfig {
  std::string name = "trpo";  // see meta/optimizers/registry.h
  double step_size = 1e-3;    // all but trpo: beta
  double clip = 0;  // all but trpo: every entry of the meta-gradient is cut to [-clip, clip]; 0: not
  // all but trpo: how beta goes with the meta-iteration i (meta/optimizers/schedule.h): "constant", "linear"
  // or "cosine" from step_size to final_step_size over schedule_iterations, "exponential" times
  // schedule_decay a stage, in stages of schedule_stage iterations.
  std::string schedule = "constant";
  int64_t schedule_iterations = 1000;
  int64_t schedule_stage = 1;
  double final_step_size = 0;
  double schedule_decay = 0.5;
  int64_t warm_up = 0;    // iterations in which beta rises to what the schedule says
  double momentum = 0.9;  // lars (meta/optimizers/lars.h): mu
  double weight_decay = 1e-6;
  double trust = 1e-3;  // eta
  bool exclude_vectors = true;
  int64_t epochs = 1;    // all but trpo: steps on each meta-batch
  double max_kl = 0.01;  // trpo: delta
  int64_t cg_iterations = 10;
  double cg_damping = 1e-5;
  int64_t line_search_steps = 15;
  double line_search_ratio = 0.8;
};

}  // namespace innerloop
