#include "meta/supervised/adapted_network.h"

#include <ATen/ops/allclose.h>

#include <algorithm>

#include "base/error.h"

namespace innerloop {
namespace {

using torch::Tensor;

constexpr double kSameOutput = 1e-4;  // of the largest output; the order of sums may differ

// Inputs as an episode's support and queries alike, with labels that nobody reads.
Episodes queries_alone(const Tensor& x, const DatasetSpec& spec) {
  const Tensor y = spec.classification ? torch::zeros({1, x.size(1)}, torch::kInt64)
                                       : torch::zeros({1, x.size(1), spec.outputs}, x.options());
  return {.support_x = x, .query_x = x, .support_y = y, .query_y = y};
}

Params own_parameters(const Network& network) {
  Stream any(StreamKey{.purpose = Purpose::kInitialParameters});  // names and shapes alone matter
  return network.initial(any);
}

Tensor network_output(const SupervisedMetaLearner& learner, const Network& network,
                      const AdaptedNetwork& adapted, const Tensor& x) {
  const auto mode = parse_batch_norm_mode(learner.config().network.batch_norm);
  const Params* statistics = adapted.statistics.empty() ? nullptr : &adapted.statistics;
  const EpisodeTask task(network, queries_alone(x, learner.dataset().spec()), /*shots=*/1.0,
                         LossReduction::kMean, mode, statistics);
  return task.query_output(adapted.parameters);
}

}  // namespace

bool queries_count_together(const SupervisedMetaLearner& learner) {
  const auto mode = parse_batch_norm_mode(learner.config().network.batch_norm);
  return mode == BatchNormMode::kBatch && learner.network().normalises();
}

std::optional<AdaptedNetwork> adapted_network(const SupervisedMetaLearner& learner, const Episodes& episode,
                                              const SupervisedEvaluationConfig& evaluation) {
  const Episodes known{episode.support_x, episode.support_x, episode.support_y, episode.support_y};
  AdaptedNetwork out;
  bool suffices = false;
  learner.study(known, evaluation, [&](const Method& method, const EpisodeTask& task, const Moment& now) {
    const auto predicted = method.predict(learner.meta_parameters(), task, evaluation.steps, now);
    try {
      out.parameters =
          method.trace(learner.meta_parameters(), task, {.steps = evaluation.steps}, now).after.cloned();
    } catch (const UsageError&) {  // steps of its own, which are not to be looked into
      return Params();
    }
    const auto& network = method.network(/*training=*/false);
    const auto names = own_parameters(network).names();
    const auto there = [&](const std::string& name) { return out.parameters.contains(name); };
    if (!std::all_of(names.begin(), names.end(), there)) return Params();
    out.parameters = out.parameters.select(names);  // what else rides along, the network does not read
    out.statistics = task.query_statistics(out.parameters);
    const Tensor again = network_output(learner, network, out, known.query_x);
    const Tensor& expected_output = predicted.back();
    suffices =
        again.sizes() == expected_output.sizes() &&
        torch::allclose(again, expected_output, 0, kSameOutput * expected_output.abs().max().item<double>());
    return Params();
  });
  return suffices ? std::optional(out) : std::nullopt;
}

Tensor predict(const SupervisedMetaLearner& learner, const AdaptedNetwork& adapted, const Tensor& x,
               const SupervisedEvaluationConfig& evaluation) {
  std::vector<Tensor> outputs;
  learner.study(queries_alone(x, learner.dataset().spec()), evaluation,
                [&](const Method& method, const EpisodeTask&, const Moment&) {
                  check_fits(adapted.parameters, own_parameters(method.network(/*training=*/false)),
                             "adapted parameters");
                  const auto& network = method.network(/*training=*/false);
                  const int64_t all = x.size(1),
                                block = queries_count_together(learner) ? all : kQueriesAtOnce;
                  for (int64_t first = 0; first < all; first += block) {
                    const auto part = x.narrow(1, first, std::min(block, all - first));
                    outputs.push_back(network_output(learner, network, adapted, part));
                  }
                  return Params();
                });
  return torch::cat(outputs, 1);
}

}  // namespace innerloop
