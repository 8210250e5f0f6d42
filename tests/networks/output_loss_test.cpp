#include "networks/output_loss.h"

#include "base/error.h"
#include "tests/networks/mlp_cases.h"

namespace innerloop {
namespace {

using torch::Tensor;

Tensor numbers(const std::vector<double>& list, at::IntArrayRef shape) {
  return torch::tensor(list, torch::kFloat64).view(shape);
}

TEST_CASE("squared error: the numbers of two tasks by hand", "[output_loss]") {
  // differences (1, -2), (0, 3) and (-1, 0), (2, 2); weight 1/4
  const auto loss = OutputLoss::squared_error(numbers({0, 3, 1, -1, 2, 5, 0, 1}, {2, 2, 2}), 0.25);
  const auto y = numbers({1, 1, 1, 2, 1, 5, 2, 3}, {2, 2, 2});
  const auto at = loss.at(y);
  CHECK(error(at.loss, numbers({14.0 / 4, 9.0 / 4}, {2})) < 1e-15);
  CHECK(error(at.gradient, numbers({0.5, -1, 0, 1.5, -0.5, 0, 1, 1}, {2, 2, 2})) < 1e-15);
  CHECK(error(loss(y), at.loss) < 1e-15);
  const auto v = numbers({1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2});
  CHECK(error(loss.second(at, v), 0.5 * v) < 1e-15);
  CHECK(!loss.classifies());
  CHECK(loss.weight() == 0.25);
}

TEST_CASE("cross-entropy: the numbers of two tasks by hand", "[output_loss]") {
  // Logits log 1, log 2, log 5 have probabilities 1/8, 1/4, 5/8; equal logits 1/3 each.
  const auto labels = torch::tensor({2, 0, 1, 1}, torch::kInt64).view({2, 2});
  const auto loss = OutputLoss::cross_entropy(labels, 0.5);
  const double l2 = std::log(2), l5 = std::log(5);
  const auto y = numbers({0, l2, l5, 7, 7, 7, 1, 1 + l2, 1 + l5, 0, 0, 0}, {2, 2, 3});
  const auto at = loss.at(y);
  const double third = 1.0 / 3;
  CHECK(error(at.loss, numbers({0.5 * (std::log(8.0 / 5) + std::log(3)), 0.5 * (std::log(4) + std::log(3))},
                               {2})) < 1e-15);
  CHECK(error(at.probabilities,
              numbers({0.125, 0.25, 0.625, third, third, third, 0.125, 0.25, 0.625, third, third, third},
                      {2, 2, 3})) < 1e-15);
  CHECK(error(at.gradient, 0.5 * numbers({0.125, 0.25, -0.375, -2 * third, third, third, 0.125, -0.75, 0.625,
                                          third, -2 * third, third},
                                         {2, 2, 3})) < 1e-15);
  CHECK(error(loss(y), at.loss) < 1e-15);
  // Along the first logit of the first sample: w p_0 (e_0 - p).
  const auto v = numbers({1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {2, 2, 3});
  auto expected = torch::zeros({2, 2, 3}, torch::kFloat64);
  expected[0][0] = 0.5 * 0.125 * numbers({0.875, -0.25, -0.625}, {3});
  CHECK(error(loss.second(at, v), expected) < 1e-15);
  CHECK(loss.classifies());
}

TEST_CASE("gradient and second derivative of the losses are those of differences", "[output_loss]") {
  Stream stream(StreamKey{.seed = 3});
  const auto y = normal(stream, {3, 4, 5}, 2), v = normal(stream, {3, 4, 5});
  auto labels = torch::empty({3, 4}, torch::kInt64);
  for (int64_t i = 0; i < 12; ++i) labels.view(-1)[i] = static_cast<int64_t>(stream.below(5));
  for (const auto& loss :
       {OutputLoss::squared_error(normal(stream, {3, 4, 5}), 0.3), OutputLoss::cross_entropy(labels, 0.7)}) {
    const double step = 1e-5;
    const auto up = loss.at(y + step * v), down = loss.at(y - step * v), at = loss.at(y);
    CHECK(error((at.gradient * v).sum({1, 2}), (up.loss - down.loss) / (2 * step)) < 1e-8);
    CHECK(error(loss.second(at, v), (up.gradient - down.gradient) / (2 * step)) < 1e-8);
    CHECK(largest(loss.second(at, v)) > 0.01);
    // The differentiable form has the same derivatives.
    const auto leaf = y.clone().requires_grad_();
    const auto first = torch::autograd::grad({loss(leaf).sum()}, {leaf}, {}, true, true)[0];
    const auto second = torch::autograd::grad({(first * v).sum()}, {leaf})[0];
    CHECK(error(first.detach(), at.gradient) < 1e-14);
    CHECK(error(second, loss.second(at, v)) < 1e-14);
  }
}

TEST_CASE("cross-entropy stays finite where the logits are far apart", "[output_loss]") {
  const auto loss = OutputLoss::cross_entropy(torch::tensor({1, 0}, torch::kInt64).view({1, 2}), 1);
  const auto y = numbers({1e4, 0, 0, 1e4}, {1, 2, 2}).to(torch::kFloat32);
  const auto at = loss.at(y);
  CHECK(at.loss.item<double>() == Approx(2e4));
  CHECK(error(at.gradient, numbers({1, -1, -1, 1}, {1, 2, 2}).to(torch::kFloat32)) < 1e-7);
  CHECK(largest(loss.second(at, torch::ones_like(y))) == 0);
}

TEST_CASE("float32 outputs give float32 losses and derivatives outside any graph", "[output_loss]") {
  const auto labels = torch::zeros({2, 3}, torch::kInt64);
  const auto y = torch::ones({2, 3, 4}).requires_grad_();
  for (const auto& loss :
       {OutputLoss::cross_entropy(labels, 1), OutputLoss::squared_error(torch::zeros({2, 3, 4}), 1)}) {
    const auto at = loss.at(y);
    CHECK(at.loss.sizes() == at::IntArrayRef({2}));
    CHECK(at.gradient.scalar_type() == torch::kFloat32);
    CHECK(!at.gradient.requires_grad());
    CHECK(!at.loss.requires_grad());
    CHECK(loss(y).requires_grad());
  }
}

TEST_CASE("labels, targets and outputs that do not fit are named", "[output_loss]") {
  const auto labels = torch::tensor({0, 4}, torch::kInt64).view({1, 2});
  CHECK_THROWS_WITH(OutputLoss::cross_entropy(labels.to(torch::kInt), 1),
                    contains("Int[1, 2], expected Long"));
  CHECK_THROWS_WITH(OutputLoss::cross_entropy(labels.view(-1), 1), contains("expected Long [T, N]"));
  CHECK_THROWS_WITH(OutputLoss::cross_entropy(labels - 1, 1), contains("label -1, expected 0 or above"));
  CHECK_THROWS_WITH(OutputLoss::cross_entropy(labels, 0), contains("a weight of 0"));
  const auto loss = OutputLoss::cross_entropy(labels, 1);
  CHECK_THROWS_WITH(loss(torch::zeros({1, 2, 4})), contains("label 4 for 4 outputs, expected 0 to 3"));
  CHECK_THROWS_WITH(loss.at(torch::zeros({1, 3, 5})), contains("output [1, 3, 5] for labels [1, 2]"));
  CHECK_THROWS_WITH(loss.at(torch::zeros({1, 2})), contains("expected floating point [T, N, outputs]"));
  CHECK_NOTHROW(loss(torch::zeros({1, 2, 5})));

  CHECK_THROWS_WITH(OutputLoss::squared_error(torch::zeros({2, 3}), 1), contains("[T, N, outputs]"));
  const auto squared = OutputLoss::squared_error(torch::zeros({1, 2, 1}), 1);
  CHECK_THROWS_WITH(squared(torch::zeros({1, 2, 2})),
                    contains("output Float[1, 2, 2] for targets Float[1, 2, 1]"));
  CHECK_THROWS_WITH(squared.at(torch::zeros({1, 2, 1}, torch::kFloat64)), contains("output Double"));
  CHECK_THROWS_WITH(squared.second(squared.at(torch::zeros({1, 2, 1})), torch::zeros({1, 1, 1})),
                    contains("tangent [1, 1, 1]"));
}

}  // namespace
}  // namespace innerloop
