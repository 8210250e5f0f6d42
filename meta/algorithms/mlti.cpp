#include "meta/algorithms/mlti.h"

#include "base/error.h"
#include "base/row.h"
#include "datasets/dataset.h"
#include "meta/algorithms/maml.h"
#include "meta/algorithms/prototypical.h"
#include "meta/algorithms/task_mix.h"
#include "meta/direct_method.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

using torch::Tensor;

const Keys<MltiConfig>& mlti_keys() {
  static constexpr keys::Interval kShape{1e-3, 1e6, false, false, "a number from 0.001 to 1000000"};
  static const Keys<MltiConfig> list{
      keys::spelled("with", &MltiConfig::prototypical, {{"maml", false}, {"prototypical", true}},
                    "what learns from the mixed tasks"),
      keys::spelled("mix", &MltiConfig::cutmix, {{"linear", false}, {"cutmix", true}},
                    "how samples are mixed; cutmix: images, in the input"),
      keys::truth("label_sharing", &MltiConfig::label_sharing, "a label is the same class in every task"),
      keys::whole("layers", &MltiConfig::layers, -1, 1'000,
                  "the last layer L_s that is mixed, 0 = the input alone, -1 = any"),
      keys::number("beta", &MltiConfig::beta, kShape, "a of lambda ~ Beta(a, a)")};
  return list;
}

// Tasks i with their partners' samples behind their own: [T, 2 samples, ...]. Labels of paired classes are
// the same.
Episodes draw_pairs(const TaskMixer& mixer, const TaskSource& source, const Moment& now, int64_t count) {
  const Episodes own = source.tasks(now.iteration, now.first_task, count);
  std::vector<Tensor> support_x, query_x, support_y, query_y;
  for (int64_t t = 0; t < count; ++t) {
    const TaskMix mix = mixer.draw(now, t);
    const Episodes other = source.tasks(now.iteration, mix.partner, 1);
    const Tensor support = torch::tensor(mix.support), query = torch::tensor(mix.query);
    support_x.push_back(other.support_x.index_select(1, support));
    query_x.push_back(other.query_x.index_select(1, query));
    const bool relabelled = mixer.classes && !mixer.config.label_sharing;
    support_y.push_back(relabelled ? own.support_y.narrow(0, t, 1)
                                   : other.support_y.index_select(1, support));
    query_y.push_back(relabelled ? own.query_y.narrow(0, t, 1) : other.query_y.index_select(1, query));
  }
  const auto pair = [](const Tensor& mine, const std::vector<Tensor>& theirs) {
    return torch::cat({mine, torch::cat(theirs, 0)}, 1);
  };
  return {pair(own.support_x, support_x), pair(own.query_x, query_x), pair(own.support_y, support_y),
          pair(own.query_y, query_y)};
}

Tensor half(const Tensor& x, int64_t which) {
  const int64_t samples = x.size(1) / 2;
  return x.narrow(1, which * samples, samples);
}

EpisodeTask half(const EpisodeTask& tasks, int64_t which) {
  const auto& e = tasks.episodes();
  return tasks.with(
      {half(e.support_x, which), half(e.query_x, which), half(e.support_y, which), half(e.query_y, which)});
}

// Pairs of tasks as the tasks between them.
class Mixed : public EpisodeView {
 public:
  Mixed(const EpisodeTask& pairs, const TaskMixer& mixer, const Moment& now)
      : pairs_(pairs), own_(half(pairs, 0)), partner_(half(pairs, 1)), mixer_(mixer) {
    require_usage(pairs.batch_norm() != BatchNormMode::kPerTaskRunning,
                  "network.batch_norm: per_task_running found, expected batch or global_running: mlti mixes "
                  "support and query samples apart, each under statistics of its own");
    for (int64_t t = 0; t < pairs.size(); ++t) mixes_.push_back(mixer.draw(now, t));
  }

  int64_t size() const override { return pairs_.size(); }

  Tensor loss(Part part, const Params& params, int64_t) const override {
    return loss_of(part, forward(part, params));
  }

  // In the network's kernels where inputs alone are mixed.
  std::unique_ptr<LossAt> loss_at(Part part, const Params& params, int64_t step) const override {
    if (hidden()) return Task::loss_at(part, params, step);
    const auto& e = own_.episodes();
    const Tensor x = input(part);
    const Episodes mixed{part == Part::kSupport ? x : e.support_x, part == Part::kQuery ? x : e.query_x,
                         e.support_y, e.query_y};
    return own_.with(mixed).loss_at(
        part, params, make_head([this, part](const Tensor& y, const Params&) { return loss_of(part, y); }));
  }

  // The mixed samples' outputs [T, samples, outputs]; of kBoth, passed together, the support's first.
  Tensor forward(Part part, const Params& params) const {
    const Network& network = pairs_.network();
    if (!hidden()) return network.forward(params, input(part));
    std::vector<Tensor> other;  // the partner's layers, from the first on
    network.features(params, samples(partner_, part), {.hidden = [&](int64_t, const Tensor& h) {
                       other.push_back(h);
                       return h;
                     }});
    return network.forward(params, input(part), {.hidden = [&](int64_t l, const Tensor& h) {
                             return between(h, other[static_cast<size_t>(l) - 1], l);
                           }});
  }

  Tensor query_output(const Params& params) const override { return pairs_.query_output(params); }
  Params statistics(const Params& params) const override { return pairs_.statistics(params); }

 private:
  bool hidden() const {
    return std::any_of(mixes_.begin(), mixes_.end(), [](const TaskMix& mix) { return mix.layer > 0; });
  }

  Tensor input(Part part) const {
    const Tensor mine = samples(own_, part), theirs = samples(partner_, part);
    return mixer_.config.cutmix ? cut(mine, theirs, part) : between(mine, theirs, 0);
  }

  static Tensor samples(const EpisodeTask& tasks, Part part) {
    const auto& e = tasks.episodes();
    if (part == Part::kBoth) return torch::cat({e.support_x, e.query_x}, 1);
    return part == Part::kSupport ? e.support_x : e.query_x;
  }

  // lambda of the tasks that are mixed at layer l, 1 of the others: [T, 1, ...] beside h.
  Tensor between(const Tensor& h, const Tensor& other, int64_t l) const {
    std::vector<double> shares;
    for (const auto& mix : mixes_) shares.push_back(mix.layer == l ? mix.lambda : 1);
    if (std::all_of(shares.begin(), shares.end(), [](double s) { return s == 1; })) return h;
    std::vector<int64_t> shape(static_cast<size_t>(h.dim()), 1);
    shape[0] = h.size(0);
    const Tensor share = torch::tensor(shares, h.options()).view(shape);
    return share * h + (1 - share) * other;
  }

  Tensor cut(const Tensor& mine, const Tensor& theirs, Part part) const {
    Tensor out = theirs.clone();
    const int64_t supports = own_.episodes().support_x.size(1);
    const auto keep = [&](int64_t t, int64_t first, int64_t count, const CutBox& box) {
      const auto pixels = [&](const Tensor& x) {
        const Tensor rows = x.select(0, t).narrow(0, first, count).narrow(2, box.top, box.bottom - box.top);
        return rows.narrow(3, box.left, box.right - box.left);
      };
      pixels(out).copy_(pixels(mine));
    };
    for (int64_t t = 0; t < size(); ++t) {
      const TaskMix& mix = mixes_[static_cast<size_t>(t)];
      const int64_t first = part == Part::kBoth ? supports : 0;
      if (part != Part::kQuery) keep(t, 0, supports, mix.support_box);
      if (part != Part::kSupport) keep(t, first, mine.size(1) - first, mix.query_box);
    }
    return out;
  }

  Tensor loss_of(Part part, const Tensor& y) const {
    const auto mine = own_.output_loss(part);
    if (mixer_.classes && !mixer_.config.label_sharing) return (*mine)(y);
    std::vector<double> shares;
    for (const auto& mix : mixes_) shares.push_back(mix.lambda);
    const Tensor share = torch::tensor(shares, y.options());
    const auto theirs = partner_.output_loss(part);
    if (mixer_.classes) return share * (*mine)(y) + (1 - share) * (*theirs)(y);
    const Tensor of_task = share.view({-1, 1, 1});
    const Tensor target = of_task * mine->target() + (1 - of_task) * theirs->target();
    return OutputLoss::squared_error(target, mine->weight())(y);
  }

  const EpisodeTask& pairs_;
  EpisodeTask own_, partner_;
  const TaskMixer& mixer_;
  std::vector<TaskMix> mixes_;
};

// phi - alpha g in the layers after the mixed one.
class UpperLayers : public UpdateRule {
 public:
  UpperLayers(double step_size, std::shared_ptr<const TaskMixer> mixer,
              std::vector<std::vector<std::string>> layers)
      : alpha_(step_size), mixer_(std::move(mixer)), layers_(std::move(layers)) {
    require_usage(step_size > 0, "inner.step_size: ", step_size, " found, expected a positive number");
  }

  double step_size() const override { return alpha_; }

  Out update(const In& in) const override {
    std::vector<Tensor> out;
    for (size_t i = 0; i < in.phi.size(); ++i) out.push_back(in.phi[i] - rate(in, i) * in.gradient[i]);
    return {in.phi.with(std::move(out)), {}};
  }

  Cotangents pullback(const In& in, const Out& c) const override {
    std::vector<Tensor> to_gradient;
    for (size_t i = 0; i < c.phi.size(); ++i) to_gradient.push_back(-rate(in, i) * c.phi[i]);
    return {{}, c.phi, c.phi.with(std::move(to_gradient)), {}, {}};
  }

 private:
  // alpha, or 0 for tasks mixed at this entry's layer or above it: [T, 1, ...].
  Tensor rate(const In& in, size_t i) const {
    const auto& name = in.phi.name(i);
    const auto holds = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    const auto found = std::find_if(layers_.begin(), layers_.end(), holds);
    const auto layer = static_cast<int64_t>(found - layers_.begin()) + 1;  // the head: above all
    std::vector<double> rates;
    for (int64_t t = 0; t < in.phi.tasks(); ++t) {
      rates.push_back(layer > mixer_->draw(in.now, t).layer ? alpha_ * in.scale : 0);
    }
    std::vector<int64_t> shape(static_cast<size_t>(in.phi[i].dim()), 1);
    shape[0] = in.phi.tasks();
    return torch::tensor(rates, in.phi[i].options()).view(shape);
  }

  double alpha_;
  std::shared_ptr<const TaskMixer> mixer_;
  std::vector<std::vector<std::string>> layers_;
};

class MixedPrototypes : public DirectMethod {
 public:
  MixedPrototypes(const MethodContext& context, std::shared_ptr<const TaskMixer> mixer)
      : DirectMethod(context, /*outputs=*/0), mixer_(std::move(mixer)) {}

  Tensor loss(const Params& meta, const EpisodeTask& pairs, const Moment& now) const override {
    const auto& e = pairs.episodes();
    const Tensor features = Mixed(pairs, *mixer_, now).forward(Part::kBoth, meta);
    const Tensor log_p = torch::log_softmax(
        prototype_scores(feature_sets(features, half(e.support_y, 0), mixer_->shape.ways)), 2);
    return -log_p.gather(2, half(e.query_y, 0).unsqueeze(2)).mean({1, 2});
  }

  Tensor query_scores(const Params& meta, const EpisodeTask& pairs, const Moment&) const override {
    return prototype_scores(
        feature_sets(pairs.output(Part::kBoth, meta), pairs.episodes().support_y, mixer_->shape.ways));
  }

 private:
  std::shared_ptr<const TaskMixer> mixer_;
};

std::unique_ptr<Method> mixed_maml(const MethodContext& context,
                                   const std::shared_ptr<const TaskMixer>& mixer) {
  Parts parts;
  parts.rule = std::make_shared<UpperLayers>(context.inner.step_size, mixer,
                                             context.network(context.outputs)->layer_names());
  parts.view = [mixer](const Task& task, const Moment& now) -> std::unique_ptr<Task> {
    return std::make_unique<Mixed>(dynamic_cast<const EpisodeTask&>(task), *mixer, now);
  };
  return std::make_unique<GradientMethod>(std::move(parts), context);
}

// Trains on mixed tasks, meets held-out tasks as they are.
class Mlti : public Method {
 public:
  Mlti(const MltiConfig& config, const MethodContext& context)
      : mixer_(std::make_shared<TaskMixer>(mixer(config, context))),
        mixing_(config.prototypical ? std::make_unique<MixedPrototypes>(context, mixer_)
                                    : mixed_maml(context, mixer_)),
        plain_(config.prototypical ? prototypical().method({}, context) : maml().method({}, context)) {}

  Params initial(Stream& stream) const override { return plain_->initial(stream); }
  const Network& network(bool training) const override { return plain_->network(training); }

  Episodes draw(const TaskSource& source, const Moment& now, int64_t count) const override {
    return draw_pairs(*mixer_, source, now, count);
  }

  Outcome pass(const Params& meta, const EpisodeTask& pairs, const Moment& now,
               bool with_output) const override {
    return mixing_->pass(meta, pairs, now, with_output);
  }

  std::vector<Tensor> predict(const Params& meta, const EpisodeTask& tasks, int64_t steps,
                              const Moment& now) const override {
    return plain_->predict(meta, tasks, steps, now);
  }

  double step_size() const override { return plain_->step_size(); }
  Params initialisation(const Params& meta) const override { return plain_->initialisation(meta); }

 private:
  static TaskMixer mixer(const MltiConfig& config, const MethodContext& context) {
    const auto& spec = context.dataset->spec();
    const bool images = spec.input.size() == 3;
    require_usage(!config.cutmix || images, "mlti.mix: cutmix needs images; the data set ", spec.name,
                  " has none, expected linear");
    require_usage(config.prototypical || context.inner.steps >= 1,
                  "inner.steps: 0 found, expected 1 or more: mlti.with = maml adapts to mixed tasks");
    const auto most = static_cast<int64_t>(
        context.network(config.prototypical ? 0 : context.outputs)->layer_names().size());
    require_usage(config.layers <= most, "mlti.layers: ", config.layers, " found, expected at most ", most,
                  ", the layers before the last");
    TaskMixer out{config, context.shape, context.tasks, config.layers < 0 ? most : config.layers,
                  spec.classification};
    if (config.cutmix) out.layers = 0;
    if (images) out.height = spec.input[1], out.width = spec.input[2];
    return out;
  }

  std::shared_ptr<const TaskMixer> mixer_;
  std::unique_ptr<Method> mixing_, plain_;
};

}  // namespace

Algorithm mlti() {
  return {.name = "mlti",
          .paper = "Yao et al. 2022, section 4, Alg. 1",
          .summary = "MAML or prototypical networks on interpolated tasks",
          .prescribes = {{"dataset.most_shots", "0"}},
          .keys = mlti_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            return std::make_unique<Mlti>(mlti_keys().read(own, "algorithm mlti", "mlti"), context);
          }};
}

}  // namespace innerloop
