#include "meta/algorithms/anil.h"

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/gradient_algorithm.h"
#include "networks/image_layers.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {
namespace {

using torch::Tensor;

constexpr const char* kSupport = "features.support";
constexpr const char* kQuery = "features.query";

struct AnilConfig {
  std::string test = "head";
};

const Keys<AnilConfig>& anil_keys() {
  static const Keys<AnilConfig> list{
      keys::free(keys::choice("test", &AnilConfig::test, {"head", "nil", "nil_softmax"},
                              "held-out tasks: by the adapted head, or by cosines of features"))};
  return list;
}

void require_steps(const MethodContext& context) {
  require_usage(context.inner.steps >= 1,
                "inner.steps: 0 found, expected 1 or more: the head is adapted by inner steps");
}

MethodContext adapting_the_head(MethodContext context) {
  context.inner.adapt = "head";
  return context;
}

Params select_row(const Params& phi, const char* features, const std::vector<std::string>& head) {
  return Params({{head[0], phi.at(head[0])}, {head[1], phi.at(head[1])}, {features, phi.at(features)}});
}

// y = f w^T + b as a function of w [T, outputs, F], b [T, outputs] and of the features f [T, N, F] too.
class LastLayer : public Linearization {
 public:
  explicit LastLayer(Params at) : at_(std::move(at)), y_(linear(at_[2], at_[0], at_[1])) {}

  const Tensor& output() const override { return y_; }

  Params pullback(const Tensor& c) override {
    return at_.with({c.transpose(1, 2).matmul(at_[2]), c.sum(1), c.matmul(at_[0])});
  }

  Tensor pushforward(const Params& v) override {
    const Params d = along(v);
    return linear(at_[2], d[0], d[1]) + d[2].matmul(at_[0].transpose(1, 2));
  }

  Params pullback_tangent(const Params& v, const Tensor& c, const Tensor& ct) override {
    const Params d = along(v);
    return at_.with({ct.transpose(1, 2).matmul(at_[2]) + c.transpose(1, 2).matmul(d[2]), ct.sum(1),
                     ct.matmul(at_[0]) + c.matmul(d[0])});
  }

 private:
  Params along(const Params& v) const {
    return at_.with({v.at(at_.name(0)), v.at(at_.name(1)), v.at(at_.name(2))});
  }

  Params at_;  // w, b, f
  Tensor y_;
};

// The tasks that the inner loop sees: phi is the head and the features.
class OnFeatures : public Task {
 public:
  OnFeatures(const EpisodeTask& tasks, std::vector<std::string> head)
      : tasks_(tasks), head_(std::move(head)) {}

  int64_t size() const override { return tasks_.size(); }

  Tensor loss(Part part, const Params& phi, int64_t) const override {
    const Params row = of(part, phi);
    return (*tasks_.output_loss(part))(linear(row[2], row[0], row[1]));
  }

  std::unique_ptr<LossAt> loss_at(Part part, const Params& phi, int64_t) const override {
    return compose(std::make_unique<LastLayer>(of(part, phi)), tasks_.output_loss(part), phi);
  }

  Tensor query_output(const Params& phi) const {
    const Params row = of(Part::kQuery, phi);
    return linear(row[2], row[0], row[1]);
  }

 private:
  Params of(Part part, const Params& phi) const {
    require(part != Part::kBoth, "anil: support and query set have features of their own");
    return select_row(phi, part == Part::kSupport ? kSupport : kQuery, head_);
  }

  const EpisodeTask& tasks_;
  std::vector<std::string> head_;
};

// theta -> (its head, the body's features of support and query set), at the one theta that it is made for.
class BodyOnce : public ParameterMap {
 public:
  BodyOnce(const Params& theta, const EpisodeTask& tasks, const Network& body, std::vector<std::string> head,
           bool first_order)
      : head_(std::move(head)),
        first_order_(first_order),
        support_(tasks.at(Part::kSupport, theta.expanded(tasks.size()), body)),
        query_(tasks.at(Part::kQuery, theta.expanded(tasks.size()), body)) {}

  Params operator()(const Params& p, const At& at) const override {
    const Params head = p.select(head_).expanded(at.tasks);
    return Params({{head_[0], head.at(head_[0])},
                   {head_[1], head.at(head_[1])},
                   {kSupport, support_->output().narrow(0, 0, at.tasks)},
                   {kQuery, query_->output().narrow(0, 0, at.tasks)}});
  }

  Params pullback(const Params& p, const At&, const Params& c) const override {
    const Params query = query_->pullback(c.at(kQuery));
    // Of first order no step depends on the support set's features.
    const Params support = first_order_ ? Params() : support_->pullback(c.at(kSupport));
    std::vector<Tensor> out;
    for (const auto& entry : p) {
      const bool head = entry.name == head_[0] || entry.name == head_[1];
      Tensor sum = sum_tasks((head ? c : query).at(entry.name));
      if (!head && !first_order_) sum = sum + sum_tasks(support.at(entry.name));
      out.push_back(sum);
    }
    return p.with(std::move(out));
  }

 private:
  std::vector<std::string> head_;
  bool first_order_;
  std::unique_ptr<Linearization> support_, query_;
};

// Scores [T, queries, classes] by the cosines of features [T, samples, F].
Tensor nil_scores(const Tensor& support, const Tensor& query, const Tensor& support_y, int64_t classes,
                  bool softmax) {
  const auto unit = [](const Tensor& f) { return f / f.square().sum(2, true).clamp_min(1e-30).sqrt(); };
  Tensor weights = unit(query).matmul(unit(support).transpose(1, 2));
  if (softmax) weights = torch::log_softmax(weights, 2).exp();
  return weights.matmul(torch::one_hot(support_y, classes).to(support.scalar_type()));
}

class Anil : public GradientMethod {
 public:
  Anil(const AnilConfig& config, const MethodContext& context)
      : GradientMethod({}, context),
        inner_(context.inner),
        test_(config.test),
        classes_(context.outputs),
        body_(context.network(0)),
        head_(network(true).head_names()) {}

  Outcome pass(const Params& meta, const EpisodeTask& tasks, const Moment& now,
               bool with_output) const override {
    const OnFeatures seen(tasks, head_);
    const InnerLoop loop(inner_, meta, parts(meta, tasks));
    const Adaptation adaptation = loop.adapt(meta, seen, now);
    const auto at = objective().at(adaptation, seen, now);
    Outcome out{at.loss, meta_gradient(at, adaptation)};
    if (with_output) out.output = seen.query_output(adaptation.adapted());
    out.statistics = tasks.statistics(meta.expanded(tasks.size()));
    return out;
  }

  std::vector<Tensor> predict(const Params& meta, const EpisodeTask& tasks, int64_t steps,
                              const Moment& now) const override {
    return trace(meta, tasks, {.steps = steps}, now).outputs;
  }

  Trace trace(const Params& meta, const EpisodeTask& tasks, const Course& course,
              const Moment& now) const override {
    const torch::NoGradGuard no_graph;
    const OnFeatures seen(tasks, head_);
    const InnerLoop loop(inner_, meta, parts(meta, tasks));
    Adaptation adaptation = loop.start(meta, tasks.size(), now, Keep::kLast);
    const Params theta = meta.expanded(tasks.size());
    Trace out{{}, theta, theta};
    if (test_ != "head") {
      const auto& phi = adaptation.adapted();
      out.outputs = {nil_scores(phi.at(kSupport), phi.at(kQuery), tasks.episodes().support_y, classes_,
                                test_ == "nil_softmax")};
      return out;
    }
    adaptation.hold(held_entries(course, adaptation.adapted()));
    for (int64_t k = 0; k <= course.steps; ++k) {
      if (k > 0) {
        try {
          loop.advance(adaptation, seen, course.step_scale);
        } catch (const NotFinite&) {
          if (!course.may_diverge) throw;
          break;
        }
      }
      out.outputs.push_back(seen.query_output(adaptation.adapted()));
    }
    out.after = with_head(theta, adaptation.adapted());
    return out;
  }

 private:
  Params with_head(const Params& theta, const Params& phi) const {
    return theta.with([&] {
      std::vector<Tensor> values;
      for (const auto& entry : theta)
        values.push_back(phi.contains(entry.name) ? phi.at(entry.name) : entry.value);
      return values;
    }());
  }

  InnerLoopParts parts(const Params& meta, const EpisodeTask& tasks) const {
    return {.initialisation = std::make_shared<BodyOnce>(meta, tasks, *body_, head_, inner_.first_order),
            .head = head_};
  }

  InnerLoopConfig inner_;
  std::string test_;
  int64_t classes_;
  std::unique_ptr<Network> body_;
  std::vector<std::string> head_;
};

Parts of_policies(const AnilConfig& config, const MethodContext& context) {
  require_usage(config.test == "head", "anil.test: ", config.test,
                " found, expected head: a policy has no support samples to compare with");
  require_steps(context);
  return {};
}

}  // namespace

Algorithm anil() {
  Algorithm row = gradient_algorithm({.name = "anil",
                                      .paper = "Raghu et al. 2020, section 4",
                                      .summary = "the last layer alone adapts; NIL: without it at test",
                                      .prescribes = {{"inner.adapt", "head"}}},
                                     anil_keys(), of_policies, Tasks::kPolicies);
  row.method = [](const Texts& own, const MethodContext& given) -> std::unique_ptr<Method> {
    const AnilConfig config = anil_keys().read(own, "algorithm anil", "anil");
    require_steps(given);
    require_usage(config.test == "head" || given.dataset->spec().classification, "anil.test: ", config.test,
                  " found, expected head: the data set ", given.dataset->spec().name, " has no classes");
    return std::make_unique<Anil>(config, adapting_the_head(given));
  };
  return row;
}

}  // namespace innerloop
