#include "networks/batch_norm.h"

#include "base/error.h"
#include "tests/networks/module_cases.h"

namespace innerloop {
namespace {

struct NormPoint {
  explicit NormPoint(bool images, bool scale, int64_t tasks = 3) {
    Stream stream(StreamKey{.seed = 5});
    params = Params({{"norm2.bias", normal(stream, {tasks, 4})}});
    if (scale) params = params.joined(Params({{"norm2.weight", normal(stream, {tasks, 4})}}));
    x = images ? normal(stream, {tasks, 6, 4, 3, 5}) : normal(stream, {tasks, 6, 4});
    c = normal(stream, x.sizes());
    v = normal(stream, x.sizes());
  }
  Params params;
  torch::Tensor x, c, v;
};

TEST_CASE("batch norm of two numbers by hand", "[batch_norm]") {
  // Mean 3, variance 4; mean 1, variance 0.
  const auto x = torch::tensor({1., 1., 5., 1.}, torch::kFloat64).view({1, 2, 2});
  const Params params({{"norm1.weight", torch::tensor({{2., 3.}}, torch::kFloat64)},
                       {"norm1.bias", torch::tensor({{10., 20.}}, torch::kFloat64)}});
  Params found;
  const auto y = batch_norm(params, x, 1, {.found = &found});
  const double unit = 2 / std::sqrt(4 + 1e-5);
  CHECK(error(y, torch::tensor({10 - 2 * unit, 20., 10 + 2 * unit, 20.}, torch::kFloat64).view({1, 2, 2})) <
        1e-15);
  CHECK(found.names() == std::vector<std::string>{"norm1.mean", "norm1.variance"});
  CHECK(error(found[0], torch::tensor({{3., 1.}}, torch::kFloat64)) < 1e-15);
  CHECK(error(found[1], torch::tensor({{4., 0.}}, torch::kFloat64)) < 1e-15);
}

TEST_CASE("batch norm, its gradient and its second derivative are the module's of each task",
          "[batch_norm]") {
  for (const bool images : {false, true}) {
    for (const bool scale : {false, true}) {
      const NormPoint at(images, scale);
      Params found;
      batch_norm(at.params, at.x, 2, {.found = &found});
      std::vector<torch::Tensor> rows, leaves_modules;
      for (int64_t t = 0; t < 3; ++t) {
        leaves_modules.push_back(at.x[t].clone().requires_grad_());
        const auto statistics = found.slice(t);
        rows.push_back(module_norm(at.params.slice(t), "norm2", leaves_modules.back(), &statistics));
      }
      const auto leaf = at.x.clone().requires_grad_();
      const auto derivatives = [&](const torch::Tensor& y, const std::vector<torch::Tensor>& leaves) {
        const auto first = torch::autograd::grad({(y.pow(3) * at.c).sum()}, leaves, {}, true, true);
        const auto gradient = leaves.size() == 1 ? first[0] : torch::stack(first);
        const auto second = torch::autograd::grad({(gradient * at.v).sum()}, leaves);
        return std::make_tuple(y.detach(), gradient.detach(),
                               leaves.size() == 1 ? second[0] : torch::stack(second));
      };
      const auto [y, g, h] = derivatives(batch_norm(at.params, leaf, 2, {}), {leaf});
      const auto [y_modules, g_modules, h_modules] = derivatives(torch::stack(rows), leaves_modules);
      CHECK(error(y, y_modules) < 1e-12);
      CHECK(error(g, g_modules) < 1e-11);
      CHECK(error(h, h_modules) < 1e-10);
      CHECK(largest(h) > 0.1);
    }
  }
}

TEST_CASE("statistics of one batch normalise another, per task or shared by all tasks", "[batch_norm]") {
  const NormPoint at(true, true);
  Params found;
  batch_norm(at.params, at.x + 1, 2, {.found = &found});
  const auto by_hand = [&](const torch::Tensor& mean, const torch::Tensor& variance) {
    const auto wide = [](const torch::Tensor& t) { return t.view({-1, 1, 4, 1, 1}); };
    return (at.x - wide(mean)) / torch::sqrt(wide(variance) + kBatchNormEpsilon) *
               wide(at.params.at("norm2.weight")) +
           wide(at.params.at("norm2.bias"));
  };
  CHECK(error(batch_norm(at.params, at.x, 2, {.use = &found}), by_hand(found[0], found[1])) < 1e-13);
  const auto shared = found.slice(1);
  CHECK(error(batch_norm(at.params, at.x, 2, {.use = &shared}),
              by_hand(found[0][1].expand({3, 4}), found[1][1].expand({3, 4}))) < 1e-13);
  // What is used does not change what is found.
  Params again;
  batch_norm(at.params, at.x + 1, 2, {.use = &shared, .found = &again});
  CHECK(identical(again, found));
}

TEST_CASE("found statistics are in the graph of the pass", "[batch_norm]") {
  const NormPoint at(false, false);
  const auto leaf = at.x.clone().requires_grad_();
  Params found;
  batch_norm(at.params, leaf, 2, {.found = &found});
  const auto gradient = torch::autograd::grad({found.at("norm2.mean").sum()}, {leaf})[0];
  CHECK(error(gradient, torch::full_like(at.x, 1.0 / 6)) < 1e-15);
}

TEST_CASE("batch norm names shapes that do not fit", "[batch_norm]") {
  const NormPoint at(false, true);
  CHECK_THROWS_WITH(batch_norm(at.params, at.x[0], 2, {}), contains("[T, N, C] or [T, N, C, H, W]"));
  CHECK_THROWS_WITH(batch_norm(at.params, at.x, 1, {}), contains("did you mean 'norm2.bias'"));
  CHECK_THROWS_WITH(batch_norm(at.params, at.x.narrow(2, 0, 3), 2, {}), contains("[3, 4], expected [3, 3]"));
}

}  // namespace
}  // namespace innerloop
