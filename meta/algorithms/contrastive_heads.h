// The losses of contrastive.h on two views of the images of a mini-batch: first and second [T, n, d], row i
// of both of image i. Each gives [T], in operations differentiable twice; u(z) = z / |z| (unit_rows).
#pragma once

#include "meta/pair_similarity.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// Of all 2 n rows z: logits scale u(z_i)'u(z_j), j != i; the cross-entropy of the other view of the same
// image, mean over rows.
torch::Tensor nt_xent_loss(const torch::Tensor& first, const torch::Tensor& second, double scale);

// With v(z) = u(z) / sqrt(temperature): logits -|v(second_i) - v(first_j)|^2; the cross-entropy of j = i,
// mean over the second views.
torch::Tensor prototype_loss(const torch::Tensor& first, const torch::Tensor& second, double temperature);

// The ridge regression W = S'(SS' + lambda I)^-1 from S = v(first) to the image's number as one of n, without
// a bias; logits v(second) W, and the same cross-entropy.
torch::Tensor ridge_loss(const torch::Tensor& first, const torch::Tensor& second, double temperature,
                         double lambda);

}  // namespace innerloop
