#include "meta/algorithms/joint.h"

#include <algorithm>

#include "datasets/dataset.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

MethodContext with_outputs(MethodContext context, int64_t outputs) {
  context.outputs = outputs;
  return context;
}

// Trains with a last layer over all training classes, adapts with one over a task's.
class JointClassifier : public Method {
 public:
  explicit JointClassifier(const MethodContext& context)
      : samples_(context.shape.ways * context.shape.queries),
        training_(Parts{}, with_outputs(without_adapt(context), context.dataset->classes(Split::kTrain))),
        adapting_(Parts{}, context) {}

  Params initial(Stream& stream) const override { return training_.initial(stream); }
  const Network& network(bool training) const override {
    return training ? training_.network(true) : adapting_.network(false);
  }
  int64_t tasks_per_chunk() const override { return 1; }
  // As many images as a task's query set has.
  Episodes draw(const TaskSource& source, const Moment& now, int64_t) const override {
    return source.labelled(now.iteration, now.first_task, samples_);
  }
  Outcome pass(const Params& meta, const EpisodeTask& tasks, const Moment& now,
               bool with_output) const override {
    return training_.pass(meta, tasks, now, with_output);
  }
  std::vector<torch::Tensor> predict(const Params& meta, const EpisodeTask& tasks, int64_t steps,
                                     const Moment& now) const override {
    return adapting_.predict(initialisation(meta), tasks, steps, now);
  }
  Trace trace(const Params& meta, const EpisodeTask& tasks, const Course& course,
              const Moment& now) const override {
    return adapting_.trace(initialisation(meta), tasks, course, now);
  }

  double step_size() const override { return adapting_.step_size(); }

  Params initialisation(const Params& meta) const override {
    const auto head = adapting_.network(false).head_names();
    Stream any(StreamKey{.purpose = Purpose::kInitialParameters});  // shapes alone matter
    std::vector<torch::Tensor> values;
    for (const auto& entry : adapting_.network(false).initial(any)) {
      const bool fresh = std::find(head.begin(), head.end(), entry.name) != head.end();
      values.push_back(fresh ? torch::zeros_like(entry.value) : meta.at(entry.name));
    }
    return meta.with(std::move(values));
  }

 private:
  // What adapts is a choice of fine-tuning: training has no inner steps.
  static MethodContext without_adapt(MethodContext context) {
    context.inner.adapt = "all";
    return context;
  }

  int64_t samples_;
  GradientMethod training_, adapting_;
};

Parts joint_parts(const NoSettings&, const MethodContext&) { return {}; }

}  // namespace

Algorithm joint() {
  Algorithm row = gradient_algorithm(
      {.name = "joint",
       .paper = "Finn et al. 2017, sections 5.1 and 5.3",
       .summary =
           "no inner steps: one policy, or network, for the mixture of tasks, the papers' 'pretrained' "
           "baseline",
       .prescribes = {{"inner.steps", "0"}}},
      kNoKeys, joint_parts);
  row.method = [regression = row.method](const Texts& own,
                                         const MethodContext& context) -> std::unique_ptr<Method> {
    if (!context.dataset->spec().classification) return regression(own, context);
    return std::make_unique<JointClassifier>(context);
  };
  return row;
}

}  // namespace innerloop
