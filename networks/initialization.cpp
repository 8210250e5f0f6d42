#include "networks/initialization.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "networks/network_config.h"

namespace innerloop {
namespace {

constexpr double kTruncatedStd = 0.01;  // cbfinn/maml, utils.py and maml.py: construct_fc_weights

template <class Draw>
torch::Tensor filled(at::IntArrayRef shape, const Draw& draw) {
  auto out = torch::empty(shape, torch::kFloat32);
  auto* data = out.data_ptr<float>();
  for (int64_t i = 0; i < out.numel(); ++i) data[i] = static_cast<float>(draw());
  return out;
}

}  // namespace

torch::Tensor xavier_uniform(Stream& stream, at::IntArrayRef shape, int64_t fan_in, int64_t fan_out) {
  const double bound = std::sqrt(6.0 / static_cast<double>(fan_in + fan_out));
  return filled(shape, [&] { return stream.uniform(-bound, bound); });
}

torch::Tensor truncated_normal(Stream& stream, at::IntArrayRef shape, double std) {
  return filled(shape, [&] {
    double z = stream.normal();
    while (std::abs(z) > 2) z = stream.normal();
    return std * z;
  });
}

torch::Tensor normal_weights(Stream& stream, at::IntArrayRef shape, double std) {
  return filled(shape, [&] { return std * stream.normal(); });
}

torch::Tensor initial_kernels(Stream& stream, int64_t size, int64_t in, int64_t out) {
  return xavier_uniform(stream, {1, size, size, in, out}, size * size * in, size * size * out);
}

torch::Tensor initial_last_layer(const std::string& initialization, Stream& stream, int64_t outputs,
                                 int64_t inputs) {
  check_initialization(initialization);
  const std::vector<int64_t> shape{1, outputs, inputs};
  if (initialization == "truncated_normal") return truncated_normal(stream, shape, kTruncatedStd);
  if (initialization == "normal") return normal_weights(stream, shape, 1);
  return xavier_uniform(stream, shape, inputs, outputs);
}

void check_initialization(const std::string& name) {
  require_usage(std::find(kInitializations.begin(), kInitializations.end(), name) != kInitializations.end(),
                unknown_name("initialization", name, kInitializations));
}

}  // namespace innerloop
