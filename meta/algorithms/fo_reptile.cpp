#include "meta/algorithms/fo_reptile.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "meta/algorithms/reptile.h"
#include "meta/algorithms/support_batches.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

struct FoReptileConfig {
  std::string optimizer = "adam";
  int64_t mini_batch = 0;
  int64_t evaluation_mini_batch = 0;
  int64_t tail_shots = 0;
};

const Keys<FoReptileConfig>& fo_reptile_keys() {
  constexpr int64_t kMostSamples = 1'000'000;
  static const Keys<FoReptileConfig> list{
      keys::choice("optimizer", &FoReptileConfig::optimizer, {"adam", "sgd"}, "of the inner steps"),
      keys::whole("mini_batch", &FoReptileConfig::mini_batch, 0, kMostSamples,
                  "support samples that an inner step of training sees, 0 = all"),
      keys::whole("evaluation_mini_batch", &FoReptileConfig::evaluation_mini_batch, 0, kMostSamples,
                  "the same for held-out tasks"),
      keys::whole("tail_shots", &FoReptileConfig::tail_shots, 0, kMostSamples,
                  "samples of a class that the last step alone sees, 0 = a mini-batch like the others")};
  return list;
}

// What of the support set each step of the tasks sees; empty for all of it.
SupportChoice steps_samples(const EpisodeTask& tasks, const Moment& now, const FoReptileConfig& config,
                            int64_t ways, int64_t steps) {
  const int64_t size = now.training ? config.mini_batch : config.evaluation_mini_batch;
  const bool has_tail = now.training && config.tail_shots > 0;
  if (size == 0 && !has_tail) return {};
  const auto split = tail_split(tasks.episodes().support_x.size(1), ways, has_tail ? config.tail_shots : 0);
  return [now, size, has_tail, split, last = steps - 1](int64_t task, int64_t step) {
    if (has_tail && step == last) return split.tail;
    if (size == 0) return split.rest;
    std::vector<int64_t> out;
    for (const int64_t i :
         mini_batch(now.stream(task), static_cast<int64_t>(split.rest.size()), size, step)) {
      out.push_back(split.rest[static_cast<size_t>(i)]);
    }
    return out;
  };
}

Parts fo_reptile_parts(const FoReptileConfig& config, const MethodContext& context) {
  const int64_t steps = context.inner.steps;
  require_usage(steps > 0, "inner.steps: ", steps,
                " found, expected 1 or more: the last inner step is the update");
  Parts out;
  if (config.optimizer == "adam") out.rule = adam_without_momentum(context.inner.step_size);
  out.objective = displacement(/*last_step_only=*/true);
  const std::pair<const char*, int64_t> batches[] = {{"mini_batch", config.mini_batch},
                                                     {"evaluation_mini_batch", config.evaluation_mini_batch},
                                                     {"tail_shots", config.tail_shots}};
  bool any = false;
  for (const auto& [key, samples] : batches) {
    require_usage(samples == 0 || context.network != nullptr, "fo_reptile.", key, ": ", samples,
                  " found, expected 0: an inner step of a policy takes all trajectories of the task");
    any = any || samples > 0;
  }
  if (!any) return out;
  require_usage(config.tail_shots < context.shape.shots, "fo_reptile.tail_shots: ", config.tail_shots,
                " found, expected fewer than dataset.shots, ", context.shape.shots,
                ": the other steps need samples too");
  require_usage(config.tail_shots == 0 || steps > 1, "fo_reptile.tail_shots: ", config.tail_shots,
                " found with inner.steps 1, expected 2 steps or more: the only step sees the tail");
  out.view = [config, ways = context.shape.ways, steps](const Task& task,
                                                        const Moment& now) -> std::unique_ptr<Task> {
    const auto& tasks = dynamic_cast<const EpisodeTask&>(task);
    return support_batches(tasks, steps_samples(tasks, now, config, ways, steps));
  };
  return out;
}

}  // namespace

TailSplit tail_split(int64_t samples, int64_t ways, int64_t tail) {
  const int64_t shots = samples / ways;
  TailSplit out;
  for (int64_t i = 0; i < samples; ++i) (i % shots < shots - tail ? out.rest : out.tail).push_back(i);
  return out;
}

Algorithm fo_reptile() {
  return gradient_algorithm({.name = "fo_reptile",
                             .paper = "Nichol et al. 2018, sections 3 and 6.1",
                             .summary = "the initialisation moves by the last inner step: first-order MAML",
                             .prescribes = {{"inner.first_order", "true"}, {"meta.optimizer", "sgd"}},
                             .exact = false},
                            fo_reptile_keys(), fo_reptile_parts);
}

}  // namespace innerloop
