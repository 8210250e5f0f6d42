#include "meta/algorithms/contrastive_heads.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/eye.h>

#include <cmath>

#include "meta/algorithms/r2d2.h"

namespace innerloop {
namespace {

using torch::Tensor;

// logits [T, rows, n], class i of row i mod n and shifted by `from` -> the mean cross-entropy, [T].
Tensor own_image_loss(const Tensor& logits, const Tensor& target) {
  const Tensor log_p = torch::log_softmax(logits, 2);
  return -log_p.gather(2, target.view({1, -1, 1}).expand({logits.size(0), -1, 1})).mean({1, 2});
}

Tensor numbers_of(const Tensor& z) { return torch::arange(z.size(1), torch::kInt64); }

}  // namespace

Tensor nt_xent_loss(const Tensor& first, const Tensor& second, double scale) {
  constexpr double kItself = -1e9;
  const Tensor z = unit_rows(torch::cat({first, second}, 1));
  const Tensor logits = scale * z.matmul(z.transpose(1, 2)) + kItself * torch::eye(z.size(1), z.options());
  const Tensor images = numbers_of(first);
  return own_image_loss(logits, torch::cat({images + first.size(1), images}));
}

Tensor prototype_loss(const Tensor& first, const Tensor& second, double temperature) {
  const Tensor prototypes = unit_rows(first), queries = unit_rows(second);
  const Tensor squared = queries.square().sum(2, true) + prototypes.square().sum(2).unsqueeze(1) -
                         2 * queries.matmul(prototypes.transpose(1, 2));
  return own_image_loss(-squared / temperature, numbers_of(first));
}

Tensor ridge_loss(const Tensor& first, const Tensor& second, double temperature, double lambda) {
  const double root = std::sqrt(temperature);
  const Tensor y = torch::eye(first.size(1), first.options()).expand({first.size(0), -1, -1});
  const Tensor w =
      ridge_regression(unit_rows(first) / root, y, torch::full({1, 1, 1}, lambda, first.options()));
  return own_image_loss((unit_rows(second) / root).matmul(w), numbers_of(first));
}

}  // namespace innerloop
