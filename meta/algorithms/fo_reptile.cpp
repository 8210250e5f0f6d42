#include "meta/algorithms/fo_reptile.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "meta/algorithms/reptile.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

using torch::Tensor;

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

// phi_{K-1} - phi_K as a cotangent on phi_0, which the core brings to theta through the initialisation alone.
class LastStep : public MetaObjective {
 public:
  At at(const Adaptation& adaptation, const Task& task, const Moment& now) const override {
    const int64_t steps = adaptation.steps();
    At out{value(adaptation, task, now), {}};
    out.cotangents.resize(static_cast<size_t>(steps) + 1);
    out.cotangents.front() = adaptation.phi(steps - 1) - adaptation.adapted();
    out.second_order = false;
    return out;
  }

  Tensor value(const Adaptation& adaptation, const Task& task, const Moment&) const override {
    return task.value(Part::kQuery, adaptation.adapted(), adaptation.steps());
  }
};

// What of the support set each step sees.
class Batches : public Task {
 public:
  Batches(const EpisodeTask& tasks, const Moment& now, const FoReptileConfig& config, int64_t ways,
          int64_t steps)
      : tasks_(tasks),
        now_(now),
        size_(now.training ? config.mini_batch : config.evaluation_mini_batch),
        last_(steps - 1),
        has_tail_(now.training && config.tail_shots > 0),
        split_(tail_split(tasks.episodes().support_x.size(1), ways, has_tail_ ? config.tail_shots : 0)) {}

  int64_t size() const override { return tasks_.size(); }

  Tensor loss(Part part, const Params& params, int64_t step) const override {
    return cuts(part) ? at(step).loss(part, params, step) : tasks_.loss(part, params, step);
  }

  std::unique_ptr<LossAt> loss_at(Part part, const Params& params, int64_t step) const override {
    return cuts(part) ? at(step).loss_at(part, params, step) : tasks_.loss_at(part, params, step);
  }

  Tensor value(Part part, const Params& params, int64_t step) const override {
    return cuts(part) ? at(step).value(part, params, step) : tasks_.value(part, params, step);
  }

 private:
  bool cuts(Part part) const { return part == Part::kSupport && (size_ > 0 || has_tail_); }

  std::vector<int64_t> samples(int64_t task, int64_t step) const {
    if (has_tail_ && step == last_) return split_.tail;
    if (size_ == 0) return split_.rest;
    std::vector<int64_t> out;
    const auto count = static_cast<int64_t>(split_.rest.size());
    for (const int64_t i : mini_batch(now_.stream(task), count, size_, step)) {
      out.push_back(split_.rest[static_cast<size_t>(i)]);
    }
    return out;
  }

  EpisodeTask at(int64_t step) const {
    Episodes slice = tasks_.episodes();
    std::vector<Tensor> x, y;
    for (int64_t t = 0; t < size(); ++t) {
      const Tensor chosen = torch::tensor(samples(t, step), torch::kInt64);
      x.push_back(slice.support_x[t].index_select(0, chosen));
      y.push_back(slice.support_y[t].index_select(0, chosen));
    }
    slice.support_x = torch::stack(x);
    slice.support_y = torch::stack(y);
    return tasks_.with(std::move(slice));
  }

  const EpisodeTask& tasks_;
  Moment now_;
  int64_t size_, last_;
  bool has_tail_;
  TailSplit split_;
};

Parts fo_reptile_parts(const FoReptileConfig& config, const MethodContext& context) {
  const int64_t steps = context.inner.steps;
  require_usage(steps > 0, "inner.steps: ", steps,
                " found, expected 1 or more: the last inner step is the update");
  Parts out;
  if (config.optimizer == "adam") out.rule = adam_without_momentum(context.inner.step_size);
  out.objective = std::make_shared<LastStep>();
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
    return std::make_unique<Batches>(dynamic_cast<const EpisodeTask&>(task), now, config, ways, steps);
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
