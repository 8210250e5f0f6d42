#include "meta/algorithms/mann.h"

#include <ATen/ops/sigmoid.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "base/permutation.h"
#include "base/row.h"
#include "datasets/dataset.h"
#include "meta/gradient_method.h"
#include "networks/initialization.h"
#include "networks/tensors/derivatives.h"

namespace innerloop {
namespace {

using torch::Tensor;

const Keys<MannConfig>& mann_keys() {
  using C = MannConfig;
  static const Keys<C> list{
      keys::whole("hidden", &C::hidden, 1, 100'000, "units of the LSTM"),
      keys::whole("slots", &C::slots, 1, 1'000'000, "rows of the memory"),
      keys::whole("size", &C::size, 1, 100'000, "numbers of a row"),
      keys::whole("reads", &C::reads, 1, 1'000, "R, reads of a step; at most slots"),
      keys::number("usage_decay", &C::usage_decay, keys::kZeroToOne, "gamma of the rows' usage"),
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

// The `count` rows of least usage, the least used first: [B, count].
Tensor mann_least_used(const Tensor& used, int64_t count) {
  const Tensor usage = used.to(torch::kFloat64).contiguous();
  const int64_t slots = usage.size(1);
  const Tensor out = torch::empty({usage.size(0), count}, torch::kInt64);
  std::vector<int64_t> order(static_cast<size_t>(slots));
  for (int64_t b = 0; b < usage.size(0); ++b) {
    const double* u = usage.data_ptr<double>() + b * slots;
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + count, order.end(),
                      [u](int64_t i, int64_t j) { return u[i] != u[j] ? u[i] < u[j] : i < j; });
    std::copy_n(order.begin(), count, out.data_ptr<int64_t>() + b * count);
  }
  return out;
}

// Directions of vectors [..., size]; finite derivatives at a row of zeros.
Tensor mann_direction(const Tensor& x) { return x / (x.square().sum(-1, true) + 1e-20).sqrt(); }

// x [..., in] -> [..., out]; weight [out, in].
Tensor mann_product(const Tensor& x, const Tensor& weight) { return x.matmul(weight.t()); }
Tensor mann_affine(const Tensor& x, const Params& p, const std::string& name) {
  return mann_product(x, p.at(name + ".weight")) + p.at(name + ".bias");
}

// The one task's slice of meta-parameters, taken once: its derivative fills a tensor each time.
Params mann_weights(const Params& meta) {
  return meta.map([](const Tensor& value) { return value.squeeze(0); });
}

struct MannState {
  Tensor h, c;  // [B, hidden]
  Tensor read;  // r [B, R size]
  MannMemory memory;

  MannState repeated(int64_t times) const {
    const auto each = [times](const Tensor& x) { return x.repeat_interleave(times, 0); };
    return {each(h), each(c), each(read), {each(memory.rows), each(memory.read), each(memory.used)}};
  }
};

class Mann : public Method {
 public:
  Mann(const MannConfig& config, const MethodContext& context)
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
    const auto& e = tasks.episodes();
    const Sequence sequence =
        shuffled(torch::cat({e.support_x, e.query_x}, 1), torch::cat({e.support_y, e.query_y}, 1), now);
    Tensor loss;
    const Tensors gradient = vjp(
        [&](const Tensors& leaves) -> Tensors {
          MannState state = start(tasks.size(), meta.dtype());
          const Tensor log_p = torch::log_softmax(run(mann_weights(meta.with(leaves)), sequence, state), 2);
          const Tensor each = -log_p.gather(2, sequence.labels.unsqueeze(2)).sum({1, 2});
          loss = each.detach();
          return {each};
        },
        meta.tensors(), {torch::ones({1}, meta[0].options())});
    for (int64_t t = 0; t < tasks.size(); ++t) {
      require(torch::isfinite(loss[t]).item<bool>(), "the loss of task ", now.first_task + t,
              " is not finite");
    }
    Outcome out{loss, meta.with(gradient)};
    if (with_output) out.output = predict(meta, tasks, 0, now).front();
    return out;
  }

  std::vector<Tensor> predict(const Params& meta, const EpisodeTask& tasks, int64_t,
                              const Moment& now) const override {
    const torch::NoGradGuard no_graph;
    const auto& e = tasks.episodes();
    const Sequence support = shuffled(e.support_x, e.support_y, now);
    MannState state = start(tasks.size(), meta.dtype());
    const Params p = mann_weights(meta);
    run(p, support, state);
    const Tensor query = e.query_x.flatten(2);  // [T, queries, pixels]
    const int64_t queries = query.size(1), last = support.labels.size(1) - 1;
    const Tensor label = one_hot(support.labels.narrow(1, last, 1), query).expand({-1, queries, -1});
    state = state.repeated(queries);
    const Tensor input = mann_product(torch::cat({query, label}, 2), p.at("input.weight")).flatten(0, 1);
    return {step(p, input, state).view({tasks.size(), queries, ways_})};
  }

 private:
  struct Sequence {
    Tensor inputs;  // (x_t, y_{t-1}), [T, steps, pixels + ways]
    Tensor labels;  // y_t, [T, steps]
  };

  Tensor one_hot(const Tensor& labels, const Tensor& like) const {
    return torch::one_hot(labels, ways_).to(like.scalar_type());
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
    const Tensor pixels = torch::stack(images).flatten(2), of = torch::stack(labels);
    const Tensor before = torch::constant_pad_nd(one_hot(of, pixels).narrow(1, 0, steps - 1), {0, 0, 1, 0});
    return {torch::cat({pixels, before}, 2), of};
  }

  MannState start(int64_t tasks, torch::ScalarType dtype) const {
    const auto zeros = [&](std::vector<int64_t> sizes) { return torch::zeros(sizes, dtype); };
    const auto& c = config_;
    MannState out{zeros({tasks, c.hidden}), zeros({tasks, c.hidden}), zeros({tasks, c.reads * c.size}), {}};
    out.memory = {torch::full({tasks, c.slots, c.size}, 1e-6, dtype), zeros({tasks, c.reads, c.slots}),
                  zeros({tasks, c.slots})};
    out.memory.read.select(2, 0).fill_(1);
    out.memory.used.select(1, 0).fill_(1);
    return out;
  }

  // Scores of every step, [T, steps, ways].
  Tensor run(const Params& p, const Sequence& sequence, MannState& state) const {
    const Tensor inputs = mann_product(sequence.inputs, p.at("input.weight"));  // of all steps at once
    std::vector<Tensor> scores;
    for (int64_t t = 0; t < inputs.size(1); ++t) scores.push_back(step(p, inputs.select(1, t), state));
    return torch::stack(scores, 1);
  }

  // input [B, 4 hidden]: W (x_t, y_{t-1}) -> scores [B, ways].
  Tensor step(const Params& p, const Tensor& input, MannState& s) const {
    const Tensor gates = input + mann_product(s.read, p.at("read.weight")) +
                         mann_product(s.h, p.at("hidden.weight")) + p.at("input.bias");
    const int64_t n = config_.hidden;
    const auto gate = [&](int64_t i) { return torch::sigmoid(gates.narrow(1, i * n, n)); };
    s.c = gate(0) * s.c + gate(1) * torch::tanh(gates.narrow(1, 3 * n, n));
    s.h = gate(2) * torch::tanh(s.c);
    const auto vectors = [&](const char* name) {
      return torch::tanh(mann_affine(s.h, p, name)).view({-1, config_.reads, config_.size});
    };
    const Tensor keys = vectors("key");
    const Tensor alpha =
        config_.controller_gate ? mann_affine(s.h, p, "gate").unsqueeze(2) : p.at("gate.bias");
    const auto access = mann_access(s.memory, keys, config_.write_vector ? vectors("vector") : keys,
                                    torch::sigmoid(alpha), config_);
    s.memory = access.memory;
    s.read = access.vectors.flatten(1);
    return mann_affine(torch::cat({s.h, s.read}, 1), p, "output");
  }

  MannConfig config_;
  int64_t ways_, tasks_, pixels_ = 0;
  std::unique_ptr<Network> identity_;
};

}  // namespace

MannAccess mann_access(const MannMemory& before, const Tensor& keys, const Tensor& written,
                       const Tensor& gate, const MannConfig& config) {
  const int64_t reads = keys.size(1), slots = before.used.size(1);
  const Tensor least = torch::one_hot(mann_least_used(before.used, reads), slots).to(keys.scalar_type());
  const Tensor spots = config.one_each ? least : least.sum(1, true);  // w^lu
  const Tensor write = gate * before.read + (1 - gate) * spots;
  const Tensor kept = 1 - least.select(1, 0).unsqueeze(2);  // [B, slots, 1]
  MannAccess out;
  out.memory.rows = before.rows * kept + write.transpose(1, 2).matmul(written);
  const Tensor& content = config.read_before ? before.rows : out.memory.rows;
  out.memory.read = mann_direction(keys).matmul(mann_direction(content).transpose(1, 2)).softmax(2);
  out.memory.used = config.usage_decay * before.used + (out.memory.read + write).sum(1).detach();
  out.vectors = out.memory.read.matmul(content);
  return out;
}

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
