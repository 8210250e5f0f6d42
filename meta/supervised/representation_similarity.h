// How alike two representations of the same samples are, whatever the axes that they are written in.
//
//   linear CKA   |Y^T X|_F^2 / (|X^T X|_F |Y^T Y|_F), columns centred (Kornblith et al. 2019, section 3): 1
//                for Y = s X R with a rotation R and a scale s; directions count by their variance
//   mean CCA     the mean of the canonical correlations of X and Y, each first reduced to the directions that
//                explain `variance` of its own (SVCCA; Raghu et al. 2017, section 2): all directions that are
//                left count alike. Without the reduction 1 for Y = X A with any invertible A
//
// A sample is a row. Both lie in [0, 1].
#pragma once

#include <optional>

#include "networks/tensors/tensor.h"

namespace innerloop {

// h [1, N, F], or of a convolution [1, N, C, height, width] -> samples [n, neurons] in float64: channels are
// the neurons, each place of an image is a sample (Raghu et al. 2017, section 2).
torch::Tensor as_samples(const torch::Tensor& h);

// x [n, p], y [n, q], float64. Nothing where one of them does not vary. Error for different n.
std::optional<double> linear_cka(const torch::Tensor& x, const torch::Tensor& y);

// As linear_cka; nothing also where there are not more samples than neurons, which makes any two
// representations alike. The correlations come from covariances: those of directions whose standard deviation
// is less than 1e-5 of the largest are left out.
std::optional<double> mean_cca(const torch::Tensor& x, const torch::Tensor& y, double variance = 0.99);

}  // namespace innerloop
