#include "meta/algorithms/mlti.h"

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/algorithms/maml.h"
#include "meta/algorithms/prototypical.h"
#include "meta/algorithms/task_mix.h"
#include "meta/method.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// Sine tasks for a network of one tanh layer, or drawn characters for a small convolutional one.
struct Setting {
  bool images;
  EpisodeShape shape;
  std::unique_ptr<Dataset> dataset;
  MethodContext context;

  explicit Setting(bool with_images, int64_t steps = 1, int64_t tasks = 4)
      : images(with_images),
        shape(images ? EpisodeShape{.ways = 3, .shots = 2, .queries = 2}
                     : EpisodeShape{.ways = 1, .shots = 4, .queries = 3}),
        dataset(images ? make_dataset({.name = "strokes", .own = {{"image_size", 14}}})
                       : make_dataset({.name = "sine"})) {
    context = {
        .inner = {.steps = steps, .step_size = 0.05},
        .network =
            [with_images](int64_t outputs) {
              return with_images
                         ? make_network({.name = "conv4", .batch_norm = "batch", .own = {{"filters", 3}}},
                                        {1, 14, 14}, outputs)
                         : make_network({.name = "mlp", .own = {{"hidden", "5"}, {"activation", "tanh"}}},
                                        {1}, outputs);
            },
        .outputs = images ? 3 : 1,
        .dataset = dataset.get(),
        .shape = shape,
        .tasks = tasks};
  }

  EpisodeTask task(const Method& method, const Episodes& e,
                   BatchNormMode mode = BatchNormMode::kBatch) const {
    const auto wide = [](const Tensor& x) { return x.is_floating_point() ? x.to(torch::kFloat64) : x; };
    return {method.network(true),
            {wide(e.support_x), wide(e.query_x), wide(e.support_y), wide(e.query_y)},
            shape,
            LossReduction::kMean,
            images ? mode : BatchNormMode::kNone};
  }

  Params start(const Method& method) const {
    Stream stream(StreamKey{2});
    const Params drawn = method.initial(stream).to(torch::kFloat64);
    return drawn + 0.1 * normal_like(drawn, 3);
  }
};

double loss_of(const Method& method, const Params& meta, const EpisodeTask& task, const Moment& now) {
  return method.pass(meta, task, now, false).loss.sum().item<double>();
}

Tensor half(const Tensor& x, int64_t which) { return x.narrow(1, which * x.size(1) / 2, x.size(1) / 2); }

// A moment whose first task is mixed at this layer with another task.
Moment moment_with(const TaskMixer& mixer, int64_t layer) {
  for (int64_t i = 0; i < 1000; ++i) {
    const Moment now{.seed = 4, .iteration = i};
    const TaskMix mix = mixer.draw(now, 0);
    if (mix.layer == layer && mix.partner != 0) return now;
  }
  FAIL("no such mix");
  return {};
}

}  // namespace

TEST_CASE("MLTI: lambda has the moments of Beta(a, a)", "[mlti]") {
  for (const auto& [a, variance] : {std::pair(2.0, 0.05), std::pair(0.5, 0.125), std::pair(1.0, 1.0 / 12)}) {
    Stream stream(StreamKey{1});
    constexpr int kDraws = 40'000;
    double sum = 0, squares = 0;
    bool inside = true;
    for (int i = 0; i < kDraws; ++i) {
      const double x = symmetric_beta(a, stream);
      inside = inside && x >= 0 && x <= 1;
      sum += x;
      squares += (x - 0.5) * (x - 0.5);
    }
    CHECK(inside);
    CHECK(sum / kDraws == Approx(0.5).margin(0.006));
    CHECK(squares / kDraws == Approx(variance).margin(0.003));
  }
}

TEST_CASE("MLTI: a CutMix box is centred, cut off at the edge and of the share sqrt(1 - lambda)", "[mlti]") {
  const CutBox box = cut_box(84, 84, 0.36, 40, 10);
  CHECK(box.top == 7);
  CHECK(box.bottom == 73);
  CHECK(box.left == 0);
  CHECK(box.right == 43);
  const CutBox none = cut_box(84, 84, 1, 40, 10);
  CHECK(none.top == none.bottom);
}

TEST_CASE("MLTI: any task of the meta-batch may be the partner, any layer the mixed one", "[mlti]") {
  const TaskMixer mixer{.config = {}, .shape = {3, 2, 2}, .tasks = 4, .layers = 2, .classes = true};
  std::vector<int> partners(4), layers(3);
  bool whole = true;
  for (int64_t i = 0; i < 3000; ++i) {
    const TaskMix mix = mixer.draw({.seed = 1, .iteration = i}, 1);
    ++partners.at(static_cast<size_t>(mix.partner));
    ++layers.at(static_cast<size_t>(mix.layer));
    for (size_t s = 0; s < 6; s += 2) whole = whole && mix.support[s] + 1 == mix.support[s + 1];
    whole = whole && mix.support == mix.query;
  }
  CHECK(whole);  // classes are paired, the same for support and query
  for (const int n : partners) CHECK(std::abs(n - 750) < 120);
  for (const int n : layers) CHECK(std::abs(n - 1000) < 130);
}

TEST_CASE("MLTI with MAML at the input is MAML on the mixed inputs", "[mlti]") {
  for (const bool images : {false, true}) {
    const Setting s(images, /*steps=*/2);
    const auto method = mlti().method({{"layers", 0}}, s.context);
    const TaskMixer mixer{.config = {.layers = 0}, .shape = s.shape, .tasks = 4, .classes = images};
    const Moment now = moment_with(mixer, 0);
    const TaskMix mix = mixer.draw(now, 0);
    const EpisodeTask pairs = s.task(*method, method->draw(TaskSource(*s.dataset, s.shape, 4), now, 1));
    const auto mixed = [&](const Tensor& both) {
      return mix.lambda * half(both, 0) + (1 - mix.lambda) * half(both, 1);
    };
    const auto& e = pairs.episodes();
    if (images) CHECK(half(e.support_y, 0).equal(half(e.support_y, 1)));
    const auto label = [&](const Tensor& both) { return images ? half(both, 0) : mixed(both); };
    const auto plain = maml().method({}, s.context);
    const EpisodeTask between =
        s.task(*plain, {mixed(e.support_x), mixed(e.query_x), label(e.support_y), label(e.query_y)});
    const Params meta = s.start(*method);
    const auto found = method->pass(meta, pairs, now, false),
               expected = plain->pass(meta, between, now, false);
    CHECK((found.loss - expected.loss).abs().max().item<double>() < 1e-12);
    for (size_t i = 0; i < meta.size(); ++i) {
      CHECK((found.gradient[i] - expected.gradient[i]).abs().max().item<double>() < 1e-10);
    }
    const auto own =
        s.task(*plain, {half(e.support_x, 0), half(e.query_x, 0), half(e.support_y, 0), half(e.query_y, 0)});
    CHECK(std::abs(loss_of(*plain, meta, own, now) - loss_of(*method, meta, pairs, now)) > 1e-4);
  }
}

TEST_CASE("MLTI with MAML at a hidden layer adapts the layers above it to mixed features", "[mlti]") {
  const Setting s(false);
  const auto method = mlti().method({}, s.context);
  const TaskMixer mixer{.config = {}, .shape = s.shape, .tasks = 4, .layers = 1};
  const Moment now = moment_with(mixer, 1);
  const double lambda = mixer.draw(now, 0).lambda;
  const EpisodeTask pairs = s.task(*method, method->draw(TaskSource(*s.dataset, s.shape, 4), now, 1));
  const Params meta = s.start(*method);
  const auto mixed = [&](const Tensor& both) {
    return lambda * half(both, 0) + (1 - lambda) * half(both, 1);
  };
  const auto features = [&](const Tensor& x) {  // [samples, 5]
    return torch::tanh(x[0].matmul(meta.at("layer0.weight")[0].t()) + meta.at("layer0.bias")[0]);
  };
  const auto& e = pairs.episodes();
  const Tensor h = mixed(features(e.support_x).unsqueeze(0))[0], y = mixed(e.support_y)[0];
  Tensor weight = meta.at("layer1.weight")[0], bias = meta.at("layer1.bias")[0];
  const Tensor error = h.matmul(weight.t()) + bias - y;  // the mean's gradient is 2 / samples of it
  const double rate = 0.05 * 2 / static_cast<double>(h.size(0));
  weight = weight - rate * error.t().matmul(h);
  bias = bias - rate * error.sum(0);
  const Tensor query = mixed(features(e.query_x).unsqueeze(0))[0];
  const double expected =
      (query.matmul(weight.t()) + bias - mixed(e.query_y)[0]).square().mean().item<double>();
  CHECK(loss_of(*method, meta, pairs, now) == Approx(expected).epsilon(1e-10));
}

TEST_CASE("MLTI: a task that is mixed with itself, label for label, stays what it is", "[mlti]") {
  Setting s(true, /*steps=*/0, /*tasks=*/1);
  const auto method = mlti().method({{"with", "prototypical"}, {"label_sharing", true}}, s.context);
  const auto plain = prototypical().method({}, s.context);
  const TaskSource source(*s.dataset, s.shape, 4);
  const Params meta = s.start(*method);
  for (int64_t i = 0; i < 4; ++i) {
    const Moment now{.seed = 4, .iteration = i};
    const double own = loss_of(*plain, meta, s.task(*plain, source.tasks(i, 0, 1)), now);
    CHECK(loss_of(*method, meta, s.task(*method, method->draw(source, now, 1)), now) ==
          Approx(own).epsilon(1e-9));
  }
  // Of several tasks, the partner is another one.
  s.context.tasks = 8;
  const auto other = mlti().method({{"with", "prototypical"}, {"label_sharing", true}}, s.context);
  double apart = 0;
  for (int64_t i = 0; i < 4; ++i) {
    const Moment now{.seed = 4, .iteration = i};
    apart += std::abs(loss_of(*plain, meta, s.task(*plain, source.tasks(i, 0, 1)), now) -
                      loss_of(*other, meta, s.task(*other, other->draw(source, now, 1)), now));
  }
  CHECK(apart > 1e-3);
}

TEST_CASE("MLTI with CutMix sees its own pixels in the box and the partner's around it", "[mlti]") {
  const Setting s(true);
  const auto method = mlti().method({{"mix", "cutmix"}}, s.context);
  TaskMixer mixer{.config = {.cutmix = true}, .shape = s.shape, .tasks = 4, .classes = true};
  mixer.height = mixer.width = 14;
  const Moment now = moment_with(mixer, 0);
  const TaskMix mix = mixer.draw(now, 0);
  const EpisodeTask pairs = s.task(*method, method->draw(TaskSource(*s.dataset, s.shape, 4), now, 1));
  const auto pasted = [](const Tensor& both, const CutBox& box) {
    const Tensor mask = torch::zeros({14, 14}, torch::kFloat64);
    for (int64_t row = box.top; row < box.bottom; ++row) {
      for (int64_t column = box.left; column < box.right; ++column) mask[row][column] = 1;
    }
    return mask * half(both, 0) + (1 - mask) * half(both, 1);
  };
  const auto& e = pairs.episodes();
  const auto plain = maml().method({}, s.context);
  const EpisodeTask between =
      s.task(*plain, {pasted(e.support_x, mix.support_box), pasted(e.query_x, mix.query_box),
                      half(e.support_y, 0), half(e.query_y, 0)});
  const Params meta = s.start(*method);
  CHECK(loss_of(*method, meta, pairs, now) == Approx(loss_of(*plain, meta, between, now)).epsilon(1e-10));
}

TEST_CASE("MLTI with shared labels weighs the labels of both tasks", "[mlti]") {
  const Setting s(true);
  const auto method = mlti().method({{"label_sharing", true}, {"layers", 0}}, s.context);
  const TaskMixer mixer{
      .config = {.label_sharing = true, .layers = 0}, .shape = s.shape, .tasks = 4, .classes = true};
  const Moment now = moment_with(mixer, 0);
  const TaskMix mix = mixer.draw(now, 0);
  const EpisodeTask pairs = s.task(*method, method->draw(TaskSource(*s.dataset, s.shape, 4), now, 1));
  const auto& e = pairs.episodes();
  CHECK_FALSE(half(e.support_y, 0).equal(half(e.support_y, 1)));
  // The gradient of the inner loss at phi_0 tells: one step from two plain losses, then the query loss.
  const auto plain = maml().method({}, s.context);
  const auto mixed = [&](const Tensor& both) {
    return mix.lambda * half(both, 0) + (1 - mix.lambda) * half(both, 1);
  };
  const auto with_labels = [&](int64_t which) {
    return s.task(*plain,
                  {mixed(e.support_x), mixed(e.query_x), half(e.support_y, which), half(e.query_y, which)});
  };
  const EpisodeTask mine = with_labels(0), theirs = with_labels(1);
  const Params meta = s.start(*method);
  const auto weighed = [&](Part part, const Params& phi, bool gradient) {
    const auto a = mine.loss_at(part, phi, 0), b = theirs.loss_at(part, phi, 0);
    const double l = mix.lambda;
    return std::pair(l * a->loss() + (1 - l) * b->loss(),
                     gradient ? l * a->gradient() + (1 - l) * b->gradient() : Params());
  };
  const Params phi = meta - 0.05 * weighed(Part::kSupport, meta, true).second;
  const double expected = weighed(Part::kQuery, phi, false).first.item<double>();
  CHECK(loss_of(*method, meta, pairs, now) == Approx(expected).epsilon(1e-9));
}

TEST_CASE("MLTI refuses what it cannot mix", "[mlti]") {
  const Setting curves(false), images(true);
  const auto make = [](const Texts& own, const Setting& s) { mlti().method(own, s.context); };
  CHECK_THROWS_WITH(make({{"mix", "cutmix"}}, curves), contains("cutmix needs images"));
  CHECK_THROWS_WITH(make({{"layers", 5}}, images), contains("expected at most 4"));
  CHECK_THROWS_WITH(make({{"with", "prototypical"}}, curves), contains("needs classes"));
  CHECK_THROWS_WITH(make({}, Setting(true, /*steps=*/0)), contains("inner.steps: 0 found"));
  CHECK_THROWS_WITH(make({{"beta", 0}}, images), contains("mlti.beta"));
  const auto method = mlti().method({}, images.context);
  const Moment now{.seed = 4};
  const auto pairs = images.task(*method, method->draw(TaskSource(*images.dataset, images.shape, 4), now, 1),
                                 BatchNormMode::kPerTaskRunning);
  CHECK_THROWS_WITH(method->pass(images.start(*method), pairs, now, false),
                    contains("per_task_running found"));
}
