#include "networks/tensors/products.h"

#include "base/error.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

TEST_CASE("products of tasks are LibTorch's, on every layout and in a graph", "[products]") {
  torch::manual_seed(5);
  for (const auto dtype : {torch::kFloat32, torch::kFloat64}) {
    const double exact = dtype == torch::kFloat32 ? 1e-5 : 1e-13;
    const auto drawn = [&](std::vector<int64_t> sizes) { return torch::randn(sizes, dtype); };
    const std::vector<Tensor> left{drawn({3, 7, 5}), drawn({1, 7, 5}).expand({3, 7, 5}),
                                   drawn({3, 5, 7}).transpose(1, 2), drawn({3, 7, 5}).requires_grad_(),
                                   drawn({6, 7, 5}).narrow(0, 2, 3)};
    for (const auto& a : left) {
      for (const auto& b : {drawn({3, 5, 9}), drawn({1, 5, 9}).expand({3, 5, 9})}) {
        const Tensor expected = a.matmul(b);
        CHECK(torch::allclose(product(a, b), expected, exact, exact));
        CHECK(torch::allclose(product_tn(a.transpose(1, 2).contiguous(), b), expected, exact, exact));
        CHECK(torch::allclose(product_nt(a, b.transpose(1, 2).contiguous()), expected, exact, exact));
        CHECK(product(a, b).requires_grad() == a.requires_grad());
      }
    }
  }
  CHECK_THROWS_AS(product(torch::zeros({2, 3, 4}), torch::zeros({2, 3, 4})), Error);
}
