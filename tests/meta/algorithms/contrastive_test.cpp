#include "meta/algorithms/contrastive.h"

#include <cmath>

#include "base/error.h"
#include "meta/algorithms/contrastive_heads.h"
#include "meta/algorithms/contrastive_views.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

// Images of positive noise: rectified units let it through.
class Pictures : public Dataset {
 public:
  explicit Pictures(std::vector<int64_t> input, bool classification = true) {
    spec_.name = "pictures";
    spec_.input = std::move(input);
    spec_.classification = classification;
  }
  const DatasetSpec& spec() const override { return spec_; }
  void check(Split, const EpisodeShape&) const override {}
  int64_t classes(Split) const override { return 7; }
  void draw(Split, const EpisodeShape&, Stream&, Episodes&, int64_t) const override {}
  Labelled draw_labelled(Split, int64_t samples, Stream& stream, torch::ScalarType) const override {
    std::vector<int64_t> sizes{1, samples};
    sizes.insert(sizes.end(), spec_.input.begin(), spec_.input.end());
    const Tensor x = torch::empty(sizes, torch::kFloat32);
    for (int64_t i = 0; i < x.numel(); ++i) x.data_ptr<float>()[i] = static_cast<float>(stream.uniform());
    return {x, torch::zeros({1, samples}, torch::kInt64)};
  }

 private:
  DatasetSpec spec_;
};

// The method on a network whose features are the pixels themselves, in float64.
struct OnPixels {
  Pictures dataset;
  std::unique_ptr<Method> method;
  Params meta;

  OnPixels(const Texts& own, std::vector<int64_t> input, const char* activation = "relu", int64_t wide = 0)
      : dataset(input) {
    const int64_t pixels = input[0] * input[1] * input[2], hidden = wide == 0 ? pixels : wide;
    const MethodContext context{
        .inner = {.steps = 0},
        .network =
            [=](int64_t outputs) {
              return make_network(
                  {.name = "mlp", .own = {{"hidden", concat(hidden)}, {"activation", activation}}}, input,
                  outputs);
            },
        .outputs = 2,
        .dataset = &dataset,
        .shape = {2, 1, 1}};
    method = contrastive().method(own, context);
    Stream stream(StreamKey{});
    meta = method->initial(stream).to(torch::kFloat64).cloned();
    if (wide > 0) return;
    meta.at("layer0.weight").copy_(torch::eye(pixels, torch::kFloat64).unsqueeze(0));
    meta.at("layer0.bias").zero_();
  }

  EpisodeTask task(const Episodes& e) const {
    return {method->network(true), e, {2, 1, 1}, LossReduction::kMean, BatchNormMode::kNone};
  }
  EpisodeTask drawn(const Moment& now, int64_t count) const {
    const Episodes e = method->draw(TaskSource(dataset, {2, 1, 1}, now.seed), now, count);
    return task({e.support_x.to(torch::kFloat64), e.query_x.to(torch::kFloat64), e.support_y, e.query_y});
  }
};

Tensor rows(const std::vector<double>& flat) { return torch::tensor(flat, torch::kFloat64).view({1, -1, 2}); }

const Tensor kFirst = rows({1, 0, 0, 1}), kSecond = rows({.8, .6, .6, .8});

// What a single query (.8, .6) of image 0 adds to the mean with the mirrored one of image 1 beside it.
double cross_entropy(double own, double other) { return std::log1p(std::exp(other - own)); }

Texts with(Texts own, const std::vector<std::pair<const char*, Texts::Value>>& more) {
  for (const auto& [key, value] : more) own.set(key, value.text());
  return own;
}

const Texts kNoViews{{"crop_least", 1}, {"flip", 0}, {"projector", 0}};

}  // namespace

// Rows .12722344, .12722344, 1.80638002, 1.80638002.
TEST_CASE("contrastive: the losses of two views are those of the oracle", "[meta]") {
  CHECK(nt_xent_loss(kFirst, kSecond, 10).item<double>() == Approx(.96680173).epsilon(1e-8));
  CHECK(nt_xent_loss(3 * kFirst, .5 * kSecond, 10).item<double>() == Approx(.96680173).epsilon(1e-8));
  // Logits -.4 and -.8: p = .59868766.
  CHECK(prototype_loss(kFirst, kSecond, 1).item<double>() == Approx(-std::log(.59868766)).epsilon(1e-7));
  CHECK(prototype_loss(kFirst, kSecond, .1).item<double>() == Approx(cross_entropy(-4, -8)));
  // W = I / 2: logits .4 and .3. With temperature .1 and lambda 50: W = sqrt(10) / 60 I, logits 8 / 60, 6
  // / 60.
  CHECK(ridge_loss(kFirst, kSecond, 1, 1).item<double>() == Approx(cross_entropy(.4, .3)));
  CHECK(ridge_loss(kFirst, kSecond, .1, 50).item<double>() == Approx(cross_entropy(8. / 60, 6. / 60)));
  // Between unit vectors the prototypes' softmax is that of 2 cos / temperature.
  CHECK(prototype_loss(kFirst, kSecond, .2).item<double>() == Approx(cross_entropy(8, 6)));
}

TEST_CASE("contrastive: losses are of each task apart, and finite where an embedding is zero", "[meta]") {
  const Tensor first = torch::cat({kFirst, kSecond}), second = torch::cat({kSecond, rows({1, .1, .3, .5})});
  const Tensor both = nt_xent_loss(first, second, 7);
  CHECK(both[0].item<double>() == Approx(nt_xent_loss(kFirst, kSecond, 7).item<double>()));
  CHECK(both[1].item<double>() == Approx(nt_xent_loss(kSecond, rows({1, .1, .3, .5}), 7).item<double>()));
  const Tensor zero = torch::zeros({1, 2, 2}, torch::kFloat64);
  CHECK(nt_xent_loss(zero, zero, 10).item<double>() == Approx(std::log(3)));
  CHECK(prototype_loss(zero, zero, .1).item<double>() == Approx(std::log(2)));
}

TEST_CASE("contrastive: each head trains by its loss on the features, and solves tasks by the nearest mean",
          "[meta]") {
  const Episodes views{kFirst.view({1, 2, 1, 1, 2}), kSecond.view({1, 2, 1, 1, 2}),
                       torch::tensor({{0, 1}}, torch::kInt64), torch::tensor({{0, 1}}, torch::kInt64)};
  const auto loss = [&](const Texts& own) {
    const OnPixels at(with(kNoViews, {{"images", 2}, {"head", own.values().at("head")}}), {1, 1, 2});
    return at.method->pass(at.meta, at.task(views), {}, false).loss.item<double>();
  };
  CHECK(loss({{"head", "nt_xent"}}) == Approx(.96680173).epsilon(1e-8));
  CHECK(loss({{"head", "prototypical"}}) == Approx(cross_entropy(16, 12)));  // hand: 2 cos / .1
  CHECK(loss({{"head", "r2d2"}}) == Approx(cross_entropy(8. / 60, 6. / 60)));

  const Episodes held_out{
      torch::tensor({1., 0., 3., 1., 0., 2., 0., 1.}, torch::kFloat64).view({1, 4, 1, 1, 2}),
      kSecond.view({1, 2, 1, 1, 2}), torch::tensor({{0, 0, 1, 1}}, torch::kInt64),
      torch::tensor({{0, 1}}, torch::kInt64)};
  const auto scores = [&](const char* nearest) {
    const OnPixels at(with(kNoViews, {{"nearest", nearest}}), {1, 1, 2});
    return at.method->predict(at.meta, at.task(held_out), 0, {.training = false})[0];
  };
  // Means (2, .5) and (0, 1.5).
  const Tensor cosine = scores("cosine"), squared = scores("squared");
  CHECK(cosine[0][0][0].item<double>() == Approx((.8 * 2 + .6 * .5) / std::sqrt(4.25)));
  CHECK(cosine[0][1][1].item<double>() == Approx(.8));
  CHECK(squared[0][0][0].item<double>() == Approx(-(1.44 + .01)));
  CHECK(squared[0][1][1].item<double>() == Approx(-(.36 + .49)));
}

TEST_CASE("contrastive: mixed queries are a box or a blend of two, by the share that weighs them", "[meta]") {
  const Pictures dataset({3, 6, 6});
  ContrastiveConfig config{.images = 4, .cutmix_weight = 1};
  config.views = {.crop_least = 1, .crop_most = 1, .flip = 0};
  const TaskSource source(dataset, {2, 1, 1}, 5);
  double least = 1, most = 0;
  int linear = 0;
  for (int64_t iteration = 0; iteration < 60; ++iteration) {
    const Moment now{.seed = 5, .iteration = iteration};
    const ContrastiveViews views(config, dataset.spec());
    const Episodes e = views.draw(source, now, 1);
    const auto mix = views.mix(now, 0);
    const Tensor own = e.query_x[0].narrow(0, 0, 4), mixed = e.query_x[0].narrow(0, 4, 4);
    const Tensor other = own.flip({0});
    CHECK(own.equal(e.support_x[0]));
    if (mix.linear) {
      ++linear;
      CHECK(torch::allclose(mixed, mix.lambda * own + (1 - mix.lambda) * other, 1e-5, 1e-6));
      continue;
    }
    least = std::min(least, mix.lambda), most = std::max(most, mix.lambda);
    const Tensor kept = mixed.eq(own);
    CHECK(kept.logical_or(mixed.eq(other)).all().item<bool>());
    CHECK(kept.to(torch::kFloat64).mean().item<double>() == Approx(mix.lambda));
  }
  CHECK(linear > 15);
  CHECK(linear < 45);
  CHECK(least < 0.6);  // a box is at most 4 of 6 pixels wide
  CHECK(most > 0.9);
}

TEST_CASE("contrastive: turned views are turned as their labels say, turned images alike in both views",
          "[meta]") {
  const Pictures dataset({1, 5, 5});
  ContrastiveConfig config{.images = 40, .rotation_weight = 1, .rotation_share = 0.75};
  config.views = {.crop_least = 0.5, .flip = 0.5};
  const TaskSource source(dataset, {2, 1, 1}, 5);
  const Moment now{.seed = 5, .iteration = 3, .first_task = 2};
  const ContrastiveViews views(config, dataset.spec());
  const Episodes e = views.draw(source, now, 2);
  CHECK(e.query_x.sizes() == at::IntArrayRef({2, 100, 1, 5, 5}));
  for (int64_t t = 0; t < 2; ++t) {
    const auto quarters = views.turns(now, t);
    REQUIRE(quarters.size() == 60);
    const Tensor before = torch::cat({e.support_x[t], e.query_x[t].narrow(0, 0, 40)});
    int64_t seen[4] = {};
    for (int64_t i = 0; i < 60; ++i) {
      const int64_t k = quarters[static_cast<size_t>(i)];
      ++seen[k];
      CHECK(e.query_x[t][40 + i].equal(torch::rot90(before[i], k, {1, 2})));
      CHECK(e.query_y[t][40 + i].item<int64_t>() == i % 40);
    }
    for (const int64_t count : seen) CHECK(count > 3);
  }
  CHECK(e.query_x[1].equal(views.draw(source, {.seed = 5, .iteration = 3, .first_task = 3}, 1).query_x[0]));
  CHECK(!e.support_x[0].equal(e.query_x[0].narrow(0, 0, 40)));  // two views

  config = {.images = 40, .turn = 0.5};
  config.views = {.crop_least = 1, .crop_most = 1, .flip = 0};
  const Episodes turned = ContrastiveViews(config, dataset.spec()).draw(source, now, 1);
  CHECK(turned.support_x.equal(turned.query_x));
  const Tensor images = source.labelled(3, 2, 40).support_x[0];
  int64_t other = 0;
  for (int64_t i = 0; i < 40; ++i) {
    int64_t found = -1;
    for (int64_t k = 0; k < 4; ++k) {
      if (turned.support_x[0][i].equal(torch::rot90(images[i], k, {1, 2}))) found = k;
    }
    CHECK(found >= 0);
    other += found > 0 ? 1 : 0;
  }
  CHECK(other > 6);  // 15 of 40 expected
  CHECK(other < 26);
}

TEST_CASE("contrastive: the loss is the head's, the mixtures' and the turns', each by its weight", "[meta]") {
  const Texts own = with(kNoViews, {{"images", 4},
                                    {"head", "prototypical"},
                                    {"temperature", 0.5},
                                    {"cutmix_weight", 0.7},
                                    {"rotation_weight", 0.3},
                                    {"flip", 0.5}});
  OnPixels at(own, {1, 3, 3});
  const Tensor weight = normal_like(Params({{"w", torch::zeros({1, 4, 9}, torch::kFloat64)}}), 2)[0];
  at.meta.at("contrastive.rotation.weight").copy_(weight);
  at.meta.at("contrastive.rotation.bias").copy_(torch::tensor({{.1, .2, .3, .4}}, torch::kFloat64));
  const Moment now{.seed = 9, .iteration = 4};
  const EpisodeTask task = at.drawn(now, 1);
  const Tensor x = torch::cat({task.episodes().support_x, task.episodes().query_x}, 1).flatten(2);
  const auto part = [&](int64_t from, int64_t count) { return x.narrow(1, from, count); };

  ContrastiveConfig config{.images = 4, .rotation_weight = 0.3, .cutmix_weight = 0.7};
  const ContrastiveViews views(config, at.dataset.spec());
  const double lambda = views.mix(now, 0).lambda;
  double expected = prototype_loss(part(0, 4), part(4, 4), .5).item<double>();
  expected += .7 * lambda * prototype_loss(part(0, 4), part(8, 4), .5).item<double>();
  expected += .7 * (1 - lambda) * prototype_loss(part(0, 4), part(8, 4).flip({1}), .5).item<double>();
  const auto turns = views.turns(now, 0);
  for (int64_t i = 0; i < 8; ++i) {
    const Tensor z = part(12, 8)[0][i];
    const Tensor logits =
        weight[0].mv(z / z.norm() / std::sqrt(.5)) + torch::tensor({.1, .2, .3, .4}, torch::kFloat64);
    expected -= .3 / 8 * torch::log_softmax(logits, 0)[turns[static_cast<size_t>(i)]].item<double>();
  }
  CHECK(at.method->pass(at.meta, task, now, false).loss.item<double>() == Approx(expected));
  CHECK(at.method->initialisation(at.meta).names() ==
        std::vector<std::string>{"layer0.weight", "layer0.bias"});
}

TEST_CASE("contrastive: the gradient through projector, head and tricks equals finite differences",
          "[meta]") {
  const auto head = GENERATE(as<std::string>{}, "nt_xent", "prototypical", "r2d2");
  const Texts own{{"images", 4},         {"head", head},          {"projector", 3},
                  {"cutmix_weight", .7}, {"rotation_weight", .3}, {"turn", 0.5}};
  OnPixels at(own, {1, 4, 4}, "tanh", 5);
  const Moment now{.seed = 3, .iteration = 1};
  const EpisodeTask task = at.drawn(now, 2);
  const Params meta = at.meta + 0.3 * normal_like(at.meta, 4);
  const auto found = check_gradient(
      [&](const Params& p) { return at.method->pass(p, task, now, false).loss.sum().item<double>(); },
      [&](const Params& p) { return at.method->pass(p, task, now, false).gradient; }, meta, 1e-6);
  INFO(found.text());
  CHECK(found.relative < 1e-6);
  // The guard: other turns and mixtures have another gradient.
  const Params other = at.method->pass(meta, task, {.seed = 3, .iteration = 2}, false).gradient;
  CHECK(distance(other, at.method->pass(meta, task, now, false).gradient) > 1e-3);
}

TEST_CASE("contrastive: what cannot be is refused by its key", "[meta]") {
  const auto refused = [](const Texts& own, Pictures dataset, const std::string& why) {
    const auto network = [&](int64_t outputs) {
      return make_network({.name = "mlp"}, dataset.spec().input, outputs);
    };
    CHECK_THROWS_WITH(contrastive().method(own, {.network = network, .dataset = &dataset}), contains(why));
  };
  refused({{"head", "simclr"}}, Pictures({1, 4, 4}), "contrastive.head");
  refused({{"images", 1}}, Pictures({1, 4, 4}), "contrastive.images");
  refused({{"turn", 0.5}}, Pictures({1, 4, 5}),
          "only square images can be turned, those of pictures are 4 x 5");
  refused({{"grey", 0.2}}, Pictures({1, 4, 4}), "contrastive.grey: 0.2 found, expected 0");
  refused({}, Pictures({2}), "pictures has none");
  refused({}, Pictures({1, 4, 4}, false), "needs classes");
}
