// T-nets (Lee and Choi, "Gradient-based meta-learning with learned layerwise metric and subspace", ICML 2018,
// section 4.1; code: yoonholee/MT-net): every layer is followed by a learned linear transform, which the
// inner loop leaves as it is and which so bends the metric of its steps.
//
//   y = T (W x + b) in the place of W x + b;   W, b <- W, b - alpha grad L_support;
//   T: the outer loop's alone
//
// T is "transform.LAYER" [1, out, out], the identity at first, of every fully connected and convolutional
// layer, the last one included; behind a convolution it acts on the channels (a 1 x 1 convolution), before
// the normalisation. As T and W are both linear the network reads T W and T b: a map between parameters, with
// the network's own kernels.
//
// W's outputs are rows here and columns in the code, whose T is this one's transpose. A convolution has no
// bias here, and normalisation would take it away.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "meta/algorithm.h"
#include "meta/parameter_map.h"

namespace innerloop {

Algorithm t_net();

// Layer of an entry of a fully connected or convolutional layer ("conv1" of "conv1.weight"), and its number
// of outputs; "" for other entries (shifts and scales of normalisation, a policy's log standard deviation).
struct LayerOf {
  std::string name;
  int64_t outputs = 0;
};
LayerOf layer_of(const std::string& entry, const torch::Tensor& value);

// The network's parameters [1, ...] with the transforms of their layers, and what the network reads of such.
Params with_transforms(const Params& network);
std::shared_ptr<const ParameterMap> transformed_layers();

}  // namespace innerloop
