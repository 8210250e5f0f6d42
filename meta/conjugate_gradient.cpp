#include "meta/conjugate_gradient.h"

namespace innerloop {
namespace {

using torch::Tensor;

double inner_product(const Tensor& a, const Tensor& b) {
  return (a.to(torch::kFloat64) * b.to(torch::kFloat64)).sum().item<double>();
}

}  // namespace

CgResult conjugate_gradient(const std::function<Tensor(const Tensor&)>& a, const Tensor& b,
                            int64_t iterations) {
  Tensor x = torch::zeros_like(b), product = torch::zeros_like(b);
  Tensor residual = b.clone(), p = b.clone();
  double squared = inner_product(residual, residual);
  for (int64_t i = 0; i < iterations && squared >= 1e-10; ++i) {
    const Tensor ap = a(p);
    const double length = squared / inner_product(p, ap);
    x = x + length * p;
    product = product + length * ap;
    residual = residual - length * ap;
    const double next = inner_product(residual, residual);
    p = residual + (next / squared) * p;
    squared = next;
  }
  return {x, product};
}

}  // namespace innerloop
