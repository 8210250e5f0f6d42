#include "networks/batch_norm.h"

#include "base/error.h"

namespace innerloop {

using torch::Tensor;

std::string norm_name(int64_t layer, const std::string& entry) { return concat("norm", layer, ".", entry); }

Params initial_statistics(int64_t first, const std::vector<int64_t>& channels) {
  std::vector<Params::Entry> entries;
  for (const auto count : channels) {
    entries.push_back({norm_name(first, "mean"), torch::zeros({1, count})});
    entries.push_back({norm_name(first++, "variance"), torch::ones({1, count})});
  }
  return Params(std::move(entries));
}

Tensor batch_norm(const Params& params, const Tensor& x, int64_t layer, const Pass& pass) {
  require(x.dim() == 3 || x.dim() == 5, "batch norm ", layer, ": input of shape ", x.sizes(),
          ", expected [T, N, C] or [T, N, C, H, W]");
  const int64_t channels = x.size(2);
  const auto over = x.dim() == 3 ? std::vector<int64_t>{1} : std::vector<int64_t>{1, 3, 4};
  const auto per_channel = [&](const Tensor& t) {  // [T, C] as [T, 1, C, ...]
    require(t.dim() == 2 && (t.size(0) == x.size(0) || t.size(0) == 1) && t.size(1) == channels,
            "batch norm ", layer, ": shift, scale or statistics of shape ", t.sizes(), ", expected [",
            x.size(0), ", ", channels, "]");
    return x.dim() == 3 ? t.view({-1, 1, channels}) : t.view({-1, 1, channels, 1, 1});
  };
  Tensor centred, variance;
  if (pass.use == nullptr || pass.found != nullptr) {
    const auto mean = x.mean(over, /*keepdim=*/true);
    centred = x - mean;
    variance = centred.square().mean(over, /*keepdim=*/true);
    if (pass.found != nullptr) {
      *pass.found =
          pass.found->joined(Params({{norm_name(layer, "mean"), mean.reshape({-1, channels})},
                                     {norm_name(layer, "variance"), variance.reshape({-1, channels})}}));
    }
  }
  if (pass.use != nullptr) {
    centred = x - per_channel(pass.use->at(norm_name(layer, "mean")));
    variance = per_channel(pass.use->at(norm_name(layer, "variance")));
  }
  auto factor = torch::rsqrt(variance + kBatchNormEpsilon);
  const auto scale = norm_name(layer, "weight");
  if (params.contains(scale)) factor = factor * per_channel(params.at(scale));
  return centred * factor + per_channel(params.at(norm_name(layer, "bias")));
}

}  // namespace innerloop
