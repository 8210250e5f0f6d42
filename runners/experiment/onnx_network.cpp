#include "runners/experiment/onnx_network.h"

#include <map>
#include <utility>

#include "base/error.h"
#include "networks/batch_norm.h"

namespace innerloop {
namespace {

using torch::Tensor;
using Names = std::vector<std::string>;
using Ints = std::vector<int64_t>;

std::vector<float> onnx_values(const Tensor& tensor) {
  const Tensor flat = tensor.detach().to(torch::kCPU).to(torch::kFloat32).contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

struct Statistics {
  std::string mean, variance;  // values [1, C] or [1, C, 1, 1]
};

// One way of samples through the layers.
class OnnxWalk {
 public:
  // `use`: statistics by layer instead of the samples' own; null: their own.
  OnnxWalk(OnnxModel& model, const OnnxSource& source, const std::map<int64_t, Statistics>* use)
      : model_(model), source_(source), use_(use) {}

  std::string run(const std::string& input) {
    values_ = {input};
    for (const auto& node : source_.layers.nodes()) {
      Names inputs;
      for (const size_t value : node.inputs) inputs.push_back(values_.at(value));
      values_.push_back(std::visit([&](const auto& layer) { return add(layer, inputs); }, node.layer));
    }
    return values_.back();
  }
  const std::map<int64_t, Statistics>& found() const { return found_; }

 private:
  std::string add(const layers::Flatten& layer, const Names& in) {
    Names from = in;
    if (layer.channels_last) from = {model_.add("Transpose", in, {{"perm", Ints{0, 2, 3, 1}}})};
    images_ = false;
    return model_.add("Flatten", from, {{"axis", int64_t{1}}});
  }

  std::string add(const layers::Linear& layer, const Names& in) {
    Names from{in[0], constant(layer.weight, entry(layer.weight))};
    if (!layer.bias.empty()) from.push_back(constant(layer.bias, entry(layer.bias)));
    return model_.add("Gemm", from, {{"transB", int64_t{1}}});
  }

  std::string add(const layers::Convolution& layer, const Names& in) {
    images_ = true;
    const Tensor kernels = entry(layer.weight).permute({3, 2, 0, 1});  // [out, in, height, width]
    Names inputs{in[0], constant(layer.weight, kernels)};
    if (!layer.bias.empty()) inputs.push_back(constant(layer.bias, entry(layer.bias)));
    return model_.add(
        "Conv", inputs,
        {{"kernel_shape", Ints{kernels.size(2), kernels.size(3)}},
         {"strides", Ints{layer.stride, layer.stride}},
         {"pads", Ints{layer.rows.first, layer.columns.first, layer.rows.second, layer.columns.second}}});
  }

  std::string add(const layers::BatchNorm& layer, const Names& in) {
    require(source_.mode != BatchNormMode::kNone,
            "onnx: a network with batch normalisation and no mode of it");
    const auto bias = norm_name(layer.layer, "bias"), weight = norm_name(layer.layer, "weight");
    if (source_.statistics != nullptr) return add_fixed(layer, in[0]);
    const Statistics statistics = use_ != nullptr ? use_->at(layer.layer) : own(layer.layer, in[0]);
    const std::string centred = model_.add("Sub", {in[0], statistics.mean});
    model_.add_constant("epsilon", {}, {static_cast<float>(kBatchNormEpsilon)});
    const std::string spread = model_.add("Sqrt", {model_.add("Add", {statistics.variance, "epsilon"})});
    std::string out = model_.add("Div", {centred, spread});
    if (layer.scale) out = model_.add("Mul", {out, constant(weight, per_channel(entry(weight)))});
    return model_.add("Add", {out, constant(bias, per_channel(entry(bias)))});
  }

  // By averages that are constants.
  std::string add_fixed(const layers::BatchNorm& layer, const std::string& in) {
    const auto name = [&](const char* what) { return norm_name(layer.layer, what); };
    const Tensor bias = entry(name("bias"));
    const Tensor scale = layer.scale ? entry(name("weight")) : torch::ones_like(bias);
    return model_.add("BatchNormalization",
                      {in, constant(name("weight"), scale), constant(name("bias"), bias),
                       constant(name("mean"), source_.statistics->at(name("mean"))[0]),
                       constant(name("variance"), source_.statistics->at(name("variance"))[0])},
                      {{"epsilon", static_cast<float>(kBatchNormEpsilon)}});
  }

  // Mean and biased variance of the samples.
  Statistics own(int64_t layer, const std::string& in) {
    const std::vector<OnnxAttribute> over{{"axes", images_ ? Ints{0, 2, 3} : Ints{0}},
                                          {"keepdims", int64_t{1}}};
    const std::string mean = model_.add("ReduceMean", {in}, over);
    const std::string centred = model_.add("Sub", {in, mean});
    const std::string variance = model_.add("ReduceMean", {model_.add("Mul", {centred, centred})}, over);
    return found_[layer] = {mean, variance};
  }

  std::string add(const layers::Activate& layer, const Names& in) {
    return model_.add(layer.by == Activation::kTanh ? "Tanh" : "Relu", in);
  }
  std::string add(const layers::LeakyRelu& layer, const Names& in) {
    return model_.add("LeakyRelu", in, {{"alpha", static_cast<float>(layer.slope)}});
  }
  std::string add(const layers::Sigmoid&, const Names& in) { return model_.add("Sigmoid", in); }
  std::string add(const layers::MaxPool&, const Names& in) {
    return model_.add("MaxPool", in, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
  }
  std::string add(const layers::MeanPixels&, const Names& in) {
    images_ = false;
    return model_.add("ReduceMean", in, {{"axes", Ints{2, 3}}, {"keepdims", int64_t{0}}});
  }
  std::string add(const layers::Add&, const Names& in) { return model_.add("Add", in); }

  // One task's.
  Tensor entry(const std::string& name) const { return source_.params.at(name)[0]; }
  Tensor per_channel(const Tensor& value) const {
    return images_ ? value.view({1, -1, 1, 1}) : value.view({1, -1});
  }
  std::string constant(const std::string& name, const Tensor& value) {
    model_.add_constant(name, value.sizes().vec(), onnx_values(value));
    return name;
  }

  OnnxModel& model_;
  const OnnxSource& source_;
  const std::map<int64_t, Statistics>* use_;
  std::map<int64_t, Statistics> found_;
  std::vector<std::string> values_;
  bool images_ = false;  // whether the value in hand has height and width
};

}  // namespace

std::string add_network(OnnxModel& model, const OnnxSource& source, const std::string& input,
                        const std::string& support) {
  const bool finds_support = source.mode == BatchNormMode::kPerTaskRunning && source.statistics == nullptr;
  require(finds_support == !support.empty(),
          "onnx: per_task_running without constants, and it alone, takes statistics from support samples");
  require(source.mode != BatchNormMode::kGlobalRunning || source.statistics != nullptr,
          "onnx: global_running without the averages over training");
  require(source.mode != BatchNormMode::kBatch || source.statistics == nullptr,
          "onnx: batch statistics are those of the samples, not constants");
  if (support.empty()) return OnnxWalk(model, source, nullptr).run(input);
  OnnxWalk of_support(model, source, nullptr);
  of_support.run(support);
  return OnnxWalk(model, source, &of_support.found()).run(input);
}

}  // namespace innerloop
