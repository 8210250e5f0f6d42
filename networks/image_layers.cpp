#include "networks/image_layers.h"

#include <vector>

namespace innerloop {
namespace {

using torch::Tensor;

// Task by task: every task convolves with kernels of its own.
Tensor convolve(const Tensor& x, const Tensor& kernels, int64_t stride, int64_t padding) {
  const auto oihw = kernels.permute({0, 4, 3, 1, 2});
  std::vector<Tensor> out;
  for (int64_t t = 0; t < x.size(0); ++t) {
    out.push_back(torch::conv2d(x[t], oihw[t], {}, stride, padding));
  }
  return out.size() == 1 ? out[0].unsqueeze(0) : torch::stack(out);
}

}  // namespace

// The formula is 2 for an odd n, 1 for an even one.
SamePadding same_padding(int64_t n) { return {n % 2, 1}; }

Tensor convolution(const Tensor& x, const Tensor& kernels, int64_t padding) {
  return convolve(x, kernels, 1, padding);
}

Tensor strided_convolution(const Tensor& x, const Tensor& kernels) {
  const auto rows = same_padding(x.size(3)), columns = same_padding(x.size(4));
  const auto padded = torch::constant_pad_nd(x, {columns.before, columns.after, rows.before, rows.after}, 0);
  return convolve(padded, kernels, 2, 0);
}

Tensor max_pool(const Tensor& x) {
  const auto pooled = torch::max_pool2d(x.flatten(0, 1), 2);
  return pooled.unflatten(0, {x.size(0), x.size(1)});
}

Tensor linear(const Tensor& features, const Tensor& weight, const Tensor& bias) {
  return torch::baddbmm(bias.unsqueeze(1), features, weight.transpose(1, 2));
}

}  // namespace innerloop
