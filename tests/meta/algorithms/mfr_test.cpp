#include "meta/algorithms/mfr.h"

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/algorithms/domain_batches.h"
#include "meta/algorithms/domain_method.h"
#include "meta/algorithms/registry.h"
#include "meta/supervised/supervised_meta_learner.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

Tensor rows(const std::vector<double>& flat) { return torch::tensor(flat, torch::kFloat64).view({-1, 2}); }

// One task, one domain: g = (1,0), (0,1), (.6,.8); p = (.8,.6), (.6,.8), (0,1). M = [[.8,.6,0], [.6,.8,1],
// [.96,1,.8]].
DomainPairs three() {
  return {rows({1, 0, 0, 1, 0.6, 0.8}).view({1, 1, 3, 2}),
          rows({0.8, 0.6, 0.6, 0.8, 0, 1}).view({1, 1, 3, 2})};
}

Tensor normal(const std::vector<int64_t>& sizes, uint64_t seed) {
  return normal_like(Params({{"x", torch::zeros(sizes, torch::kFloat64)}}), seed)[0];
}

const Dataset& styled_data() {
  static const auto made = make_dataset({.name = "styled_strokes", .own = {{"image_size", 14}}});
  return *made;
}

MethodContext context(int64_t tasks, EpisodeShape shape = {4, 1, 1}) {
  return {.inner = {.steps = 1, .step_size = 0.05},
          .network =
              [](int64_t outputs) {
                return make_network({.name = "conv4", .batch_norm = "batch", .own = {{"filters", 3}}},
                                    {1, 14, 14}, outputs);
              },
          .outputs = 4,
          .dataset = &styled_data(),
          .shape = shape,
          .tasks = tasks};
}

}  // namespace

// P = {1, 2, 3}: 1 - .8 = .2; N = {(2,3), (3,1), (3,2)}: (0 + .04 + 0) / 3.
TEST_CASE("mfr: the loss of hard pairs is that worked out by hand", "[meta]") {
  CHECK(hard_pair_loss(three(), 0.85, 0.9).item<double>() == Approx(0.18666667));
  CHECK(hard_pair_loss(three(), 0.85, 0.75).item<double>() == Approx(0.18666667));  // not of the diagonal
  CHECK(hard_pair_loss(three(), 0.85, 2).item<double>() == Approx(0.2));            // no hard pair of two
  CHECK(hard_pair_loss(three(), -1, 0.9).item<double>() == Approx(-0.04 / 3));      // none of one
  CHECK(hard_pair_loss(three(), -1, 2).item<double>() == 0);
  CHECK(hard_pair_loss(three(), 0.8, 2).item<double>() == Approx(0).margin(1e-6));  // not below, but at
  // Two domains: the mean.
  const DomainPairs one = three();
  const DomainPairs two{torch::cat({one.gallery, one.gallery}, 1), torch::cat({one.probe, one.gallery}, 1)};
  // Of the second M = [[1,0,.6], [0,1,.8], [.6,.8,1]]: neither set has a pair.
  CHECK(hard_pair_loss(two, 0.85, 0.9).item<double>() == Approx(0.18666667 / 2));
}

// Means of two domains: (.5, .5) and (0, 1), between them (.25, .75): each is (.25, .25) away.
TEST_CASE("mfr: the alignment of domains is that worked out by hand", "[meta]") {
  const Tensor gallery = rows({1, 0, 0, 1}).view({1, 2, 1, 2}), probe = rows({0, 1, 0, 1}).view({1, 2, 1, 2});
  CHECK(domain_alignment_loss({gallery, probe}, 1).item<double>() == Approx(0.125));
  CHECK(domain_alignment_loss({gallery, probe}, 4).item<double>() == Approx(2));
  CHECK(domain_alignment_loss({gallery.narrow(1, 0, 1), probe.narrow(1, 0, 1)}, 4).item<double>() == 0);
}

// Classes 0 and 1 of domain 0, class 2 of domain 1; y = (3, 0) has cosines 1, 0, .6 to them.
TEST_CASE("templates score by cosine, and of a domain its own alone are in question", "[meta]") {
  const Tensor y = rows({3, 0}).view({1, 1, 2}), templates = rows({5, 0, 0, 1, 0.6, 0.8}).view({1, 3, 2});
  const Tensor scores = template_scores(y, templates, 2);
  CHECK(torch::allclose(scores.flatten(), torch::tensor({2.0, 0.0, 1.2}, torch::kFloat64)));
  const Tensor domains = torch::tensor({0, 0, 1}, torch::kInt64);
  const auto loss = [&](int64_t label) {
    const Tensor labels = torch::full({1, 1}, label, torch::kInt64);
    return mean_cross_entropy(within_domain(scores, labels, domains), labels).item<double>();
  };
  CHECK(loss(0) == Approx(std::log(1 + std::exp(-2))));
  CHECK(loss(1) == Approx(std::log(1 + std::exp(2))));
  CHECK(loss(2) == Approx(0).margin(1e-12));  // alone in its domain
}

TEST_CASE("a step's rotations share the batches of its domains, each of which is once unseen", "[meta]") {
  const DomainBatches batches("mfr", context(3));
  const TaskSource source(styled_data(), {4, 1, 1}, 5);
  const Episodes all = batches.rotations(source, {.seed = 5, .iteration = 2}, 3);
  CHECK(all.support_x.sizes() == std::vector<int64_t>{3, 16, 1, 14, 14});
  CHECK(all.query_x.sizes() == std::vector<int64_t>{3, 8, 1, 14, 14});
  const auto half = [](const Tensor& x, int64_t first) { return x.narrow(0, first, 8); };
  CHECK(half(all.support_x[0], 0).equal(all.query_x[1]));
  CHECK(half(all.support_x[0], 8).equal(all.query_x[2]));
  CHECK(half(all.support_x[2], 0).equal(all.query_x[0]));
  CHECK(half(all.support_y[1], 8).equal(all.query_y[2]));
  const Episodes last = batches.rotations(source, {.seed = 5, .iteration = 2, .first_task = 2}, 1);
  CHECK(last.query_x[0].equal(all.query_x[2]));
  // One domain to a batch, the gallery's labels again those of the probes.
  std::set<int64_t> domains;
  for (int64_t r = 0; r < 3; ++r) {
    const Tensor of = batches.domain_of_class().index_select(0, all.query_y[r]);
    CHECK(of.min().item<int64_t>() == of.max().item<int64_t>());
    domains.insert(of[0].item<int64_t>());
    CHECK(all.query_y[r].narrow(0, 0, 4).equal(all.query_y[r].narrow(0, 4, 4)));
    CHECK_FALSE(all.query_x[r].narrow(0, 0, 4).equal(all.query_x[r].narrow(0, 4, 4)));
  }
  CHECK(domains.size() == 3);
  // Of four training domains other three in another step.
  std::set<int64_t> seen;
  for (int64_t i = 0; i < 12; ++i) {
    const auto e = batches.rotations(source, {.seed = 5, .iteration = i}, 1);
    seen.insert(batches.domain_of_class()[e.query_y[0][0].item<int64_t>()].item<int64_t>());
  }
  CHECK(seen.size() == 4);
  // The plain learners see the same images.
  const Episodes each = batches.each_domain(source, {.seed = 5, .iteration = 2}, 3);
  CHECK(torch::cat({each.support_x[1], each.query_x[1]}).equal(all.query_x[1]));
  CHECK(each.query_y[1].equal(all.query_y[1].narrow(0, 4, 4)));
}

// The update by its definition, theta' by hand: gamma L_S(theta) + (1 - gamma) L_T(theta - alpha grad L_S).
TEST_CASE("mfr: the update mixes gradient and meta-gradient, with second derivatives unless first_order",
          "[meta]") {
  for (const double gamma : {0.0, 0.3, 1.0}) {
    auto setting = context(3, {3, 1, 1});
    const Texts own{{"embedding", 4}, {"scale", 6}, {"gamma", gamma}, {"alignment", 0.02}};
    const auto method = mfr().method(own, setting);
    setting.inner.first_order = true;
    const auto first_order = mfr().method(own, setting);
    Stream stream(StreamKey{});
    const Params start = method->initial(stream).to(torch::kFloat64);
    const Params meta = start + 0.05 * normal_like(start, 4);
    const TaskSource source(styled_data(), {3, 1, 1}, 1);
    Episodes e = method->draw(source, {}, 1);
    // Noise: no two numbers are equal, so that no unit switches within a difference.
    e.support_x = normal(e.support_x.sizes().vec(), 21);
    e.query_x = normal(e.query_x.sizes().vec(), 22);
    const EpisodeTask task(method->network(true), e, EpisodeShape{3, 1, 1}, LossReduction::kMean,
                           BatchNormMode::kBatch);
    // By autograd through everything.
    const DomainBatches batches("mfr", setting);
    const auto loss = [&](const Params& p, Part part, int64_t domains) {
      const Tensor y = task.forward(part, p, method->network(true));
      const Tensor labels = part == Part::kSupport ? e.support_y : e.query_y;
      const DomainPairs pairs = domain_pairs(y, domains);
      const Tensor scores = template_scores(y, p.at("mfr.templates"), 6);
      Tensor out = hard_pair_loss(pairs, 0.3, 0.04) +
                   mean_cross_entropy(within_domain(scores, labels, batches.domain_of_class()), labels);
      if (part == Part::kSupport) out = out + 0.02 * domain_alignment_loss(pairs, 6);
      return out.sum();
    };
    const auto expected_loss = [&](const Params& p) {
      const torch::AutoGradMode graph(true);
      std::vector<Tensor> leaves;
      for (const auto& entry : p) leaves.push_back(entry.value.detach().clone().requires_grad_(true));
      const Params theta = p.with(leaves);
      const Tensor train = loss(theta, Part::kSupport, 2);
      const auto gradient = torch::autograd::grad({train}, leaves);
      std::vector<Tensor> moved;
      for (size_t i = 0; i < leaves.size(); ++i) moved.push_back((leaves[i] - 0.05 * gradient[i]).detach());
      return (gamma * train + (1 - gamma) * loss(p.with(moved), Part::kQuery, 1)).detach().item<double>();
    };
    const auto found = method->pass(meta, task, {}, true);
    CHECK(found.loss.item<double>() == Approx(expected_loss(meta)).epsilon(1e-9));
    const Params direction = normal_like(meta, 9);
    const auto along = [&](const Params& gradient) {
      return flatten(gradient).mul(flatten(direction)).sum().item<double>();
    };
    constexpr double e1 = 1e-6;
    const double difference =
        (expected_loss(meta + e1 * direction) - expected_loss(meta - e1 * direction)) / (2 * e1);
    CHECK(along(found.gradient) == Approx(difference).epsilon(1e-5));
    const double without = along(first_order->pass(meta, task, {}, false).gradient);
    if (gamma < 1) CHECK(std::abs(without - difference) > 1e-4 * std::abs(difference));  // it is really there
    if (gamma == 1) CHECK(without == Approx(difference).epsilon(1e-5));
    CHECK(found.output.sizes() == std::vector<int64_t>{1, 6, 1280});
  }
}

TEST_CASE("mfr: what it cannot train on is refused by its key", "[meta]") {
  const auto refused = [](const MethodContext& with, const std::string& said) {
    for (const char* name : {"mfr", "cdt"}) {
      CHECK_THROWS_AS(find_algorithm(name).method({}, with), UsageError);
      CHECK_THROWS_WITH(find_algorithm(name).method({}, with), contains(said));
    }
  };
  refused(context(1), "meta.batch_size: 1 found, expected 2 to 4");
  refused(context(5), "meta.batch_size: 5 found, expected 2 to 4");
  refused(context(3, {4, 2, 1}), "dataset.shots and dataset.queries: 2 and 1 found");
  refused(context(3, {321, 1, 1}), "the domain pen has 320 classes");
  const auto strokes = make_dataset({.name = "strokes", .own = {{"image_size", 14}}});
  auto other = context(3);
  other.dataset = strokes.get();
  refused(other, "needs a data set whose classes belong to domains; strokes has none");
  CHECK_THROWS_WITH(mfr().method({{"tau_p", 1.5}}, context(3)), contains("mfr.tau_p"));
  CHECK_THROWS_WITH(mfr().method({{"gamma", -0.1}}, context(3)), contains("mfr.gamma"));
}
