// What a network computes, told as a list of layers, for those who build the same network elsewhere (ONNX).
// No torch: names of entries stand for weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "networks/activation.h"

namespace innerloop {

class Network;

// Shapes without the task dimension: samples [N, ...], images [N, channels, height, width]. Entries are named
// as in Params and have the shapes that the network's header tells.
namespace layers {

struct Flatten {               // [N, ...] -> [N, F]
  bool channels_last = false;  // in the order height, width, channel; else as they lie
};
struct Linear {  // y = W x + b; `bias` "": none
  std::string weight, bias;
};
struct Convolution {  // kernels [size, size, in, out]; zeros around the image; `bias` "": none
  std::string weight;
  int64_t stride = 1;
  std::pair<int64_t, int64_t> rows, columns;  // so many before and after
  std::string bias = {};
};
struct BatchNorm {  // networks/batch_norm.h; norm{layer}.bias, and norm{layer}.weight if `scale`
  int64_t layer = 0;
  bool scale = false;
};
struct Activate {
  Activation by = Activation::kRelu;
};
struct LeakyRelu {
  double slope = 0.1;
};
struct Sigmoid {};
struct MaxPool {};     // 2 x 2, stride 2, VALID
struct MeanPixels {};  // [N, C, H, W] -> [N, C]
struct Add {};         // of two

}  // namespace layers

using Layer =
    std::variant<layers::Flatten, layers::Linear, layers::Convolution, layers::BatchNorm, layers::Activate,
                 layers::LeakyRelu, layers::Sigmoid, layers::MaxPool, layers::MeanPixels, layers::Add>;

// Values 0, 1, ...: the input, then what each layer gives. The last is the network's output.
class LayerGraph {
 public:
  struct Node {
    Layer layer;
    std::vector<size_t> inputs;  // values
  };

  size_t input() const { return 0; }
  size_t add(Layer layer, std::vector<size_t> inputs) {
    nodes_.push_back({std::move(layer), std::move(inputs)});
    return nodes_.size();
  }
  const std::vector<Node>& nodes() const { return nodes_; }

 private:
  std::vector<Node> nodes_;
};

// A network that tells its layers: a second base of it, beside Network.
class TellsLayers {
 public:
  virtual ~TellsLayers() = default;
  virtual LayerGraph layers() const = 0;
};

// Error if the network does not tell them; `name` is that of the table.
LayerGraph layers_of(const Network& network, const std::string& name);

}  // namespace innerloop
