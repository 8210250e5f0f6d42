// Claims about exported models, on networks and policies of the library: onnxruntime computes what the
// program does.
#include <algorithm>
#include <map>
#include <protozero/pbf_reader.hpp>

#include "base/files.h"
#include "meta/algorithms/registry.h"
#include "networks/network.h"
#include "policies/policy.h"
#include "runners/experiment/npz.h"
#include "runners/experiment/onnx_export.h"
#include "runners/experiment/onnx_network.h"
#include "tests/runners/python_scripts.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

Tensor drawn(Stream& stream, const std::vector<int64_t>& shape, double spread = 1) {
  const Tensor out = torch::empty(shape, torch::kFloat32);
  for (int64_t i = 0; i < out.numel(); ++i)
    out.view(-1)[i] = static_cast<float>(spread * stream.uniform(-1.7, 1.7));
  return out;
}

// Away from the initial ones, in which shifts are 0 and scales 1.
Params moved(const Params& params, Stream& stream) {
  return params.map([&](const Tensor& value) { return value + drawn(stream, value.sizes().vec(), 0.2); });
}

void add(NpzFile& npz, const std::string& name, const Tensor& value) {
  const Tensor flat = value.contiguous();
  npz.add(name, value.sizes().vec(),
          std::vector<float>(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()));
}

struct NetworkCase {
  NetworkConfig config;
  std::vector<int64_t> input;
};

std::vector<NetworkCase> network_forms() {
  return {
      {{.name = "mlp", .own = {{"hidden", "7,5"}}}, {4}},
      {{.name = "mlp", .own = {{"hidden", "6"}, {"activation", "tanh"}}}, {1, 2, 2}},
      {{.name = "mlp", .batch_norm = "batch", .own = {{"hidden", "7,5"}, {"batch_norm_scale", true}}}, {4}},
      {{.name = "conv4", .batch_norm = "batch", .own = {{"filters", 8}}}, {1, 28, 28}},
      {{.name = "conv4",
        .batch_norm = "batch",
        .own = {{"filters", 5}, {"downsample", "max_pool"}, {"head", "flatten"}, {"batch_norm_scale", true}}},
       {3, 35, 21}},
      {{.name = "conv4", .batch_norm = "batch", .own = {{"filters", 6}, {"head", "flatten"}}}, {2, 33, 20}},
      {{.name = "resnet12", .batch_norm = "batch", .own = {{"filters", 4}}}, {3, 21, 16}},
      {{.name = "koch", .own = {{"divisor", 32}, {"units", 5}}}, {1, 66, 65}},
      {{.name = "koch", .own = {{"divisor", 64}, {"units", 0}}}, {2, 65, 70}}};
}

// Writes NAME.onnx of one network in one mode, and what it must give as NAME.npz. `known`: the statistics are
// constants of the file.
std::vector<std::string> write_case(const TemporaryFolder& folder, const NetworkCase& one,
                                    const std::string& mode, bool known, int64_t outputs) {
  NetworkConfig config = one.config;
  config.batch_norm = mode;
  const auto network = make_network(config, one.input, outputs);
  Stream stream(StreamKey{.seed = 5});
  const Params params = moved(network->initial(stream), stream);
  const Params running =
      moved(network->statistics(), stream).map([](const Tensor& t) { return t.abs() + 0.1; });
  std::vector<int64_t> samples{1, 6};
  samples.insert(samples.end(), one.input.begin(), one.input.end());
  const Tensor x = drawn(stream, samples), support = drawn(stream, samples);
  Params found;
  Pass pass;
  if (mode == "global_running") pass.use = &running;
  if (mode == "per_task_running") {
    network->forward(params, support, {.found = &found});
    pass.use = &found;
  }
  const Tensor y = network->output(params, x, pass)[0];
  CHECK(y.abs().max().item<double>() > 0.05);

  const LayerGraph layers = layers_of(*network, config.name);
  OnnxModel model;
  std::vector<OnnxDimension> shape{"N"};
  shape.insert(shape.end(), one.input.begin(), one.input.end());
  model.add_input("x", shape, "");
  const bool of_support = mode == "per_task_running" && !known;
  if (of_support) model.add_input("support", shape, "");
  const std::string out =
      add_network(model, {layers, params, parse_batch_norm_mode(mode), known ? pass.use : nullptr}, "x",
                  of_support ? "support" : "");
  model.add("Identity", {out}, {}, "y");
  model.add_output("y", {"N", y.size(1)}, "");
  const std::string name = (folder / concat(config.name, "_", mode, "_", known, "_", one.input.back(), "_",
                                            outputs, "_", network->size().parameters))
                               .string();
  write_file_atomically(name + ".onnx", model.format(config.name, {}));
  NpzFile npz(name + ".npz");
  add(npz, "x", x[0]);
  if (of_support) add(npz, "support", support[0]);
  add(npz, "y", y);
  npz.finish();
  return {name + ".onnx", name + ".npz"};
}

// A sine network, or a policy, of the library, ready to be exported.
SupervisedMetaConfig sine_config() {
  SupervisedMetaConfig config;
  config.network.own.set("hidden", "8,8");
  return config;
}

// Models and what they must compute, file after file. Of each output that agrees a line; 0 if nothing was
// run, which it says.
size_t agreed_in_onnxruntime(const std::vector<std::string>& pairs) {
  const std::string missing = missing_python("numpy, onnx, onnxruntime");
  if (!missing.empty()) {
    WARN(missing);
    return 0;
  }
  const auto outcome = run_script("tests/runners/compare_onnx.py", pairs);
  INFO(outcome.output);
  CHECK(outcome.code == 0);
  return static_cast<size_t>(std::count(outcome.output.begin(), outcome.output.end(), '\n'));
}

}  // namespace

TEST_CASE("onnxruntime computes every network in every mode of its batch normalisation", "[export]") {
  const TemporaryFolder folder;
  std::vector<std::string> pairs, told;
  for (const auto& one : network_forms()) {
    using Mode = std::pair<std::string, bool>;
    const std::vector<Mode> modes = one.config.batch_norm == "none"
                                        ? std::vector<Mode>{{"none", false}}
                                        : std::vector<Mode>{{"batch", false},
                                                            {"per_task_running", false},
                                                            {"per_task_running", true},
                                                            {"global_running", true}};
    for (const auto& [mode, known] : modes) {
      for (const int64_t outputs : {3, 0}) {
        for (const auto& file : write_case(folder, one, mode, known, outputs)) pairs.push_back(file);
      }
    }
    told.push_back(one.config.name);
  }
  for (const auto& network : networks()) CHECK(std::count(told.begin(), told.end(), network.name) > 0);
  const size_t agreed = agreed_in_onnxruntime(pairs);
  CHECK((agreed == 0 || agreed == pairs.size() / 2));
}

TEST_CASE("onnxruntime computes the mean action of a Gaussian policy and the choices of a categorical one",
          "[export]") {
  const TemporaryFolder folder;
  ThreadPool pool(1);
  std::vector<std::string> pairs;
  for (const auto& [environment, kind] :
       {std::pair("navigation_2d", "gaussian_mlp"), std::pair("navigation_2d_discrete", "categorical_mlp")}) {
    ExperimentConfig config;
    config.learner.environment.name = environment;
    config.learner.policy.name = kind;
    config.learner.policy.hidden = {9, 7};
    const auto learner = make_policy_learner(config.learner, find_algorithm("maml"), pool);
    Stream stream(StreamKey{.seed = 3});
    const Params params = moved(exported_start(*learner, config), stream);
    const std::string name = (folder / environment).string();
    write_file_atomically(name + ".onnx", policy_onnx(*learner, config, params, {}));
    const auto policy = make_policy(config.learner.policy, learner->environment());
    const Tensor x = drawn(stream, {1, 11, learner->environment().observation_size});
    const Tensor distribution = (*policy)(params, x)[0];
    NpzFile npz(name + ".npz");
    add(npz, "observation", x[0]);
    if (std::string(kind) == "gaussian_mlp") {
      add(npz, "mean", distribution.narrow(1, 0, 2));
    } else {
      add(npz, "logits", distribution);
      add(npz, "probabilities", torch::softmax(distribution, 1));
    }
    npz.finish();
    pairs.insert(pairs.end(), {name + ".onnx", name + ".npz"});
  }
  const size_t agreed = agreed_in_onnxruntime(pairs);
  CHECK((agreed == 0 || agreed == 3));  // a mean; logits and probabilities
}

TEST_CASE("a model says in its own fields what made it and what it is", "[export]") {
  ThreadPool pool(1);
  ExperimentConfig config;
  config.side = Side::kSupervised;
  config.supervised = sine_config();
  const SupervisedMetaLearner learner(config.supervised, find_algorithm("maml"), pool);
  require_one_pass(learner, config, /*adapted=*/false);
  const std::string bytes = network_onnx(learner, config, exported_start(learner, config), {},
                                         {{"run", "mine"}, {"algorithm", "maml"}});
  CHECK(bytes == network_onnx(learner, config, exported_start(learner, config), {},
                              {{"run", "mine"}, {"algorithm", "maml"}}));
  protozero::pbf_reader model(bytes);
  std::string producer, graph;
  std::map<std::string, std::string> metadata;
  while (model.next()) {
    if (model.tag() == 2) {
      producer = model.get_string();
    } else if (model.tag() == 7) {
      graph = model.get_string();
    } else if (model.tag() == 14) {
      protozero::pbf_reader entry(model.get_view());
      std::string key, value;
      while (entry.next()) {
        auto& field =
            entry.tag() == 1 ? key : value;  // asked before: reading ends it in builds with assertions
        field = entry.get_string();
      }
      metadata[key] = value;
    } else {
      model.skip();
    }
  }
  CHECK(producer == "innerloop");
  CHECK(metadata.at("run") == "mine");
  CHECK_THAT(metadata.at("output"), contains("y [N, 1]"));
  std::vector<std::string> operators;
  size_t constants = 0;
  protozero::pbf_reader reader(graph);
  while (reader.next()) {
    constants += reader.tag() == 5;
    if (reader.tag() != 1) {
      reader.skip();
      continue;
    }
    protozero::pbf_reader node(reader.get_view());
    while (node.next()) {
      if (node.tag() == 4) {
        operators.push_back(node.get_string());
      } else {
        node.skip();
      }
    }
  }
  CHECK(operators == std::vector<std::string>{"Flatten", "Gemm", "Relu", "Gemm", "Relu", "Gemm", "Identity"});
  CHECK(constants == 6);
}

TEST_CASE("an algorithm that predicts by more than one pass of its network has no model", "[export]") {
  ThreadPool pool(1);
  const auto tried = [&](const std::string& algorithm, bool adapted) {
    ExperimentConfig config;
    config.side = Side::kSupervised;
    config.supervised = sine_config();
    config.supervised.inner.steps = 1;
    const SupervisedMetaLearner learner(config.supervised, find_algorithm(algorithm), pool);
    ExperimentConfig named = config;
    named.supervised.algorithm.name = algorithm;
    require_one_pass(learner, named, adapted);
  };
  for (const auto* fits :
       {"maml", "meta_sgd", "cavia", "maml_plus_plus", "anil", "reptile", "alfa", "t_net"}) {
    INFO(fits);
    CHECK_NOTHROW(tried(fits, false));
  }
  for (const auto* more : {"bmaml", "emaml_ensemble"}) {
    INFO(more);
    REQUIRE_THROWS_WITH(tried(more, true), contains(concat("algorithm ", more)) &&
                                               contains("more than one pass") && contains("safetensors"));
  }
}
