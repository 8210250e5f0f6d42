#include "meta/algorithms/t_net.h"

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/gradient_method.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

Tensor numbers(const std::vector<double>& values, const std::vector<int64_t>& shape) {
  return torch::tensor(values, torch::kFloat64).view(shape);
}

// L = |y|^2 / 2 for y = W x + b, x = (1, -1), on both sides.
class Norm : public Task {
 public:
  int64_t size() const override { return 1; }
  Tensor loss(Part, const Params& p, int64_t) const override { return output(p).square().sum(1) / 2; }
  static Tensor output(const Params& p) {
    return p.at("layer0.weight").matmul(numbers({1, -1}, {2, 1})).squeeze(2) + p.at("layer0.bias");
  }
};

Params small_network(bool images) {
  Stream stream(StreamKey{5, Purpose::kTest});
  const auto network =
      images ? make_network({.name = "conv4", .batch_norm = "batch", .own = {{"filters", 2}}}, {1, 9, 9}, 3)
             : make_network({.name = "mlp", .own = {{"hidden", "4,3"}}}, {2}, 2);
  return network->initial(stream).to(torch::kFloat64);
}

}  // namespace

// T = [[1, .5], [0, 1]], W = [[1, 2], [3, 4]], b = 0: y = (-1.5, -1), dL/dW = [[-1.5, 1.5], [-1.75, 1.75]].
// With alpha = .1 a step on W alone leads to y = (-1.025, -.65).
TEST_CASE("t_net: a step through a transform is the one worked out by hand", "[meta]") {
  const auto initial = [](Stream&) {
    return Params(
        {{"layer0.weight", numbers({1, 2, 3, 4}, {1, 2, 2})}, {"layer0.bias", numbers({0, 0}, {1, 2})}});
  };
  const auto method = t_net().policy_method(
      {}, {.inner = {.steps = 1, .step_size = 0.1, .adapt = "layer0.weight"}, .initial = initial});
  Stream stream(StreamKey{});
  const Params meta = method->initial(stream).cloned();
  CHECK(torch::equal(meta.at("transform.layer0"), torch::eye(2, torch::kFloat64).unsqueeze(0)));
  meta.at("transform.layer0").copy_(numbers({1, .5, 0, 1}, {1, 2, 2}));
  const Norm task;
  const auto view = method->view(task, {});
  const auto adaptation = method->inner().adapt(meta, *view);
  const Params before = method->read(adaptation.phi(0), Part::kSupport, 0, {});
  CHECK(torch::allclose(Norm::output(before), numbers({-1.5, -1}, {1, 2})));
  const auto gradient = (*view).loss_at(Part::kSupport, adaptation.phi(0), 0)->gradient();
  CHECK(torch::allclose(gradient.at("layer0.weight"), numbers({-1.5, 1.5, -1.75, 1.75}, {1, 2, 2})));
  const Params after = method->read(adaptation.adapted(), Part::kQuery, 1, {});
  CHECK(torch::allclose(Norm::output(after), numbers({-1.025, -.65}, {1, 2})));
  CHECK(torch::equal(adaptation.adapted().at("transform.layer0"), meta.at("transform.layer0")));
  // Without the transform the step leads elsewhere.
  meta.at("transform.layer0").copy_(torch::eye(2, torch::kFloat64).unsqueeze(0));
  const auto plain = method->inner().adapt(meta, *view);
  CHECK_FALSE(torch::allclose(Norm::output(method->read(plain.adapted(), Part::kQuery, 1, {})),
                              numbers({-1.025, -.65}, {1, 2})));
}

TEST_CASE("t_net: its map's own derivatives equal autograd's, for every kind of layer", "[meta]") {
  const Params network = small_network(GENERATE(true, false));
  const Params like = with_transforms(network).expanded(2);
  const Params p = like + normal_like(like, 1), d = normal_like(like, 2);
  const auto map = transformed_layers();
  const Params read = (*map)(p, {.tasks = 2});
  CHECK(read.names() == network.names());
  const Params c = normal_like(read, 3);
  CHECK(distance(map->pullback(p, {.tasks = 2}, c), map->ParameterMap::pullback(p, {.tasks = 2}, c)) < 1e-12);
  CHECK(distance(map->pushforward(p, {.tasks = 2}, d), map->ParameterMap::pushforward(p, {.tasks = 2}, d)) <
        1e-12);
  const Params tangent = map->ParameterMap::pullback_tangent(p, {.tasks = 2}, d, c);
  CHECK(distance(map->pullback_tangent(p, {.tasks = 2}, d, c), tangent) < 1e-12);
  CHECK(largest(tangent) > 1e-2);
  CHECK(distance((*map)(like, {.tasks = 2}), network.expanded(2)) == 0);  // the identity at first
}

TEST_CASE("t_net: normalisation has no transform, and training without inner steps is refused", "[meta]") {
  const Params all = with_transforms(small_network(true));
  CHECK(all.contains("transform.conv1"));
  CHECK(all.at("transform.linear").sizes() == std::vector<int64_t>{1, 3, 3});
  CHECK_FALSE(all.contains("transform.norm1"));
  CHECK_THROWS_WITH(t_net().policy_method({}, {.inner = {.steps = 0}}), contains("inner.steps: 0 found"));
}
