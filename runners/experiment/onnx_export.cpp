#include "runners/experiment/onnx_export.h"

#include <ATen/ops/allclose.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "meta/algorithms/registry.h"
#include "meta/pair_similarity.h"
#include "meta/policy/policy_meta_learner.h"
#include "networks/mlp_network.h"
#include "policies/policy.h"
#include "runners/experiment/onnx_network.h"

namespace innerloop {
namespace {

constexpr char kInstead[] = "; --format safetensors takes its parameters";

Params shapes_of(const Network& network) {
  Stream any(StreamKey{.purpose = Purpose::kInitialParameters});  // names and shapes alone matter
  return network.initial(any);
}

std::unique_ptr<Policy> policy_of(const PolicyLearner& learner) {
  return make_policy(learner.config().policy, learner.environment());
}

// Entries of `params` with the names of `like`; Error if one is missing.
Params only(const Params& params, const Params& like, const std::string& algorithm) {
  for (const auto& name : like.names()) {
    require(params.contains(name), "export: algorithm ", algorithm,
            " does not predict by a pass of its network: '", name, "' is not among what it learns (",
            join(params.names()), "), so no ONNX model is made", kInstead);
  }
  return params.select(like.names());
}

bool compares_features(const SupervisedMetaLearner& learner) {
  return learner.network().head_names().empty() ||
         dynamic_cast<const PairSimilarity*>(&learner.method()) != nullptr;
}

std::vector<OnnxDimension> onnx_shape(const std::string& first, const std::vector<int64_t>& rest) {
  std::vector<OnnxDimension> shape{first};
  shape.insert(shape.end(), rest.begin(), rest.end());
  return shape;
}

void add_classes(OnnxModel& model, const std::string& logits, int64_t count, const std::string& of) {
  model.add("Identity", {logits}, {}, "logits");
  model.add("Softmax", {logits}, {{"axis", int64_t{-1}}}, "probabilities");
  model.add_output("logits", onnx_shape("N", {count}), concat("of ", of));
  model.add_output("probabilities", onnx_shape("N", {count}), concat("of ", of, ": softmax of the logits"));
}

}  // namespace

Params exported_start(const SupervisedMetaLearner& learner, const ExperimentConfig& config) {
  return only(learner.method().initialisation(learner.meta_parameters()), shapes_of(learner.network()),
              config.algorithm());
}

Params exported_start(PolicyLearner& learner, const ExperimentConfig& config) {
  require_usage(find_algorithm(config.algorithm()).step != "episode", "export: the policy of algorithm ",
                config.algorithm(), " remembers what it saw, and is no pass of observations to actions",
                kInstead, ", --format npz its trajectories");
  const auto* gradient = dynamic_cast<const PolicyMetaLearner*>(&learner);
  require(gradient != nullptr, "export: algorithm ", config.algorithm(),
          " is no policy that adapts by gradient steps, so no ONNX model is made", kInstead);
  Stream any(StreamKey{.purpose = Purpose::kInitialParameters});  // names and shapes alone matter
  return only(gradient->method().initialisation(learner.meta_parameters()), policy_of(learner)->initial(any),
              config.algorithm());
}

void require_one_pass(const SupervisedMetaLearner& learner, const ExperimentConfig& config, bool adapted) {
  if (compares_features(learner)) return;
  const Params start = exported_start(learner, config);
  SupervisedEvaluationConfig one = config.supervised_evaluation;
  one.tasks = 1;
  one.ways = 0;  // as in training
  one.steps = 0;
  bool same = false, starts_alike = false;
  learner.for_each_task(one, [&](const Method& method, const EpisodeTask& task, const Moment& now) {
    const Trace trace = method.trace(learner.meta_parameters(), task, {.steps = 0}, now);
    const Params read = only(trace.after, start, config.algorithm());
    const auto passed = task.query_output(read);
    const auto& predicted = trace.outputs.back();
    same = passed.sizes() == predicted.sizes() && torch::allclose(passed, predicted, 1e-4, 1e-5);
    starts_alike = identical(read, start);
    return Params();
  });
  require(same, "export: algorithm ", config.algorithm(),
          " predicts by more than one pass of its network (on a test task its prediction differs from the "
          "network's output), so no ONNX model of one network says what it predicts",
          kInstead);
  require(adapted || starts_alike, "export: what a task starts from depends on the task in algorithm ",
          config.algorithm(), "; give --adapted FILE, the parameters of one task", kInstead);
}

std::string network_onnx(const SupervisedMetaLearner& learner, const ExperimentConfig& config,
                         const Params& params, const Params& statistics, About about) {
  const auto& spec = learner.dataset().spec();
  const auto& network = learner.network();
  const LayerGraph layers = layers_of(network, config.supervised.network.name);
  const BatchNormMode mode = parse_batch_norm_mode(config.supervised.network.batch_norm);
  const Params constants = statistics.empty() ? learner.method_state().part("running.") : statistics;
  const OnnxSource source{layers, params, mode, constants.empty() ? nullptr : &constants};
  const bool support = mode == BatchNormMode::kPerTaskRunning && constants.empty();
  require(!support || !compares_features(learner),
          "export: whose statistics normalise features depends on the algorithm where network.batch_norm = "
          "per_task_running, which no model of the features alone says; expected batch or global_running",
          kInstead);
  OnnxModel model;
  model.add_input("x", onnx_shape("N", spec.input), "samples, prepared as the metadata say");
  if (support) {
    model.add_input("support", onnx_shape("S", spec.input),
                    "the task's support samples, whose statistics normalise x");
  }
  const std::string out = add_network(model, source, "x", support ? "support" : "");
  if (compares_features(learner)) {
    std::vector<int64_t> two{1, 2};
    two.insert(two.end(), spec.input.begin(), spec.input.end());
    const int64_t width = network.output(params, torch::zeros(two)).size(2);
    model.add("Identity", {out}, {}, "features");
    model.add_output("features", onnx_shape("N", {width}), "what a classifier of the task compares");
    about["output"] = concat("features [N, ", width, "]: algorithm ", config.algorithm(),
                             " makes a classifier of those of a task's support samples (", about["paper"],
                             "), which is not in this file");
  } else if (spec.classification) {
    const int64_t ways = params.at(network.head_names()[0]).size(1);
    add_classes(model, out, ways, "each label");
    about["output"] = concat("logits and probabilities [N, ", ways, "] of the labels");
  } else {
    model.add("Identity", {out}, {}, "y");
    model.add_output("y", onnx_shape("N", {spec.outputs}), "the regression's value");
    about["output"] = concat("y [N, ", spec.outputs, "]");
  }
  return model.format(config.supervised.network.name, about);
}

std::string policy_onnx(const PolicyLearner& learner, const ExperimentConfig& config, const Params& params,
                        About about) {
  const auto policy = policy_of(learner);
  const auto& mlp = policy->network().config();
  const LayerGraph layers = mlp_layers({.mlp = mlp});
  OnnxModel model;
  model.add_input("observation", onnx_shape("N", {mlp.inputs}), "as the environment gives it");
  const std::string out = add_network(model, {.layers = layers, .params = params}, "observation");
  if (learner.environment().action_kind == ActionKind::kDiscrete) {
    add_classes(model, out, mlp.outputs, "each choice");
    about["output"] = concat("logits and probabilities [N, ", mlp.outputs, "] of the choices");
  } else {
    model.add("Identity", {out}, {}, "mean");
    model.add_output("mean", onnx_shape("N", {mlp.outputs}), "of the actions' Gaussian distribution");
    const auto distribution = policy->distribution(torch::zeros({1, 1, mlp.outputs}), params)[0][0];
    const auto deviation = distribution.narrow(0, mlp.outputs, mlp.outputs).exp().contiguous();
    about["std"] = nlohmann::json(std::vector<float>(deviation.data_ptr<float>(),
                                                     deviation.data_ptr<float>() + mlp.outputs))
                       .dump();
    about["output"] = concat("mean [N, ", mlp.outputs,
                             "] of a Gaussian; an action of training is mean + std * standard normal");
  }
  return model.format(config.learner.policy.name, about);
}

}  // namespace innerloop
