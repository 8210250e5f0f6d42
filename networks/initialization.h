// Random initial weights, [1, ...] float32; the stream decides all.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// U(-a, a), a = sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010).
torch::Tensor xavier_uniform(Stream& stream, at::IntArrayRef shape, int64_t fan_in, int64_t fan_out);

// N(0, std^2), drawn again beyond two standard deviations (tf.truncated_normal): the standard deviation of
// what comes out is 0.880 std.
torch::Tensor truncated_normal(Stream& stream, at::IntArrayRef shape, double std);

torch::Tensor normal_weights(Stream& stream, at::IntArrayRef shape, double std);

// A convolution's kernels, [1, size, size, in, out] (height, width, in, out), xavier-uniform: a fan counts
// size * size * channels.
torch::Tensor initial_kernels(Stream& stream, int64_t size, int64_t in, int64_t out);

// The weights of the last linear layer, [1, outputs, inputs], by NetworkConfig::initialization.
torch::Tensor initial_last_layer(const std::string& initialization, Stream& stream, int64_t outputs,
                                 int64_t inputs);

// UsageError for a name that is not one of NetworkConfig::initialization.
void check_initialization(const std::string& name);

}  // namespace innerloop
