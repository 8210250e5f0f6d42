#include "meta/algorithms/mann.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "base/permutation.h"
#include "base/row.h"
#include "datasets/dataset.h"
#include "meta/gradient_method.h"
#include "meta/supervised/presentation_study.h"
#include "networks/initialization.h"
#include "networks/tensors/mann_sequence.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct MannSettings : MannConfig {
  double label_scale = 1;
};

const Keys<MannSettings>& mann_keys() {
  using C = MannSettings;
  constexpr keys::Interval kAboveZero{0, 1e4, true, false, "a number above 0 and at most 10000"};
  static const Keys<C> list{
      keys::whole("hidden", &C::hidden, 1, 100'000, "units of the LSTM"),
      keys::whole("slots", &C::slots, 1, 1'000'000, "rows of the memory"),
      keys::whole("size", &C::size, 1, 100'000, "numbers of a row"),
      keys::whole("reads", &C::reads, 1, 1'000, "R, reads of a step; at most slots"),
      keys::number("usage_decay", &C::usage_decay, keys::kZeroToOne, "gamma of the rows' usage"),
      keys::number("key_strength", &C::key_strength, kAboveZero,
                   "beta, times the cosines under the softmax of a read (paper: none, 1)"),
      keys::number("label_scale", &C::label_scale, kAboveZero,
                   "what a label's one is where the LSTM reads it (paper: 1)"),
      keys::spelled("write", &C::write_vector, {{"key", false}, {"vector", true}},
                    "what is written: the key (paper), or a vector of its own (port)"),
      keys::spelled("gate", &C::controller_gate, {{"learned", false}, {"controller", true}},
                    "alpha: one learned number (paper), or the controller's at each step (port)"),
      keys::spelled("least_used", &C::one_each, {{"all", false}, {"one_each", true}},
                    "a read writes to all R rows of least usage (paper), or to one of them (port)"),
      keys::spelled("read", &C::read_before, {{"after_write", false}, {"before_write", true}},
                    "whether a step reads what it has written")};
  return list;
}

class Mann : public Method, public ReadsSequences {
 public:
  Mann(const MannSettings& config, const MethodContext& context)
      : config_(config), ways_(context.outputs), tasks_(context.tasks) {
    const auto& input = context.dataset->spec().input;
    pixels_ = std::accumulate(input.begin(), input.end(), int64_t{1}, std::multiplies<>());
    identity_ = make_network({.name = "mlp", .own = {{"hidden", "none"}}}, input, ways_);
  }

  Params initial(Stream& stream) const override {
    const int64_t n = config_.hidden, r = config_.reads * config_.size;
    std::vector<Params::Entry> out;
    const auto weight = [&](const std::string& name, int64_t outputs, int64_t inputs) {
      out.push_back({name + ".weight", xavier_uniform(stream, {1, outputs, inputs}, inputs, outputs)});
    };
    const auto bias = [&](const std::string& name, int64_t outputs) {
      out.push_back({name + ".bias", torch::zeros({1, outputs})});
    };
    weight("input", 4 * n, pixels_ + ways_);
    weight("read", 4 * n, r);
    weight("hidden", 4 * n, n);
    bias("input", 4 * n);
    weight("key", r, n);
    bias("key", r);
    if (config_.write_vector) weight("vector", r, n), bias("vector", r);
    if (config_.controller_gate) {
      weight("gate", config_.reads, n);
      bias("gate", config_.reads);
    } else {
      bias("gate", 1);
    }
    weight("output", ways_, n + r);
    bias("output", ways_);
    return Params(std::move(out));
  }

  // Of no weights that are learned here; its features are the pixels.
  const Network& network(bool) const override { return *identity_; }
  int64_t tasks_per_chunk() const override { return small_chunk(tasks_); }
  Params initialisation(const Params& meta) const override { return meta; }

  Outcome pass(const Params& meta, const EpisodeTask& tasks, const Moment& now,
               bool with_output) const override {
    const Sequence sequence = whole(tasks, now);
    const MannSequence network(meta, config_);
    const auto run = network.run(sequence.inputs, mann_start(config_, tasks.size(), meta.dtype()));
    const Tensor log_p = torch::log_softmax(run.scores, 2);
    const Tensor is = one_hot(sequence.labels, log_p);
    const Tensor loss = -(log_p * is).sum(2).sum(0);
    for (int64_t t = 0; t < tasks.size(); ++t) {
      require(torch::isfinite(loss[t]).item<bool>(), "the loss of task ", now.first_task + t,
              " is not finite");
    }
    Outcome out{loss, network.gradient(run, log_p.exp() - is)};
    if (with_output) out.output = predict(meta, tasks, 0, now).front();
    return out;
  }

  Reading read(const Params& meta, const EpisodeTask& tasks, const Moment& now) const override {
    const torch::NoGradGuard no_graph;
    const Sequence sequence = whole(tasks, now);
    const MannState start = mann_start(config_, tasks.size(), meta.dtype());
    return {MannSequence(meta, config_).run(sequence.inputs, start).scores, sequence.labels};
  }

  std::vector<Tensor> predict(const Params& meta, const EpisodeTask& tasks, int64_t,
                              const Moment& now) const override {
    const torch::NoGradGuard no_graph;
    const auto& e = tasks.episodes();
    const Sequence support = shuffled(e.support_x, e.support_y, now);
    const MannSequence network(meta, config_);
    const auto run = network.run(support.inputs, mann_start(config_, tasks.size(), meta.dtype()));
    const Tensor query = e.query_x.flatten(2);  // [T, queries, pixels]
    const int64_t queries = query.size(1), last = support.labels.size(0) - 1;
    const Tensor label = scaled(support.labels[last], query).unsqueeze(1).expand({-1, queries, -1});
    const Tensor inputs = torch::cat({query, label}, 2).flatten(0, 1).unsqueeze(0);
    return {network.run(inputs, run.last.repeated(queries)).scores.view({tasks.size(), queries, ways_})};
  }

 private:
  struct Sequence {
    Tensor inputs;  // (x_t, y_{t-1}), [steps, T, pixels + ways]
    Tensor labels;  // y_t, [steps, T]
  };

  Tensor one_hot(const Tensor& labels, const Tensor& like) const {
    return torch::one_hot(labels, ways_).to(like.scalar_type());
  }

  // As the LSTM reads them.
  Tensor scaled(const Tensor& labels, const Tensor& like) const {
    return config_.label_scale * one_hot(labels, like);
  }

  // Support and query samples as one.
  Sequence whole(const EpisodeTask& tasks, const Moment& now) const {
    const auto& e = tasks.episodes();
    return shuffled(torch::cat({e.support_x, e.query_x}, 1), torch::cat({e.support_y, e.query_y}, 1), now);
  }

  // x [T, steps, ...], y [T, steps], each task in an order of its own.
  Sequence shuffled(const Tensor& x, const Tensor& y, const Moment& now) const {
    const int64_t tasks = y.size(0), steps = y.size(1);
    std::vector<Tensor> images, labels;
    for (int64_t t = 0; t < tasks; ++t) {
      Stream stream = now.stream(t);
      Permutation order(steps, stream);
      std::vector<int64_t> places(static_cast<size_t>(steps));
      for (auto& place : places) place = order.next();
      const Tensor at = torch::tensor(places, torch::kInt64);
      images.push_back(x[t].index_select(0, at));
      labels.push_back(y[t].index_select(0, at));
    }
    const Tensor pixels = torch::stack(images, 1).flatten(2), of = torch::stack(labels, 1);
    const Tensor none = torch::zeros({1, tasks, ways_}, pixels.options());
    return {torch::cat({pixels, torch::cat({none, scaled(of.narrow(0, 0, steps - 1), pixels)})}, 2), of};
  }

  MannSettings config_;
  int64_t ways_, tasks_, pixels_ = 0;
  std::unique_ptr<Network> identity_;
};

}  // namespace

Algorithm mann() {
  return {.name = "mann",
          .paper = "Santoro et al. 2016",
          .summary = "an LSTM with a memory reads a task's samples one after another",
          .prescribes = {{"inner.steps", "0"}},
          .keys = mann_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            const auto config = mann_keys().read(own, "algorithm mann", "mann");
            const auto& spec = context.dataset->spec();
            require_usage(spec.classification, "algorithm mann needs classes; the data set ", spec.name,
                          " has none");
            require_usage(config.reads <= config.slots, "mann.reads: ", config.reads,
                          " found, expected at most mann.slots, ", config.slots);
            return std::make_unique<Mann>(config, context);
          }};
}

}  // namespace innerloop
