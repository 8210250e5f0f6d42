#include "meta/gradient_method.h"

#include <algorithm>

#include "base/error.h"

namespace innerloop {

GradientMethod::GradientMethod(Parts parts, const MethodContext& context) : parts_(std::move(parts)) {
  if (!parts_.objective) parts_.objective = std::make_shared<LastStepObjective>();
  std::vector<std::string> head = context.head;
  if (context.network) {
    network_ = context.network(context.outputs);
    initial_ = [this](Stream& stream) { return network_->initial(stream); };
    head = network_->head_names();
  } else {
    initial_ = context.initial;
  }
  Stream any(StreamKey{.purpose = Purpose::kInitialParameters});  // names and shapes alone matter
  const Params theta = initial_(any);
  const Params meta = parts_.meta ? parts_.meta(theta, any) : theta;
  InnerLoopParts inner{parts_.rule, parts_.initialisation, {}, head};
  for (const auto& name : meta.names()) {
    if (!theta.contains(name)) inner.fixed.push_back(name);
  }
  inner_ = std::make_unique<InnerLoop>(context.inner, meta, std::move(inner));
}

Params GradientMethod::initial(Stream& stream) const {
  const Params theta = initial_(stream);
  return inner_->meta_parameters(parts_.meta ? parts_.meta(theta, stream) : theta, stream);
}

const Network& GradientMethod::network(bool) const {
  require(network_ != nullptr, "this method is one of policies: it has no network of data sets");
  return *network_;
}

namespace {

// What predicts: the algorithm's own view of the tasks, or else the tasks.
const EpisodeView& predictor(const Task* viewed, const EpisodeTask& tasks) {
  const auto* own = dynamic_cast<const EpisodeView*>(viewed);
  return own != nullptr ? *own : tasks;
}

}  // namespace

int64_t GradientMethod::tasks_per_chunk() const {
  return std::max(parts_.tasks_per_chunk, Method::tasks_per_chunk());
}

int64_t small_chunk(int64_t tasks) { return std::clamp<int64_t>(tasks / 4, 1, 8); }

GradientMethod::View GradientMethod::view(const Task& task, const Moment& now) const {
  View out;
  out.seen_ = &task;
  if (parts_.view) {
    out.viewed_ = parts_.view(task, now);
    out.seen_ = out.viewed_.get();
  }
  if (parts_.network) {
    out.mapped_ = std::make_unique<MappedTask>(*out.seen_, *parts_.network, now);
    out.seen_ = out.mapped_.get();
  }
  return out;
}

Params GradientMethod::read(const Params& phi, Part part, int64_t step, const Moment& now) const {
  if (!parts_.network) return phi;
  const torch::NoGradGuard no_graph;
  return (*parts_.network)(phi, at(phi, part, step, now));
}

Params GradientMethod::read_tangent(const Params& phi, Part part, int64_t step, const Moment& now,
                                    const Params& d) const {
  return parts_.network ? parts_.network->pushforward(phi, at(phi, part, step, now), d) : d;
}

Params GradientMethod::read_cotangent(const Params& phi, Part part, int64_t step, const Moment& now,
                                      const Params& c) const {
  return parts_.network ? parts_.network->pullback(phi, at(phi, part, step, now), c) : c;
}

Method::Outcome GradientMethod::pass(const Params& meta, const EpisodeTask& tasks, const Moment& now,
                                     bool with_output) const {
  const View seen = view(tasks, now);
  const Adaptation adaptation = inner_->adapt(meta, *seen, now);
  const auto at = objective().at(adaptation, *seen, now);
  Outcome out{at.loss, meta_gradient(at, adaptation)};
  const Params adapted = read(adaptation.adapted(), Part::kQuery, adaptation.steps(), now);
  const EpisodeView& judged = predictor(seen.viewed_.get(), tasks);
  if (with_output) out.output = judged.query_output(adapted);
  out.statistics = judged.statistics(adapted);
  return out;
}

std::vector<torch::Tensor> GradientMethod::predict(const Params& meta, const EpisodeTask& tasks,
                                                   int64_t steps, const Moment& now) const {
  return GradientMethod::trace(meta, tasks, {.steps = steps}, now).outputs;
}

Trace GradientMethod::trace(const Params& meta, const EpisodeTask& tasks, const Course& course,
                            const Moment& now) const {
  const View seen = view(tasks, now);
  const EpisodeView& judged = predictor(seen.viewed_.get(), tasks);
  Adaptation adaptation = inner_->start(meta, tasks.size(), now, Keep::kLast);
  adaptation.hold(held_entries(course, adaptation.adapted()));
  Trace out;
  for (int64_t k = 0; k <= course.steps; ++k) {
    if (k > 0) {
      try {
        inner_->advance(adaptation, *seen, course.step_scale);
      } catch (const NotFinite&) {
        if (!course.may_diverge) throw;
        break;
      }
    }
    out.after = read(adaptation.adapted(), Part::kQuery, k, now);
    if (k == 0) out.before = out.after;
    out.outputs.push_back(judged.query_output(out.after));
  }
  return out;
}

Params GradientMethod::initialisation(const Params& meta) const {
  const auto adaptation = inner_->start(meta, 1, {.training = false}, Keep::kLast);
  return read(adaptation.adapted(), Part::kQuery, 0, {.training = false});
}

}  // namespace innerloop
