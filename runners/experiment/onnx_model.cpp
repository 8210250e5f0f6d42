#include "runners/experiment/onnx_model.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <protozero/pbf_writer.hpp>

#include "base/error.h"
#include "base/paths.h"

namespace innerloop {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data of onnx.proto is little-endian");

constexpr int64_t kIrVersion = 8, kOperatorSet = 17;
constexpr size_t kLargestMessage = size_t{1} << 31;  // bytes: what readers of protocol buffers take

// Numbers of the fields and of the enumerations in onnx.proto.
namespace model_proto {
enum : uint32_t {
  kVersion = 1,
  kProducer = 2,
  kProducerVersion = 3,
  kGraph = 7,
  kOperators = 8,
  kMetadata = 14
};
}
namespace graph_proto {
enum : uint32_t { kNode = 1, kName = 2, kInitializer = 5, kInput = 11, kOutput = 12 };
}
namespace node_proto {
enum : uint32_t { kInput = 1, kOutput = 2, kName = 3, kOp = 4, kAttribute = 5 };
}
namespace attribute_proto {
enum : uint32_t { kName = 1, kFloat = 2, kInt = 3, kInts = 8, kType = 20 };
enum : int32_t { kTypeFloat = 1, kTypeInt = 2, kTypeInts = 7 };
}  // namespace attribute_proto
namespace tensor_proto {
enum : uint32_t { kDims = 1, kDataType = 2, kName = 8, kRawData = 9 };
enum : int32_t { kFloat = 1 };
}  // namespace tensor_proto
namespace value_info_proto {
enum : uint32_t { kName = 1, kType = 2, kDoc = 3 };
}
namespace type_proto {
enum : uint32_t { kTensor = 1, kElement = 1, kShape = 2, kDimension = 1, kValue = 1, kParameter = 2 };
}
namespace entry_proto {  // StringStringEntryProto
enum : uint32_t { kKey = 1, kValue = 2 };
}
namespace operator_set_proto {
enum : uint32_t { kVersion = 2 };
}

}  // namespace

void OnnxModel::add_input(const std::string& name, std::vector<OnnxDimension> shape,
                          const std::string& meaning) {
  inputs_.push_back({name, meaning, std::move(shape)});
}

void OnnxModel::add_output(const std::string& name, std::vector<OnnxDimension> shape,
                           const std::string& meaning) {
  outputs_.push_back({name, meaning, std::move(shape)});
}

void OnnxModel::add_constant(const std::string& name, std::vector<int64_t> shape,
                             const std::vector<float>& values) {
  for (const auto& known : constants_) {
    if (known.name == name) return;
  }
  std::string bytes(values.size() * sizeof(float), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  constants_.push_back({name, std::move(shape), std::move(bytes)});
}

std::string OnnxModel::add(const std::string& op, std::vector<std::string> inputs,
                           std::vector<OnnxAttribute> attributes, const std::string& output) {
  Node made{op, output.empty() ? concat(op, "_", nodes_.size()) : output, std::move(inputs),
            std::move(attributes)};
  nodes_.push_back(std::move(made));
  return nodes_.back().output;
}

std::string OnnxModel::attribute(const OnnxAttribute& attribute) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  writer.add_string(attribute_proto::kName, attribute.name);
  if (const auto* number = std::get_if<int64_t>(&attribute.value)) {
    writer.add_int64(attribute_proto::kInt, *number);
    writer.add_enum(attribute_proto::kType, attribute_proto::kTypeInt);
  } else if (const auto* real = std::get_if<float>(&attribute.value)) {
    writer.add_float(attribute_proto::kFloat, *real);
    writer.add_enum(attribute_proto::kType, attribute_proto::kTypeFloat);
  } else {
    for (const int64_t one : std::get<std::vector<int64_t>>(attribute.value))
      writer.add_int64(attribute_proto::kInts, one);
    writer.add_enum(attribute_proto::kType, attribute_proto::kTypeInts);
  }
  return bytes;
}

std::string OnnxModel::node(const Node& node) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  for (const auto& input : node.inputs) writer.add_string(node_proto::kInput, input);
  writer.add_string(node_proto::kOutput, node.output);
  writer.add_string(node_proto::kName, node.output);
  writer.add_string(node_proto::kOp, node.op);
  for (const auto& one : node.attributes) writer.add_message(node_proto::kAttribute, attribute(one));
  return bytes;
}

std::string OnnxModel::value_info(const Value& value) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  writer.add_string(value_info_proto::kName, value.name);
  {
    protozero::pbf_writer type(writer, value_info_proto::kType);
    protozero::pbf_writer tensor(type, type_proto::kTensor);
    tensor.add_int32(type_proto::kElement, tensor_proto::kFloat);
    protozero::pbf_writer shape(tensor, type_proto::kShape);
    for (const auto& dimension : value.shape) {
      protozero::pbf_writer one(shape, type_proto::kDimension);
      if (const auto* name = std::get_if<std::string>(&dimension)) {
        one.add_string(type_proto::kParameter, *name);
      } else {
        one.add_int64(type_proto::kValue, std::get<int64_t>(dimension));
      }
    }
  }
  writer.add_string(value_info_proto::kDoc, value.meaning);
  return bytes;
}

std::string OnnxModel::graph(const std::string& name) const {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  for (const auto& one : nodes_) writer.add_message(graph_proto::kNode, node(one));
  writer.add_string(graph_proto::kName, name);
  for (const auto& constant : constants_) {
    protozero::pbf_writer tensor(writer, graph_proto::kInitializer);
    for (const int64_t size : constant.shape) tensor.add_int64(tensor_proto::kDims, size);
    tensor.add_int32(tensor_proto::kDataType, tensor_proto::kFloat);
    tensor.add_string(tensor_proto::kName, constant.name);
    tensor.add_bytes(tensor_proto::kRawData, constant.bytes);
  }
  for (const auto& input : inputs_) writer.add_message(graph_proto::kInput, value_info(input));
  for (const auto& output : outputs_) writer.add_message(graph_proto::kOutput, value_info(output));
  return bytes;
}

std::string OnnxModel::format(const std::string& graph_name,
                              const std::map<std::string, std::string>& metadata) const {
  size_t tensors = 0;
  for (const auto& constant : constants_) tensors += constant.bytes.size();
  require(tensors < kLargestMessage / 2, "onnx: the weights take ", tensors,
          " bytes; a file of this format holds less than 1 GiB here (safetensors takes them)");
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  writer.add_int64(model_proto::kVersion, kIrVersion);
  writer.add_string(model_proto::kProducer, "innerloop");
  writer.add_string(model_proto::kProducerVersion, version());
  writer.add_message(model_proto::kGraph, graph(graph_name));
  {
    protozero::pbf_writer operators(writer, model_proto::kOperators);
    operators.add_int64(operator_set_proto::kVersion, kOperatorSet);
  }
  for (const auto& [key, value] : metadata) {
    protozero::pbf_writer entry(writer, model_proto::kMetadata);
    entry.add_string(entry_proto::kKey, key);
    entry.add_string(entry_proto::kValue, value);
  }
  return bytes;
}

}  // namespace innerloop
