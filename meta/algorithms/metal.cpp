#include "meta/algorithms/metal.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/row.h"
#include "datasets/dataset.h"
#include "meta/gradient_algorithm.h"
#include "networks/initialization.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct MetalConfig {
  bool query_branch = true;
  bool both_outside = false;
};

const Keys<MetalConfig>& metal_keys() {
  static const Keys<MetalConfig> list{
      keys::truth("query_branch", &MetalConfig::query_branch, "a learned loss on the unlabelled queries too"),
      keys::spelled("outer_loss", &MetalConfig::both_outside, {{"query", false}, {"support_and_query", true}},
                    "samples of the outer loss")};
  return list;
}

constexpr int64_t kTensors = 4;  // of a learned loss: W1, b1, w2, b2

// The entries whose means the learned losses see.
std::vector<std::string> weights_of(const Params& network) {
  std::vector<std::string> names;
  for (const auto& entry : network) {
    if (entry.name.rfind("norm", 0) != 0) names.push_back(entry.name);
  }
  return names;
}

// One branch: the networks of all steps. `inputs`: of the loss, `state`: of its adapter.
struct Branch {
  std::string name;
  int64_t inputs = 0, state = 0;

  std::vector<std::string> entries() const {
    std::vector<std::string> out;
    for (const char* part : {"w1", "b1", "w2", "b2"}) out.push_back("loss." + name + "." + part);
    for (const char* part : {"w1", "b1", "w2", "b2", "scale", "shift"}) {
      out.push_back("adapter." + name + "." + part);
    }
    return out;
  }

  // [1, steps, ...]: the loss xavier-uniform with zero biases, the adapter as fresh torch.nn.Linear, m = o =
  // 0.
  Params initial(int64_t steps, Stream& stream) const {
    const auto xavier = [&](int64_t out, int64_t in) {
      std::vector<Tensor> drawn;
      for (int64_t k = 0; k < steps; ++k) drawn.push_back(xavier_uniform(stream, {1, out, in}, in, out));
      return torch::stack(drawn, 1);
    };
    const double a = 1 / std::sqrt(static_cast<double>(state));
    const auto linear = [&](std::vector<int64_t> shape) {
      shape.insert(shape.begin(), {1, steps});
      const Tensor out = torch::empty(shape, torch::kFloat32);
      float* to = out.data_ptr<float>();
      for (int64_t i = 0; i < out.numel(); ++i) to[i] = static_cast<float>(stream.uniform(-a, a));
      return out;
    };
    const auto zeros = [&](int64_t size) { return torch::zeros({1, steps, size}, torch::kFloat32); };
    const std::vector<Tensor> values{xavier(inputs, inputs),
                                     zeros(inputs),
                                     xavier(1, inputs),
                                     zeros(1),
                                     linear({state, state}),
                                     linear({state}),
                                     linear({2 * kTensors, state}),
                                     linear({2 * kTensors}),
                                     zeros(kTensors),
                                     zeros(kTensors)};
    std::vector<Params::Entry> out;
    const auto names = entries();
    for (size_t i = 0; i < names.size(); ++i) out.push_back({names[i], values[i]});
    return Params(std::move(out));
  }

  // mean over samples of l(x), l adapted to s; x [T, samples, inputs], s [T, state] -> [T].
  Tensor loss(const Params& own, int64_t step, const Tensor& x, const Tensor& s) const {
    std::vector<Tensor> at;
    for (const auto& entry : entries()) {
      const Tensor& all = own.at(entry);
      at.push_back(all.select(1, std::min(step, all.size(1) - 1)));
    }
    const auto layer = [](const Tensor& in, const Tensor& weight, const Tensor& bias) {
      return in.matmul(weight.transpose(1, 2)) + bias.unsqueeze(1);
    };
    const Tensor said = layer(torch::relu(layer(s.unsqueeze(1), at[4], at[5])), at[6], at[7]).squeeze(1);
    const Tensor scale = 1 + at[8] * said.narrow(1, 0, kTensors);
    const Tensor shift = at[9] * said.narrow(1, kTensors, kTensors);
    const auto adapted = [&](int64_t i) {
      const Tensor& value = at[static_cast<size_t>(i)];
      std::vector<int64_t> shape(static_cast<size_t>(value.dim()), 1);
      shape[0] = scale.size(0);
      return scale.select(1, i).view(shape) * value + shift.select(1, i).view(shape);
    };
    const Tensor hidden = torch::relu(layer(x, adapted(0), adapted(1)));
    return layer(hidden, adapted(2), adapted(3)).squeeze(2).mean(1);
  }
};

// Shapes of the learned losses for a network's parameters and N outputs.
struct Losses {
  std::vector<std::string> weights;
  Branch support, query;
  int64_t steps;
  bool query_branch;

  Losses(const Params& network, int64_t outputs, int64_t of_steps, bool with_query)
      : weights(weights_of(network)), steps(of_steps), query_branch(with_query) {
    const auto count = static_cast<int64_t>(weights.size());
    support = {"support", count + 1 + 2 * outputs, count + 1};
    query = {"query", count + outputs + 1, count + outputs + 1};
  }

  Params initial(Stream& stream) const {
    const Params own = support.initial(steps, stream);
    return query_branch ? own.joined(query.initial(steps, stream)) : own;
  }

  std::vector<std::string> reads() const {
    std::vector<std::string> out = weights;
    for (const auto& name : support.entries()) out.push_back(name);
    if (!query_branch) return out;
    for (const auto& name : query.entries()) out.push_back(name);
    return out;
  }

  // L_k of y [T, support samples first, N] and of the entries it reads.
  Tensor operator()(const Tensor& y, const Params& own, int64_t step, const OutputLoss& plain) const {
    const auto& labels = plain.target();
    const int64_t supports = labels.size(1), outputs = y.size(2);
    const Tensor logits = y.narrow(1, 0, supports);
    std::vector<Tensor> means;
    for (const auto& name : weights) means.push_back(own.at(name).flatten(1).mean(1));
    const Tensor mean = torch::stack(means, 1), loss = plain(logits);
    const Tensor state = torch::cat({loss.unsqueeze(1), mean}, 1);
    const auto every = [](const Tensor& row, int64_t samples) {
      return row.unsqueeze(1).expand({row.size(0), samples, row.size(1)});
    };
    const Tensor known = torch::one_hot(labels, outputs).to(y.scalar_type());
    const Tensor x = torch::cat({every(state, supports), logits, known}, 2);
    Tensor total = loss + support.loss(own, step, standardised(x), standardised(state));
    if (!query_branch) return total;
    const Tensor unlabelled = y.narrow(1, supports, y.size(1) - supports);
    const Tensor log_p = torch::log_softmax(unlabelled, 2);
    const Tensor entropy = (log_p.exp() * log_p).sum(2, /*keepdim=*/true);
    const Tensor seen = standardised(torch::cat({every(mean, unlabelled.size(1)), unlabelled, entropy}, 2));
    return total + query.loss(own, step, seen, seen.mean(1));
  }
};

// The losses that the inner loop and the objective see.
class Adaptive : public EpisodeView {
 public:
  Adaptive(const EpisodeTask& tasks, const Losses& losses, const MetalConfig& config)
      : tasks_(tasks), losses_(losses), config_(config) {}

  int64_t size() const override { return tasks_.size(); }

  Tensor loss(Part part, const Params& params, int64_t step) const override {
    return head_loss(*head(part, step), tasks_.forward(samples(part), params, tasks_.network()), params);
  }

  std::unique_ptr<LossAt> loss_at(Part part, const Params& params, int64_t step) const override {
    return tasks_.loss_at(samples(part), params, head(part, step));
  }

  Tensor query_output(const Params& params) const override {
    if (!config_.query_branch) return tasks_.query_output(params);
    const Tensor y = tasks_.output(Part::kBoth, params);
    const int64_t supports = tasks_.episodes().support_y.size(1);
    return y.narrow(1, supports, y.size(1) - supports);
  }

  Params statistics(const Params& params) const override { return tasks_.statistics(params); }

 private:
  // Which samples are passed together.
  Part samples(Part part) const {
    const bool outside = part == Part::kQuery && config_.both_outside;
    return config_.query_branch || outside ? Part::kBoth : part;
  }

  std::shared_ptr<const Head> head(Part part, int64_t step) const {
    if (part == Part::kSupport) {
      return make_head([losses = &losses_, step, plain = tasks_.output_loss(Part::kSupport)](
                           const Tensor& y, const Params& own) { return (*losses)(y, own, step, *plain); },
                       losses_.reads());
    }
    if (config_.both_outside) return tasks_.output_loss(Part::kBoth);
    const auto plain = tasks_.output_loss(Part::kQuery);
    if (!config_.query_branch) return plain;
    return make_head([plain](const Tensor& y, const Params&) {
      const int64_t queries = plain->target().size(1);
      return (*plain)(y.narrow(1, y.size(1) - queries, queries));
    });
  }

  const EpisodeTask& tasks_;
  const Losses& losses_;
  MetalConfig config_;
};

Params network_of(const MethodContext& context) {
  Stream any(StreamKey{.purpose = Purpose::kInitialParameters});  // names alone matter
  return context.network(context.outputs)->initial(any);
}

Parts metal_parts(const MetalConfig& config, const std::shared_ptr<const Losses>& losses, int64_t tasks) {
  return {.meta = [losses](const Params& network,
                           Stream& stream) { return network.joined(losses->initial(stream)); },
          .view = [losses, config](const Task& task, const Moment&) -> std::unique_ptr<Task> {
            return std::make_unique<Adaptive>(dynamic_cast<const EpisodeTask&>(task), *losses, config);
          },
          .tasks_per_chunk = small_chunk(tasks)};
}

}  // namespace

Tensor standardised(const Tensor& x) {
  constexpr double kLeast = 1e-36;  // of a variance, whose root has no derivative at 0
  const Tensor flat = x.flatten(1);
  const Tensor centred = flat - flat.mean(1, /*keepdim=*/true);
  const Tensor variance = centred.square().sum(1, /*keepdim=*/true) / static_cast<double>(flat.size(1) - 1);
  return (centred / (variance.clamp_min(kLeast).sqrt() + 1e-12)).view(x.sizes());
}

Algorithm metal() {
  return {.name = "metal",
          .paper = "Baik et al. 2021, sections 3.2 to 3.4",
          .summary = "inner losses that networks learn and adapt to the state of the learner",
          .keys = metal_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            const auto config = metal_keys().read(own, "algorithm metal", "metal");
            require_usage(context.dataset->spec().classification,
                          "algorithm metal needs classes; the data set ", context.dataset->spec().name,
                          " has none");
            require_usage(context.inner.steps >= 1,
                          "inner.steps: 0 found, expected 1 or more: the losses are those of inner steps");
            const auto losses = std::make_shared<Losses>(network_of(context), context.outputs,
                                                         context.inner.steps, config.query_branch);
            return std::make_unique<GradientMethod>(metal_parts(config, losses, context.tasks), context);
          }};
}

}  // namespace innerloop
