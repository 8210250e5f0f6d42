#include "meta/algorithms/matching_fce.h"

#include <algorithm>
#include <cmath>

#include "base/row.h"
#include "meta/algorithms/matching.h"

namespace innerloop {
namespace {

using torch::Tensor;

constexpr const char* kFceForward = "forward.";
constexpr const char* kFceBackward = "backward.";
constexpr const char* kFceAttention = "attention.";

struct MatchingFceConfig {
  bool sum = false;
  double scale = 1;
  int64_t steps = 3;
  bool aligned = true;
  bool over_queries = false;
  bool zero = false;
};

const Keys<MatchingFceConfig>& matching_fce_keys() {
  static const Keys<MatchingFceConfig> list{
      keys::spelled("scores", &MatchingFceConfig::sum, {{"attention", false}, {"sum", true}},
                    "of a class: attention over the support set, or the sum of its cosines as logit"),
      keys::number("scale", &MatchingFceConfig::scale, kMatchingScale, "of the cosines"),
      keys::whole("steps", &MatchingFceConfig::steps, 1, 1'000, "K, how often f reads from the set"),
      keys::spelled("backward", &MatchingFceConfig::aligned, {{"aligned", true}, {"as_run", false}},
                    "to which sample an output of the backward LSTM is added; as_run: by its number"),
      keys::spelled("over", &MatchingFceConfig::over_queries, {{"support", false}, {"query", true}},
                    "the set that the bidirectional LSTM embeds and that the other set reads from"),
      keys::spelled("initial", &MatchingFceConfig::zero, {{"uniform", false}, {"zero", true}},
                    "weights of the LSTMs")};
  return list;
}

Tensor fce_input_gates(const Params& weights, const Tensor& x) {
  return x.matmul(weights.at("input_weight").transpose(1, 2)) + weights.at("bias").unsqueeze(1);
}

LstmState fce_lstm_step(const Params& weights, const Tensor& from_input, const LstmState& state) {
  const auto gates = (from_input + state.h.matmul(weights.at("hidden_weight").transpose(1, 2))).chunk(4, 2);
  const Tensor c = gates[1].sigmoid() * state.c + gates[0].sigmoid() * gates[2].tanh();
  return {gates[3].sigmoid() * c.tanh(), c};
}

LstmState fce_lstm_start(const Params& weights, const Tensor& x) {
  const Tensor zero = torch::zeros({x.size(0), x.size(1), weights.at("hidden_weight").size(2)}, x.options());
  return {zero, zero};
}

// h of every sample, in the order of x [T, N, F].
Tensor fce_lstm_outputs(const Params& weights, const Tensor& x) {
  const Tensor from_input = fce_input_gates(weights, x);
  LstmState state = fce_lstm_start(weights, x.narrow(1, 0, 1));
  std::vector<Tensor> out;
  for (int64_t i = 0; i < x.size(1); ++i) {
    state = fce_lstm_step(weights, from_input.narrow(1, i, 1), state);
    out.push_back(state.h);
  }
  return torch::cat(out, 1);
}

class MatchingFce : public FeatureClassifier {
 public:
  MatchingFce(const MatchingFceConfig& config, const MethodContext& context)
      : FeatureClassifier("matching_fce", context), config_(config), width_(feature_width(context)) {}

  Params own_initial(Stream& stream) const override {
    std::vector<Params::Entry> out;
    const double bound = config_.zero ? 0 : 1 / std::sqrt(static_cast<double>(width_));
    const auto draw = [&](const std::string& name, const std::vector<int64_t>& shape) {
      const Tensor value = torch::zeros(shape, torch::kFloat32);
      float* to = value.data_ptr<float>();
      if (bound > 0) {
        std::generate_n(to, value.numel(), [&] { return static_cast<float>(stream.uniform(-bound, bound)); });
      }
      out.push_back({name, value});
    };
    for (const std::string lstm : {kFceForward, kFceBackward, kFceAttention}) {
      draw(lstm + "input_weight", {1, 4 * width_, lstm == kFceAttention ? 2 * width_ : width_});
      draw(lstm + "hidden_weight", {1, 4 * width_, width_});
      draw(lstm + "bias", {1, 4 * width_});
    }
    return Params(std::move(out));
  }

  Tensor scores(const FeatureSets& sets, const Params& own) const override {
    const bool swapped = config_.over_queries;
    const Tensor g = fce_set(swapped ? sets.query : sets.support, own.part(kFceForward),
                             own.part(kFceBackward), config_.aligned);
    const Tensor f =
        fce_attention(swapped ? sets.support : sets.query, g, own.part(kFceAttention), config_.steps);
    return matching_scores({swapped ? f : g, sets.support_y, swapped ? g : f, sets.ways},
                           {config_.sum, config_.scale});
  }

 private:
  MatchingFceConfig config_;
  int64_t width_;
};

}  // namespace

LstmState lstm_cell(const Params& weights, const Tensor& x, const LstmState& state) {
  return fce_lstm_step(weights, fce_input_gates(weights, x), state);
}

Tensor fce_set(const Tensor& x, const Params& forward, const Params& backward, bool aligned) {
  const Tensor last_to_first = fce_lstm_outputs(backward, x.flip(1));
  return x + fce_lstm_outputs(forward, x) + (aligned ? last_to_first.flip(1) : last_to_first);
}

Tensor fce_attention(const Tensor& x, const Tensor& g, const Params& weights, int64_t steps) {
  Tensor read = g.mean(1, /*keepdim=*/true).expand_as(x);
  LstmState state = fce_lstm_start(weights, x);
  for (int64_t k = 0; k < steps; ++k) {
    state = lstm_cell(weights, torch::cat({x, read}, 2), state);
    state.h = state.h + x;
    if (k + 1 == steps) break;
    read = state.h.matmul(g.transpose(1, 2)).softmax(2).matmul(g);
  }
  return state.h;
}

Algorithm matching_fce() {
  return {.name = "matching_fce",
          .paper = "Vinyals et al. 2016, section 2.1.2",
          .summary = "matching networks whose features know the whole support set, by LSTMs",
          .prescribes = {{"inner.steps", "0"}},
          .keys = matching_fce_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            return std::make_unique<MatchingFce>(
                matching_fce_keys().read(own, "algorithm matching_fce", "matching_fce"), context);
          }};
}

}  // namespace innerloop
