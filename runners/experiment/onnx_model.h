// An ONNX model in the making: a graph of operators on float32 tensors, and the bytes of its file (a message
// ModelProto of onnx.proto3, https://github.com/onnx/onnx; operators of its set 17). No torch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace innerloop {

// A dimension of an input or output: a number, or the name of one that the user chooses ("N").
using OnnxDimension = std::variant<int64_t, std::string>;

struct OnnxAttribute {
  std::string name;
  std::variant<int64_t, float, std::vector<int64_t>> value;
};

class OnnxModel {
 public:
  void add_input(const std::string& name, std::vector<OnnxDimension> shape, const std::string& meaning);
  void add_output(const std::string& name, std::vector<OnnxDimension> shape, const std::string& meaning);

  // A tensor of the file itself, row-major; the first of a name stays.
  void add_constant(const std::string& name, std::vector<int64_t> shape, const std::vector<float>& values);

  // One operator; gives `output` its value, or a name of its own if that is empty. Returns the name.
  std::string add(const std::string& op, std::vector<std::string> inputs,
                  std::vector<OnnxAttribute> attributes = {}, const std::string& output = "");

  // The file. The same content gives the same bytes; `metadata` are its metadata_props.
  std::string format(const std::string& graph_name, const std::map<std::string, std::string>& metadata) const;

 private:
  struct Value {
    std::string name, meaning;
    std::vector<OnnxDimension> shape;
  };
  struct Constant {
    std::string name;
    std::vector<int64_t> shape;
    std::string bytes;
  };
  struct Node {
    std::string op, output;
    std::vector<std::string> inputs;
    std::vector<OnnxAttribute> attributes;
  };

  std::string graph(const std::string& name) const;
  static std::string value_info(const Value& value);
  static std::string node(const Node& node);
  static std::string attribute(const OnnxAttribute& attribute);

  std::vector<Value> inputs_, outputs_;
  std::vector<Constant> constants_;
  std::vector<Node> nodes_;
};

}  // namespace innerloop
