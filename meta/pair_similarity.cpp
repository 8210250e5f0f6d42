#include "meta/pair_similarity.h"

namespace innerloop {
namespace {

using torch::Tensor;

Tensor cosine(const Tensor& a, const Tensor& b) { return unit_rows(a).matmul(unit_rows(b).transpose(1, 2)); }

}  // namespace

Tensor PairSimilarity::similarity(const Params&, const Tensor& a, const Tensor& b) const {
  return cosine(a, b);
}

Tensor unit_rows(const Tensor& x) {
  constexpr double kLeast = 1e-12;  // of |x|^2: a gradient is finite there too
  return x * x.square().sum(-1, /*keepdim=*/true).clamp_min(kLeast).rsqrt();
}

Tensor embedding_of(const Method& method, const Params& meta, const Tensor& x, const Pass& pass) {
  const torch::NoGradGuard no_graph;
  if (const auto* own = dynamic_cast<const PairSimilarity*>(&method)) return own->embedding(meta, x, pass);
  return method.network(/*training=*/false).features(method.initialisation(meta), x, pass);
}

Tensor similarity_of(const Method& method, const Params& meta, const Tensor& a, const Tensor& b) {
  const torch::NoGradGuard no_graph;
  const auto* own = dynamic_cast<const PairSimilarity*>(&method);
  return own != nullptr ? own->similarity(meta, a, b) : cosine(a, b);
}

}  // namespace innerloop
