// Conjugate gradients (Hestenes and Stiefel 1952) for symmetric positive definite systems given by their
// products.
#pragma once

#include <functional>

#include "networks/tensors/tensor.h"

namespace innerloop {

// Solves A x = b for symmetric positive definite A, at most `iterations` steps or until |r|^2 < 1e-10.
// `product` is A x.
struct CgResult {
  torch::Tensor x;
  torch::Tensor product;
};
CgResult conjugate_gradient(const std::function<torch::Tensor(const torch::Tensor&)>& a,
                            const torch::Tensor& b, int64_t iterations);

}  // namespace innerloop
