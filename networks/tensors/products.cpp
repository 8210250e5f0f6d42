#include "networks/tensors/products.h"

#include "base/error.h"
#include "networks/tensors/elementwise.h"
#include "networks/tensors/matrix_products.h"

namespace innerloop {
namespace {

using torch::Tensor;

bool recorded(const Tensor& x) { return x.requires_grad() && at::GradMode::is_enabled(); }

bool dense_slices(const Tensor& x) {
  const auto dtype = x.scalar_type();
  const bool real = dtype == torch::kFloat32 || dtype == torch::kFloat64;
  return real && x.device().is_cpu() && x.layout() == at::kStrided && x.dim() == 3 && !recorded(x) &&
         !x.is_neg() && (x.size(1) == 1 || x.stride(1) == x.size(2)) && (x.size(2) == 1 || x.stride(2) == 1);
}

// multiply(a_t, b_t, out_t) of every task; `plain` where they do not fit.
template <class Multiply>
Tensor by_task(const Tensor& a, const Tensor& b, int64_t n, int64_t m, const Multiply& multiply_task,
               const Tensor& plain) {
  if (plain.defined()) return plain;
  const Tensor out = empty_tensor({a.size(0), n, m}, a.scalar_type());
  with_type(out, [&]<class T>(const T*) {
    const auto view = [](const Tensor& x, int64_t t) {
      return MatrixView<const T>{static_cast<const T*>(x.data_ptr()) + t * x.stride(0), x.size(1), x.size(2),
                                 x.size(2)};
    };
    for (int64_t t = 0; t < a.size(0); ++t) {
      multiply_task(view(a, t), view(b, t),
                    MatrixView<T>{static_cast<T*>(out.data_ptr()) + t * n * m, n, m, m});
    }
  });
  return out;
}

bool fits(const Tensor& a, const Tensor& b, int64_t inner_a, int64_t inner_b) {
  require(a.dim() == 3 && b.dim() == 3 && a.size(0) == b.size(0) && a.size(inner_a) == b.size(inner_b),
          "product: ", a.sizes(), " and ", b.sizes(), " do not fit");
  return a.scalar_type() == b.scalar_type() && dense_slices(a) && dense_slices(b) && a.numel() > 0 &&
         b.numel() > 0;
}

}  // namespace

Tensor product(const Tensor& a, const Tensor& b) {
  return by_task(
      a, b, a.size(1), b.size(2), [](auto x, auto y, auto to) { multiply(x, y, to); },
      fits(a, b, 2, 1) ? Tensor() : a.matmul(b));
}

Tensor product_tn(const Tensor& a, const Tensor& b) {
  return by_task(
      a, b, a.size(2), b.size(2), [](auto x, auto y, auto to) { multiply_tn(x, y, to); },
      fits(a, b, 1, 1) ? Tensor() : a.transpose(1, 2).matmul(b));
}

Tensor product_nt(const Tensor& a, const Tensor& b) {
  return by_task(
      a, b, a.size(1), b.size(1), [](auto x, auto y, auto to) { multiply_nt(x, y, to); },
      fits(a, b, 2, 2) ? Tensor() : a.matmul(b.transpose(1, 2)));
}

}  // namespace innerloop
