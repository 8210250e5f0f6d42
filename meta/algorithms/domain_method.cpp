#include "meta/algorithms/domain_method.h"

#include <utility>

#include "meta/algorithms/nearest_support.h"

namespace innerloop {
namespace {

using torch::Tensor;

// Rotations as the inner loop and the objective see them.
class Rotations : public EpisodeView {
 public:
  Rotations(const EpisodeTask& tasks, const DomainLosses& losses, std::string templates,
            Tensor domain_of_class)
      : tasks_(tasks),
        losses_(losses),
        templates_(std::move(templates)),
        domain_of_class_(std::move(domain_of_class)) {}

  int64_t size() const override { return tasks_.size(); }

  Tensor loss(Part part, const Params& params, int64_t) const override {
    return head_loss(*head(part), tasks_.forward(seen(part), params, tasks_.network()), params);
  }

  // Through the network's kernels.
  std::unique_ptr<LossAt> loss_at(Part part, const Params& params, int64_t) const override {
    return tasks_.loss_at(seen(part), params, head(part));
  }

  // The unseen domain's samples by its templates.
  Tensor query_output(const Params& params) const override {
    const torch::NoGradGuard no_graph;
    const Tensor scores =
        template_scores(tasks_.output(Part::kQuery, params), params.at(templates_), losses_.scale);
    return within_domain(scores, tasks_.episodes().query_y, domain_of_class_);
  }

  // Of all domains of the step.
  Params statistics(const Params& params) const override {
    if (tasks_.batch_norm() != BatchNormMode::kGlobalRunning) return {};
    const torch::NoGradGuard no_graph;
    Params found;
    const auto& e = tasks_.episodes();
    tasks_.network().forward(params, torch::cat({e.support_x, e.query_x}, 1), {.found = &found});
    return found.sum_over_tasks();
  }

 private:
  Part seen(Part part) const { return part == Part::kQuery ? losses_.test_part : part; }

  std::shared_ptr<const Head> head(Part part) const {
    const auto& e = tasks_.episodes();
    const Tensor labels = seen(part) == Part::kBoth ? torch::cat({e.support_y, e.query_y}, 1)
                          : part == Part::kSupport  ? e.support_y
                                                    : e.query_y;
    const auto& loss = part == Part::kSupport ? losses_.train : losses_.test;
    return make_head([&loss, labels](const Tensor& y, const Params& own) { return loss(y, labels, own[0]); },
                     {templates_});
  }

  const EpisodeTask& tasks_;
  const DomainLosses& losses_;
  std::string templates_;
  Tensor domain_of_class_;
};

// gamma L_S(phi_0) + (1 - gamma) L_T(phi_K).
class MixedObjective : public MetaObjective {
 public:
  explicit MixedObjective(double gamma) : gamma_(gamma) {}

  At at(const Adaptation& adaptation, const Task& task, const Moment&) const override {
    const auto train = task.loss_at(Part::kSupport, adaptation.phi(0), 0);
    const auto test = task.loss_at(Part::kQuery, adaptation.adapted(), adaptation.steps());
    At out{gamma_ * train->loss() + (1 - gamma_) * test->loss(), {}};
    out.cotangents.resize(static_cast<size_t>(adaptation.steps()) + 1);
    out.cotangents.front() = gamma_ * train->gradient();
    out.cotangents.back() = (1 - gamma_) * test->gradient();
    return out;
  }

  Tensor value(const Adaptation& adaptation, const Task& task, const Moment&) const override {
    return gamma_ * task.value(Part::kSupport, adaptation.phi(0), 0) +
           (1 - gamma_) * task.value(Part::kQuery, adaptation.adapted(), adaptation.steps());
  }

 private:
  double gamma_;
};

Parts rotation_parts(const std::string& templates, int64_t embedding, const DomainBatches& batches,
                     const DomainLosses& losses) {
  Parts out;
  out.objective = std::make_shared<MixedObjective>(losses.gamma);
  const Tensor domain_of_class = batches.domain_of_class();
  out.meta = [templates, embedding, classes = domain_of_class.size(0)](const Params& network,
                                                                       Stream& stream) {
    return network.joined(Params({{templates, initial_templates(stream, classes, embedding)}}));
  };
  out.view = [losses = std::make_shared<DomainLosses>(losses), templates, domain_of_class](
                 const Task& task, const Moment&) -> std::unique_ptr<Task> {
    return std::make_unique<Rotations>(dynamic_cast<const EpisodeTask&>(task), *losses, templates,
                                       domain_of_class);
  };
  return out;
}

MethodContext with_outputs(MethodContext context, int64_t outputs) {
  context.outputs = outputs;
  return context;
}

}  // namespace

DomainMethod::DomainMethod(const std::string& algorithm, int64_t embedding, DomainBatches batches,
                           DomainLosses losses, const MethodContext& context)
    : GradientMethod(rotation_parts(algorithm + ".templates", embedding, batches, losses),
                     with_outputs(context, embedding)),
      prefix_(algorithm + "."),
      batches_(std::move(batches)) {}

std::vector<Tensor> DomainMethod::predict(const Params& meta, const EpisodeTask& tasks, int64_t,
                                          const Moment&) const {
  const torch::NoGradGuard no_graph;
  return {nearest_embedding(tasks.output(Part::kBoth, initialisation(meta).expanded(tasks.size())),
                            tasks.episodes().support_y)};
}

Tensor DomainMethod::embedding(const Params& meta, const Tensor& x, const Pass& pass) const {
  return network(false).output(initialisation(meta), x, pass);
}

Tensor nearest_embedding(const Tensor& outputs, const Tensor& support_y) {
  const Tensor rows = unit_rows(outputs);
  const int64_t supports = support_y.size(1);
  const Tensor cosine =
      rows.narrow(1, supports, rows.size(1) - supports).matmul(rows.narrow(1, 0, supports).transpose(1, 2));
  return best_of_class(cosine, support_y, support_y.max().item<int64_t>() + 1);
}

}  // namespace innerloop
