#include "networks/conv4_linearization.h"

#include <cmath>
#include <optional>
#include <thread>

#include "base/error.h"
#include "tests/networks/mlp_cases.h"

namespace innerloop {
namespace {

std::unique_ptr<ComposedLoss> conv4_loss(const Conv4Config& config, const Params& params,
                                         const torch::Tensor& x, const OutputLoss& loss) {
  return compose(conv4_linearization(config, params, x), std::make_shared<OutputLoss>(loss), params);
}

struct Case {
  Conv4Config config;
  int64_t tasks = 1;
  int64_t samples = 4;
  bool classify = true;
};

std::string to_text(const Case& c) {
  return concat(c.config.channels, "x", c.config.height, "x", c.config.width, ", ", c.config.filters,
                c.config.max_pool ? " filters, max-pool, " : " filters, stride, ",
                c.config.mean_head ? "mean, " : "flatten, ", c.config.scale ? "scale, " : "", "T ", c.tasks,
                ", N ", c.samples, c.classify ? ", cross-entropy" : ", squared error");
}

// One point in float64; every task has parameters of its own.
struct Point {
  explicit Point(const Case& c, uint64_t seed = 1) : config(c.config), network(c.config) {
    Stream stream(StreamKey{.seed = seed});
    const auto like = network.initial(stream).to(torch::kFloat64).expanded(c.tasks);
    params = like.map([&](const torch::Tensor& t) {
      if (t.dim() == 2) return t + normal(stream, t.sizes(), 0.3);  // shifts, scales, the bias
      const auto inputs = static_cast<double>(t.dim() == 5 ? 9 * t.size(3) : t.size(2));
      return normal(stream, t.sizes(), 1 / std::sqrt(inputs));
    });
    direction = like.map([&](const torch::Tensor& t) { return normal(stream, t.sizes()); });
    x = normal(stream, {c.tasks, c.samples, config.channels, config.height, config.width});
    if (c.classify) {
      const auto labels =
          torch::arange(c.tasks * c.samples).remainder(config.outputs).view({c.tasks, c.samples});
      loss.emplace(OutputLoss::cross_entropy(labels, 0.7));
    } else {
      loss.emplace(OutputLoss::squared_error(normal(stream, {c.tasks, c.samples, config.outputs}), 0.3));
    }
  }
  std::unique_ptr<LossAt> reference() const {
    return autograd_loss([this](const Params& p) { return (*loss)(network.forward(p, x)); }, params);
  }
  std::unique_ptr<ComposedLoss> kernels() const { return conv4_loss(config, params, x, *loss); }

  Conv4Config config;
  Conv4 network;
  Params params, direction;
  torch::Tensor x;
  std::optional<OutputLoss> loss;
};

Conv4Config config(int64_t channels, int64_t side, int64_t filters, bool max_pool, bool mean_head,
                   bool scale = false) {
  Conv4Config out;
  out.channels = channels;
  out.height = out.width = side;
  out.filters = filters;
  out.max_pool = max_pool;
  out.mean_head = mean_head;
  out.outputs = 3;
  out.scale = scale;
  return out;
}

std::vector<Case> cases() {
  std::vector<Case> out{
      {config(1, 28, 64, false, true), 1, 5},        {config(1, 28, 16, false, true, true), 3, 3},
      {config(2, 7, 5, false, false, true), 3, 4},   {config(3, 21, 48, true, false), 1, 3},
      {config(3, 33, 8, true, true, true), 3, 2},    {config(1, 16, 5, true, false), 3, 6, false},
      {config(2, 21, 24, false, true), 1, 3, false}, {config(1, 3, 3, false, true), 1, 7},
      {config(2, 28, 32, true, true), 1, 2},         {config(1, 1, 2, false, false), 2, 9, false},
  };
  out.push_back({config(3, 64, 8, true, true, true), 1, 33});  // too large to keep all of z
  Case oblong{config(2, 19, 8, true, false, true), 2, 3};
  oblong.config.width = 30;
  out.push_back(oblong);
  oblong.config.max_pool = false;
  out.push_back(oblong);
  return out;
}

// max over entries of max |a - b| / max |b|
double relative(const Params& a, const Params& b) {
  REQUIRE(a.names() == b.names());
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    REQUIRE(a[i].sizes() == b[i].sizes());
    worst = std::max(worst, largest(a[i] - b[i]) / std::max(1e-3, largest(b[i])));
  }
  return worst;
}

TEST_CASE("conv4's loss, gradient and Hessian products are autograd's", "[networks]") {
  for (const auto& one : cases()) {
    const Point at(one);
    INFO(to_text(one));
    const auto reference = at.reference();
    const auto kernels = at.kernels();
    CHECK(error(kernels->loss(), reference->loss()) < 1e-12);
    CHECK(relative(kernels->gradient(), reference->gradient()) < 1e-9);
    const auto product = reference->hessian_product(at.direction);
    CHECK(relative(kernels->hessian_product(at.direction), product) < 1e-9);
    CHECK(largest(product[0]) > 1e-3);  // there is a curvature to get right
  }
}

TEST_CASE("conv4's float32 derivatives are close to float64's", "[networks]") {
  for (const auto& one : cases()) {
    const Point at(one);
    INFO(to_text(one));
    const auto exact = at.kernels();
    const auto loss =
        one.classify ? *at.loss : OutputLoss::squared_error(at.loss->target().to(torch::kFloat32), 0.3);
    const auto single = conv4_loss(one.config, at.params.to(torch::kFloat32), at.x.to(torch::kFloat32), loss);
    CHECK(error(single->loss().to(torch::kFloat64), exact->loss()) < 1e-4);
    // A value within rounding of zero may pass a ReLU in one precision alone.
    CHECK(relative(single->gradient().to(torch::kFloat64), exact->gradient()) < 3e-2);
    CHECK(relative(single->hessian_product(at.direction.to(torch::kFloat32)).to(torch::kFloat64),
                   exact->hessian_product(at.direction)) < 5e-2);
    CHECK(single->gradient().dtype() == torch::kFloat32);
  }
}

TEST_CASE("conv4's Hessian is symmetric and the derivative of its gradient", "[networks]") {
  for (const auto& one : cases()) {
    const Point at(one), other(one, 2);
    INFO(to_text(one));
    const auto kernels = at.kernels();
    const auto& v = at.direction;
    const auto& u = other.direction;
    const auto hv = kernels->hessian_product(v), hu = kernels->hessian_product(u);
    const double scale = std::sqrt(dot(hv, hv).item<double>() * dot(u, u).item<double>());
    CHECK(std::abs((dot(u, hv) - dot(v, hu)).item<double>()) < 1e-10 * scale);
    CHECK(relative(kernels->hessian_product(v), hv) == 0);  // again, after another direction
  }
  // Differences need a point from which no ReLU and no maximum changes within the step: one small network.
  const Point at({config(1, 16, 4, true, false, true), 2, 3});
  const auto numeric = difference(
      [&](const Params& p) { return conv4_loss(at.config, p, at.x, *at.loss)->gradient().cloned(); },
      at.params, at.direction, 1e-7);
  CHECK(relative(at.kernels()->hessian_product(at.direction), numeric) < 1e-5);
}

TEST_CASE("what conv4 keeps between calls never answers for other arguments", "[networks]") {
  for (const bool shared : {false, true}) {
    const Point at({config(1, 18, 6, shared, true, true), 2, 3}), other(Case{at.config, 2, 3}, 2);
    const auto c = at.kernels()->output() + 1, second = at.kernels()->output() - 2, other_c = 0.5 * second;
    const auto direction = shared ? at.direction.slice(0).cloned().expanded(2) : at.direction.cloned();
    const auto make = [&] { return conv4_linearization(at.config, at.params, at.x); };
    const auto fresh = [&](const Params& v, const torch::Tensor& cotangent) {
      return make()->pullback_tangent(v, cotangent, second);
    };
    const auto here = make();
    const auto gradient = here->pullback(c);
    const auto first = here->pullback_tangent(direction, c, second);
    CHECK(identical(first, fresh(direction, c)));
    here->pushforward(other.direction);  // now the kept tangent is another direction's
    CHECK(identical(here->pullback_tangent(direction, c, second), first));
    CHECK(identical(here->pullback_tangent(direction, other_c, second), fresh(direction, other_c)));
    CHECK(identical(here->pullback(c), gradient));
    CHECK(identical(here->pullback_tangent(direction, c, second), first));
    if (shared) continue;
    direction[2].mul_(3);  // the same objects with other values
    c.add_(1);
    const auto changed = here->pullback_tangent(direction, c, second);
    CHECK(identical(changed, fresh(direction, c)));
    CHECK(!identical(changed, first));
    here->pullback(other_c);  // a pullback disturbs nothing
    CHECK(identical(here->pullback_tangent(direction, c, second), changed));
    CHECK_THROWS_WITH(here->pullback(c.narrow(1, 0, 2)), contains("cotangent is Double[2, 2, 3]"));
  }
}

// One image of one pixel: every stage sees one number per image, its normalisation works over the images, and
// of each kernel only the middle matters. With two images batch normalisation gives +s and -s with
// s = d / sqrt(d^2 + eps), d half the difference; shift b > s keeps both above zero.
TEST_CASE("conv4 on two images of one pixel is what one works out by hand", "[networks]") {
  Conv4Config c = config(1, 1, 1, false, true);
  c.outputs = 1;
  const double w = 0.5, shift = 2, weight = 1.5, bias = -0.25, target = 1;
  std::vector<Params::Entry> entries;
  for (int l = 1; l <= 4; ++l) {
    auto kernel = torch::full({1, 3, 3, 1, 1}, 7.0, torch::kFloat64);
    kernel[0][1][1][0][0] = w;
    entries.push_back({concat("conv", l, ".weight"), kernel});
    entries.push_back({concat("norm", l, ".bias"), torch::full({1, 1}, shift, torch::kFloat64)});
  }
  entries.push_back({"linear.weight", torch::full({1, 1, 1}, weight, torch::kFloat64)});
  entries.push_back({"linear.bias", torch::full({1, 1}, bias, torch::kFloat64)});
  const Params params(std::move(entries));
  const auto x = torch::tensor({3.0, 1.0}, torch::kFloat64).view({1, 2, 1, 1, 1});
  const auto loss =
      OutputLoss::squared_error(torch::full({1, 2, 1}, target, torch::kFloat64), /*weight=*/0.5);
  double s = 1;  // half the difference of the images
  for (int l = 1; l <= 4; ++l) s = w * s / std::sqrt(w * w * s * s + 1e-5);
  const double high = weight * (shift + s) + bias - target, low = weight * (shift - s) + bias - target;
  const auto at = conv4_loss(c, params, x, loss);
  CHECK(at->loss().item<double>() == Approx(0.5 * (high * high + low * low)).epsilon(1e-12));
  const auto& gradient = at->gradient();
  CHECK(gradient.at("linear.bias").item<double>() == Approx(high + low));
  CHECK(gradient.at("linear.weight").item<double>() == Approx(high * (shift + s) + low * (shift - s)));
  CHECK(gradient.at("norm4.bias").item<double>() == Approx(weight * (high + low)));
  CHECK(gradient.at("norm3.bias").item<double>() == Approx(0).margin(1e-12));  // the next stage's mean
  // ds/dw of the last stage: s = w t / sqrt(w^2 t^2 + eps), t its input's half difference.
  double t = 1;
  for (int l = 1; l <= 3; ++l) t = w * t / std::sqrt(w * w * t * t + 1e-5);
  const double root = std::sqrt(w * w * t * t + 1e-5), ds = t * 1e-5 / (root * root * root);
  const auto conv4 = gradient.at("conv4.weight").flatten();
  CHECK(conv4[4].item<double>() == Approx(weight * ds * (high - low)).epsilon(1e-6));
  CHECK(largest(conv4) == std::abs(conv4[4].item<double>()));  // the other taps lie in the padding
  // The Hessian along the output's bias: 2 in the bias, the features' sum in the weight.
  auto direction = params.zeros_like().tensors();
  direction.back().fill_(1);
  const auto product = at->hessian_product(params.with(direction));
  CHECK(product.at("linear.bias").item<double>() == Approx(2));
  CHECK(product.at("linear.weight").item<double>() == Approx(2 * shift));
  CHECK(product.at("norm4.bias").item<double>() == Approx(2 * weight));
}

TEST_CASE("conv4 takes parameters and directions shared by all tasks without copies of them", "[networks]") {
  for (const bool max_pool : {false, true}) {
    const Point at({config(1, 18, 16, max_pool, false, true), 3, 4});
    const auto shared = at.params.slice(1).cloned().expanded(3);
    const auto along = at.direction.slice(2).cloned().expanded(3);
    const auto seen = conv4_loss(at.config, shared, at.x, *at.loss);
    const auto copied = conv4_loss(at.config, shared.cloned(), at.x, *at.loss);
    CHECK(identical(seen->gradient(), copied->gradient()));
    CHECK(identical(seen->hessian_product(along), copied->hessian_product(along.cloned())));
  }
}

TEST_CASE("conv4 reads parameters that are views of one vector or transposed", "[networks]") {
  const Point at({config(2, 12, 16, false, true), 1, 4});
  const auto exact = at.kernels();
  const auto vector = torch::cat({torch::zeros({1}, torch::kFloat64), flatten(at.params)});
  const auto views = conv4_loss(at.config, unflatten(vector.slice(0, 1), at.params), at.x, *at.loss);
  CHECK(identical(views->gradient(), exact->gradient()));
  const auto turned = at.params.map(
      [](const torch::Tensor& t) { return t.transpose(-1, -2).contiguous().transpose(-1, -2); });
  const auto from_turned = conv4_loss(at.config, turned, at.x, *at.loss);
  CHECK(identical(from_turned->hessian_product(at.direction), exact->hessian_product(at.direction)));
}

TEST_CASE("a task of conv4 has the same bits alone, among others and on any thread", "[networks]") {
  const Point at({config(3, 24, 20, true, false), 3, 5});
  const auto together = at.kernels();
  const auto products = together->hessian_product(at.direction);
  for (int64_t t = 0; t < 3; ++t) {
    Params gradient, product;
    std::thread([&] {
      const auto labels = OutputLoss::cross_entropy(at.loss->target().narrow(0, t, 1), 0.7);
      const auto alone = conv4_loss(at.config, at.params.slice(t), at.x.narrow(0, t, 1), labels);
      gradient = alone->gradient();
      product = alone->hessian_product(at.direction.slice(t));
    }).join();
    CHECK(identical(gradient, together->gradient().slice(t)));
    CHECK(identical(product, products.slice(t)));
  }
}

TEST_CASE("conv4's output is its forward pass, with statistics of its own or given", "[networks]") {
  for (const auto& one : cases()) {
    const Point at(one);
    INFO(to_text(one));
    Params found, found_by_kernels;
    const auto expected = at.network.forward(at.params, at.x, {nullptr, &found});
    CHECK(error(conv4_output(at.config, at.params, at.x, {nullptr, &found_by_kernels}), expected) < 1e-10);
    CHECK(relative(found_by_kernels, found) < 1e-10);
    CHECK(error(at.network.output(at.params, at.x), expected) < 1e-10);
    const auto other = normal(*std::make_unique<Stream>(StreamKey{.seed = 5}), at.x.sizes());
    const auto shared = found.slice(0);
    for (const Params& use : {found, shared}) {
      CHECK(error(conv4_output(at.config, at.params, other, {&use, nullptr}),
                  at.network.forward(at.params, other, {&use, nullptr})) < 1e-10);
    }
  }
}

TEST_CASE("equal pixels tie in a max-pool as they do in LibTorch", "[networks]") {
  const Point at({config(1, 32, 8, true, true, true), 1, 3});
  const auto blank = at.x.clone();
  blank.slice(3, 0, 20).fill_(1);
  const auto reference =
      autograd_loss([&](const Params& p) { return (*at.loss)(at.network.forward(p, blank)); }, at.params);
  const auto kernels = conv4_loss(at.config, at.params, blank, *at.loss);
  CHECK(relative(kernels->gradient(), reference->gradient()) < 1e-9);
  CHECK(relative(kernels->hessian_product(at.direction), reference->hessian_product(at.direction)) < 1e-9);
}

TEST_CASE("entries that conv4 does not know have zero derivatives", "[networks]") {
  const Point at({config(1, 8, 4, false, true), 2, 3});
  const Params own({{"step_size", torch::ones({2, 5}, torch::kFloat64)}});
  const auto more = conv4_loss(at.config, at.params.joined(own), at.x, *at.loss);
  CHECK(largest(more->gradient().at("step_size")) == 0);
  CHECK(largest(more->hessian_product(at.direction.joined(own)).at("step_size")) == 0);
  CHECK(identical(more->gradient().select(at.params.names()), at.kernels()->gradient()));
}

TEST_CASE("conv4's kernels refuse what does not fit, with its shape", "[networks]") {
  const Point at({config(1, 8, 4, false, true), 2, 3});
  CHECK_THROWS_WITH(conv4_loss(at.config, at.params, at.x.narrow(3, 0, 7), *at.loss),
                    contains("expected [2, N, 1, 8, 8]"));
  CHECK_THROWS_WITH(conv4_loss(at.config, at.params.to(torch::kFloat32), at.x, *at.loss),
                    contains("'conv1.weight' is Float") && contains("expected Double"));
  CHECK_THROWS_WITH(at.kernels()->hessian_product(at.direction.slice(0)),
                    contains("direction 'conv1.weight'"));
}

}  // namespace
}  // namespace innerloop
