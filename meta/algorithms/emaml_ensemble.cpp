#include "meta/algorithms/emaml_ensemble.h"

#include "base/error.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct EmamlEnsembleConfig {
  int64_t particles = 10;
};

const Keys<EmamlEnsembleConfig>& emaml_ensemble_keys() {
  static const Keys<EmamlEnsembleConfig> list{
      keys::whole("particles", &EmamlEnsembleConfig::particles, 1, 1'000, "members of the ensemble")};
  return list;
}

Episodes repeated(const Episodes& e, int64_t times) {
  const auto every = [&](const Tensor& x) { return x.repeat_interleave(times, 0); };
  return {every(e.support_x), every(e.query_x), every(e.support_y), every(e.query_y)};
}

// The loss of T M rows as that of T tasks.
class SummedLoss : public LossAt {
 public:
  SummedLoss(std::unique_ptr<LossAt> rows, Params particles)
      : rows_(std::move(rows)),
        particles_(std::move(particles)),
        loss_(rows_->loss().view({particles_.tasks(), -1}).sum(1)) {}

  const Tensor& loss() override { return loss_; }

  const Params& gradient() override {
    if (gradient_.empty()) gradient_ = to_particles(rows_->gradient(), particles_);
    return gradient_;
  }

  Params hessian_product(const Params& direction) override {
    return to_particles(rows_->hessian_product(of_particles(direction)), particles_);
  }

 private:
  std::unique_ptr<LossAt> rows_;
  Params particles_;
  Tensor loss_;
  Params gradient_;
};

class Ensemble : public GradientMethod {
 public:
  Ensemble(const EmamlEnsembleConfig& config, const MethodContext& context)
      : GradientMethod(parts(config, context), context) {}

  Params initialisation(const Params& meta) const override { return first_particle(meta); }

  Trace trace(const Params& meta, const EpisodeTask& tasks, const Course& course,
              const Moment& now) const override {
    Trace out = GradientMethod::trace(meta, tasks, course, now);
    out.before = first_particle(out.before);
    out.after = first_particle(out.after);
    return out;
  }

 private:
  static Parts parts(const EmamlEnsembleConfig& config, const MethodContext& context) {
    const auto initial = [network = context.network, outputs = context.outputs](Stream& stream) {
      return network(outputs)->initial(stream);
    };
    return {.meta = [config, initial](
                        const Params& first,
                        Stream& stream) { return drawn_particles(first, config.particles, initial, stream); },
            .view = [config](const Task& task, const Moment&) -> std::unique_ptr<Task> {
              return std::make_unique<ParticleTask>(dynamic_cast<const EpisodeTask&>(task), config.particles);
            }};
  }
};

}  // namespace

Params of_particles(const Params& particles) {
  return particles.map([](const Tensor& value) {
    const Tensor flat = value.flatten(0, 1);
    return value.dim() == 2 ? flat.unsqueeze(1) : flat;
  });
}

Params to_particles(const Params& flat, const Params& like) {
  std::vector<Tensor> out;
  for (size_t i = 0; i < like.size(); ++i) out.push_back(flat[i].reshape(like[i].sizes()));
  return like.with(std::move(out));
}

Params first_particle(const Params& particles) {
  return particles.map([](const Tensor& value) { return value.select(1, 0); });
}

Params drawn_particles(const Params& first, int64_t particles, const std::function<Params(Stream&)>& initial,
                       Stream& stream) {
  std::vector<Params> all{first};
  for (int64_t m = 1; m < particles; ++m) all.push_back(initial(stream));
  std::vector<Tensor> values;
  for (size_t i = 0; i < first.size(); ++i) {
    std::vector<Tensor> side_by_side;
    for (const auto& one : all) side_by_side.push_back(one[i]);
    values.push_back(torch::stack(side_by_side, 1));
  }
  return first.with(std::move(values));
}

ParticleTask::ParticleTask(const EpisodeTask& tasks, int64_t particles, HeadOf head)
    : tasks_(tasks.size()),
      particles_(particles),
      repeated_(tasks.with(repeated(tasks.episodes(), particles))),
      head_(std::move(head)) {}

std::shared_ptr<const Head> ParticleTask::head(Part part) const {
  return head_ ? head_(repeated_, part) : repeated_.output_loss(part);
}

Tensor ParticleTask::loss(Part part, const Params& phi, int64_t) const {
  const Params rows = of_particles(phi);
  const Tensor y = repeated_.forward(part, rows, repeated_.network());
  return head_loss(*head(part), y, rows).view({tasks_, particles_}).sum(1);
}

std::unique_ptr<LossAt> ParticleTask::loss_at(Part part, const Params& phi, int64_t) const {
  return std::make_unique<SummedLoss>(repeated_.loss_at(part, of_particles(phi), head(part)), phi.detached());
}

Tensor ParticleTask::query_output(const Params& phi) const {
  const Tensor rows = repeated_.query_output(of_particles(phi));
  const auto shaped = [&](const Tensor& y) {
    return y.view({tasks_, particles_, y.size(1), y.size(2)}).mean(1);
  };
  if (!repeated_.classifies()) return shaped(rows);
  return shaped(torch::log_softmax(rows, 2).exp()).clamp_min(1e-30).log();
}

Params ParticleTask::statistics(const Params& phi) const {
  const Params sum = repeated_.statistics(of_particles(phi));
  return sum.empty() ? sum : (1 / static_cast<double>(particles_)) * sum;
}

Algorithm emaml_ensemble() {
  return {.name = "emaml_ensemble",
          .paper = "Yoon et al. 2018, section 5",
          .summary = "independent MAMLs whose predictions are averaged",
          .keys = emaml_ensemble_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            require_usage(
                context.inner.steps >= 1,
                "inner.steps: 0 found, expected 1 or more: an ensemble without inner steps is one of "
                "algorithm joint");
            return std::make_unique<Ensemble>(
                emaml_ensemble_keys().read(own, "algorithm emaml_ensemble", "emaml_ensemble"), context);
          }};
}

}  // namespace innerloop
