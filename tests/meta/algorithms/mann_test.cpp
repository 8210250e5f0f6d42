#include "meta/algorithms/mann.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/permutation.h"
#include "datasets/dataset.h"
#include "meta/method.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

const Texts kSmall{{"hidden", 3}, {"slots", 4}, {"size", 2}, {"reads", 2}};
const Texts kPort{{"hidden", 3},
                  {"slots", 4},
                  {"size", 2},
                  {"reads", 2},
                  {"write", "vector"},
                  {"gate", "controller"},
                  {"least_used", "one_each"}};

// Images of two pixels.
class Pixels : public Dataset {
 public:
  Pixels() {
    spec_.name = "pixels";
    spec_.input = {1, 1, 2};
    spec_.classification = true;
  }
  const DatasetSpec& spec() const override { return spec_; }
  void check(Split, const EpisodeShape&) const override {}
  void draw(Split, const EpisodeShape&, Stream&, Episodes&, int64_t) const override {}

 private:
  DatasetSpec spec_;
};

struct Small {
  Pixels dataset;
  std::unique_ptr<Method> method;
  Params meta;

  explicit Small(const Texts& own) {
    method = mann().method(
        own, {.outputs = 2, .dataset = &dataset, .shape = {.ways = 2, .shots = 1, .queries = 2}, .tasks = 4});
    Stream stream(StreamKey{5, Purpose::kTest});
    const Params start = method->initial(stream).to(torch::kFloat64);
    meta = start + 0.3 * normal_like(start, 4);
  }
  EpisodeTask task(const Episodes& e) const {
    return {method->network(true), e, {2, 1, 2}, LossReduction::kMean, BatchNormMode::kNone};
  }
  Tensor scores(const Episodes& e, const Moment& now) const {
    const auto found = method->predict(meta, task(e), 3, now);
    CHECK(found.size() == 1);
    return found.front();
  }
};

// T tasks of two classes, one support and two query samples of each.
Episodes noise(int64_t tasks) {
  const auto images = [tasks](int64_t samples, uint64_t seed) {
    return normal_like(Params({{"x", torch::zeros({tasks, samples, 1, 1, 2}, torch::kFloat64)}}), seed)[0];
  };
  return {.support_x = images(2, 1),
          .query_x = images(4, 2),
          .support_y = torch::tensor({{0, 1}}, torch::kInt64).repeat({tasks, 1}),
          .query_y = torch::tensor({{0, 0, 1, 1}}, torch::kInt64).repeat({tasks, 1})};
}

Episodes slice(const Episodes& e, int64_t t) {
  return {e.support_x.narrow(0, t, 1), e.query_x.narrow(0, t, 1), e.support_y.narrow(0, t, 1),
          e.query_y.narrow(0, t, 1)};
}

using Numbers = std::vector<double>;

// The equations of the header in plain loops, for one read; `now` decides the order of the support samples.
Numbers plain_scores(const Params& p, const Episodes& e, const Moment& now, int64_t query) {
  constexpr size_t kHidden = 3, kSlots = 4, kSize = 2, kWays = 2;
  const auto times = [&](const std::string& name, const Numbers& x) {
    const Tensor w = p.at(name + ".weight");
    Numbers out;
    for (int64_t o = 0; o < w.size(1); ++o) {
      double sum = 0;
      for (int64_t i = 0; i < w.size(2); ++i) sum += w[0][o][i].item<double>() * x[static_cast<size_t>(i)];
      out.push_back(sum);
    }
    return out;
  };
  const auto bias = [&](const std::string& name, size_t i) {
    return p.at(name + ".bias")[0][static_cast<int64_t>(i)].item<double>();
  };
  const auto sigma = [](double x) { return 1 / (1 + std::exp(-x)); };
  Numbers h(kHidden, 0), c(kHidden, 0), r(kSize, 0), wr{1, 0, 0, 0}, wu{1, 0, 0, 0};
  std::vector<Numbers> m(kSlots, Numbers(kSize, 1e-6));
  Numbers scores;
  const auto step = [&](const Tensor& image, const Numbers& label) {
    const Tensor pixels = image.flatten();
    const Numbers in =
        times("input", {pixels[0].item<double>(), pixels[1].item<double>(), label[0], label[1]});
    const Numbers of_r = times("read", r), of_h = times("hidden", h);
    for (size_t n = 0; n < kHidden; ++n) {
      const auto gate = [&](size_t g) {
        const size_t i = g * kHidden + n;
        return in[i] + of_r[i] + of_h[i] + bias("input", i);
      };
      c[n] = sigma(gate(0)) * c[n] + sigma(gate(1)) * std::tanh(gate(3));
      h[n] = sigma(gate(2)) * std::tanh(c[n]);
    }
    Numbers k = times("key", h);
    for (size_t i = 0; i < kSize; ++i) k[i] = std::tanh(k[i] + bias("key", i));
    const auto least = static_cast<size_t>(std::min_element(wu.begin(), wu.end()) - wu.begin());
    const double share = sigma(bias("gate", 0));
    Numbers ww(kSlots), weight(kSlots);
    double sum = 0;
    for (size_t i = 0; i < kSlots; ++i) {
      ww[i] = share * wr[i] + (i == least ? 1 - share : 0);
      double dot = 0, mm = 0, kk = 0;
      for (size_t j = 0; j < kSize; ++j) {
        m[i][j] = (i == least ? 0 : m[i][j]) + ww[i] * k[j];
        dot += m[i][j] * k[j];
        mm += m[i][j] * m[i][j];
        kk += k[j] * k[j];
      }
      sum += weight[i] = std::exp(dot / std::sqrt(mm * kk));
    }
    r.assign(kSize, 0);
    for (size_t i = 0; i < kSlots; ++i) {
      wr[i] = weight[i] / sum;
      wu[i] = 0.95 * wu[i] + wr[i] + ww[i];
      for (size_t j = 0; j < kSize; ++j) r[j] += wr[i] * m[i][j];
    }
    Numbers both = h;
    both.insert(both.end(), r.begin(), r.end());
    scores = times("output", both);
    for (size_t w = 0; w < kWays; ++w) scores[w] += bias("output", w);
  };
  Stream stream = now.stream(0);
  Permutation order(2, stream);
  Numbers label{0, 0};
  for (int i = 0; i < 2; ++i) {
    const int64_t place = order.next();
    step(e.support_x[0][place], label);
    label = e.support_y[0][place].item<int64_t>() == 0 ? Numbers{1, 0} : Numbers{0, 1};
  }
  step(e.query_x[0][query], label);
  return scores;
}

}  // namespace

TEST_CASE("mann: a query's scores are those of the equations in plain loops", "[meta]") {
  const Small small({{"hidden", 3}, {"slots", 4}, {"size", 2}, {"reads", 1}});
  const Episodes e = noise(1);
  for (const uint64_t seed : {1, 2, 3, 4}) {
    const Moment now{.seed = seed, .training = false};
    const Tensor found = small.scores(e, now);
    for (int64_t q = 0; q < 4; ++q) {
      const Numbers expected = plain_scores(small.meta, e, now, q);
      CHECK(found[0][q][0].item<double>() == Approx(expected[0]));
      CHECK(found[0][q][1].item<double>() == Approx(expected[1]));
    }
  }
}

// Whatever the images, all steps of the sequence count: two support and four query samples.
TEST_CASE("mann: without an output layer each step of a sequence costs log of the ways", "[meta]") {
  Small small(kSmall);
  small.meta.at("output.weight").zero_();
  small.meta.at("output.bias").zero_();
  const auto found = small.method->pass(small.meta, small.task(noise(3)), {}, true);
  CHECK(torch::allclose(found.loss, torch::full({3}, 6 * std::log(2.0), torch::kFloat64)));
  CHECK(found.output.sizes() == at::IntArrayRef({3, 4, 2}));
}

TEST_CASE("mann: a prediction sees the support labels, but no query's label and no other query", "[meta]") {
  const Small small(kSmall);
  const Moment now{.seed = 1, .training = false};
  const Episodes e = noise(1);
  const Tensor scores = small.scores(e, now);
  Episodes other = e;
  other.query_y = 1 - e.query_y;
  CHECK(torch::equal(small.scores(other, now), scores));
  other = e;
  other.query_x = e.query_x.narrow(1, 2, 1);
  other.query_y = e.query_y.narrow(1, 2, 1);
  CHECK(torch::allclose(small.scores(other, now)[0][0], scores[0][2]));
  other = e;
  other.support_y = 1 - e.support_y;
  CHECK_FALSE(torch::allclose(small.scores(other, now), scores));
}

TEST_CASE("mann: tasks of a chunk are what each is alone, in losses, scores and gradient", "[meta]") {
  const Small small(kSmall);
  const Episodes e = noise(3);
  const auto together = small.method->pass(small.meta, small.task(e), {.seed = 2, .first_task = 5}, true);
  Params sum = small.meta.zeros_like();
  for (int64_t t = 0; t < 3; ++t) {
    const auto alone =
        small.method->pass(small.meta, small.task(slice(e, t)), {.seed = 2, .first_task = 5 + t}, true);
    CHECK(torch::allclose(alone.loss[0], together.loss[t]));
    CHECK(torch::allclose(alone.output[0], together.output[t]));
    sum = sum + alone.gradient;
  }
  CHECK(distance(sum, together.gradient) < 1e-10);
  CHECK_FALSE(torch::allclose(together.loss, small.method->pass(small.meta, small.task(e), {}, false).loss));
}

TEST_CASE("mann: the gradient equals finite differences, by the paper and by the port", "[meta]") {
  Texts before = kSmall;
  before.set("read", "before_write");
  for (const auto& own : {kSmall, kPort, before}) {
    const Small small(own);
    const auto task = small.task(noise(2));
    const auto found = check_gradient(
        [&](const Params& p) { return small.method->pass(p, task, {}, false).loss.sum().item<double>(); },
        [&](const Params& p) { return small.method->pass(p, task, {}, false).gradient; }, small.meta, 1e-5);
    INFO(found.text());
    CHECK(found.relative < 1e-6);
    CHECK(small.meta.contains("vector.weight") == (own == kPort));
  }
}

TEST_CASE("mann: a label scaled is one whose input weights are", "[meta]") {
  Texts own = kSmall;
  own.set("label_scale", "3");
  const Small scaled(own), plain(kSmall);
  std::vector<Tensor> values = plain.meta.tensors();
  for (size_t i = 0; i < values.size(); ++i) {
    if (plain.meta.name(i) == "input.weight") {
      values[i] = values[i].clone();
      values[i].narrow(2, 2, 2).mul_(3);  // two pixels, then two labels
    }
  }
  const auto task = plain.task(noise(2));
  const auto found = scaled.method->pass(plain.meta, task, {}, true);
  const auto expected = plain.method->pass(plain.meta.with(std::move(values)), task, {}, true);
  CHECK(torch::allclose(found.loss, expected.loss));
  CHECK(torch::allclose(found.output, expected.output));
  CHECK_FALSE(torch::allclose(found.loss, plain.method->pass(plain.meta, task, {}, true).loss));
}

TEST_CASE("mann: what it cannot do is refused, naming the key", "[meta]") {
  CHECK_THROWS_WITH(Small({{"reads", 5}, {"slots", 4}}), contains("mann.reads: 5 found"));
  const auto sine = make_dataset({.name = "sine"});
  CHECK_THROWS_WITH(mann().method({}, {.dataset = sine.get()}), contains("needs classes"));
}
