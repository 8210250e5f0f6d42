#include "meta/algorithms/fo_reptile.h"

#include "meta/algorithms/maml.h"
#include "meta/algorithms/reptile.h"
#include "networks/tensors/gradient_check.h"
#include "tests/meta/algorithms/scalar_task.h"

using namespace innerloop;

namespace {

// Two tasks of two classes with three samples each (or of one curve with six), for a network that is linear.
struct Lines {
  EpisodeShape shape{.ways = 1, .shots = 6, .queries = 2};
  MethodContext context;
  Episodes episodes;

  explicit Lines(const InnerLoopConfig& inner)
      : context{.inner = inner,
                .network =
                    [](int64_t outputs) {
                      return make_network({.name = "mlp", .own = {{"hidden", ""}}}, {1}, outputs);
                    },
                .outputs = 1,
                .shape = shape} {
    const Params like(
        {{"a", torch::zeros({2, 6, 1}, torch::kFloat64)}, {"b", torch::zeros({2, 6, 1}, torch::kFloat64)}});
    const Params drawn = normal_like(like, 1);
    episodes = {.support_x = drawn[0],
                .query_x = drawn[0].narrow(1, 4, 2),
                .support_y = drawn[1],
                .query_y = drawn[1].narrow(1, 4, 2)};
  }

  EpisodeTask task(const Network& network) const {
    return {network, episodes, shape, LossReduction::kMean, BatchNormMode::kNone};
  }
  Params start() const {
    Stream stream(StreamKey{5});
    return context.network(1)->initial(stream).to(torch::kFloat64);
  }
};

}  // namespace

// (phi - 1)^2 with alpha .05 from 0: .1, .19. The last step is .09 long.
TEST_CASE("fo_reptile moves by the last of two plain steps", "[meta]") {
  const auto found =
      adapt_scalar(*scalar_method(fo_reptile(), {{"optimizer", "sgd"}}, {.steps = 2, .step_size = 0.05}), 0);
  CHECK(found.phi == Approx(0.19));
  CHECK(found.gradient == Approx(-0.09));
  const auto whole =
      adapt_scalar(*scalar_method(reptile(), {{"optimizer", "sgd"}}, {.steps = 2, .step_size = 0.05}), 0);
  CHECK(whole.gradient == Approx(-0.19));
}

TEST_CASE("fo_reptile: the tail is the last samples of every class", "[meta]") {
  const auto split = tail_split(/*samples=*/6, /*ways=*/2, /*tail=*/1);
  CHECK(split.rest == std::vector<int64_t>{0, 1, 3, 4});
  CHECK(split.tail == std::vector<int64_t>{2, 5});
  CHECK(tail_split(6, 2, 0).rest.size() == 6);
}

// The tail of two samples is the query set here: K steps are K - 1 on the other four and one of size alpha on
// the query loss, which is alpha times first-order MAML's gradient.
TEST_CASE("fo_reptile with a tail for query set is first-order MAML, alpha times", "[meta]") {
  const double alpha = 0.05;
  const Lines lines({.steps = 3, .step_size = alpha, .first_order = true});
  const auto method = fo_reptile().method({{"optimizer", "sgd"}, {"tail_shots", 2}}, lines.context);
  const Params theta = lines.start();
  const Params found = method->pass(theta, lines.task(method->network(true)), {}, false).gradient;

  Lines others({.steps = 2, .step_size = alpha, .first_order = true});
  others.episodes.support_x = lines.episodes.support_x.narrow(1, 0, 4);
  others.episodes.support_y = lines.episodes.support_y.narrow(1, 0, 4);
  const auto fo = fomaml().method({}, others.context);
  const Params expected = alpha * fo->pass(theta, others.task(fo->network(true)), {}, false).gradient;
  CHECK(distance(found, expected) < 1e-13);
  const auto without = fo_reptile().method({{"optimizer", "sgd"}}, lines.context);
  CHECK(distance(without->pass(theta, lines.task(without->network(true)), {}, false).gradient, expected) >
        1e-3);
}

TEST_CASE("fo_reptile: with a tail the other steps draw from the rest, held-out tasks from all", "[meta]") {
  const Lines lines({.steps = 2, .step_size = 0.05, .first_order = true});
  const Params theta = lines.start();
  const auto adapted = [&](const Texts& own, const Moment& now, double shift) {
    const auto method = fo_reptile().method(own, lines.context);
    Lines moved = lines;
    moved.episodes.support_y = lines.episodes.support_y.clone();
    moved.episodes.support_y.narrow(1, 4, 2).add_(shift);  // the tail
    const auto& gradient_method = dynamic_cast<const GradientMethod&>(*method);
    const auto task = moved.task(method->network(true));
    const auto view = gradient_method.view(task, now);
    return gradient_method.inner().adapt(theta, *view, now).phi(1);
  };
  const Texts tail{{"optimizer", "sgd"}, {"mini_batch", 2}, {"tail_shots", 2}};
  CHECK(distance(adapted(tail, {}, 0), adapted(tail, {}, 1)) == 0);
  CHECK(distance(adapted(tail, {.training = false}, 0), adapted(tail, {.training = false}, 1)) > 1e-3);
  CHECK(distance(adapted({{"optimizer", "sgd"}}, {}, 0), adapted({{"optimizer", "sgd"}}, {}, 1)) > 1e-3);
  CHECK(distance(adapted(tail, {.iteration = 1}, 0), adapted(tail, {.iteration = 2}, 0)) > 1e-6);
}

TEST_CASE("fo_reptile refuses what it cannot do, naming the key", "[meta]") {
  const Lines lines({.steps = 2, .step_size = 0.1});
  CHECK_THROWS_WITH(fo_reptile().method({{"tail_shots", 6}}, lines.context),
                    contains("fewer than dataset.shots, 6"));
  const Lines one({.steps = 1, .step_size = 0.1});
  CHECK_THROWS_WITH(fo_reptile().method({{"tail_shots", 2}}, one.context), contains("2 steps or more"));
  CHECK_THROWS_WITH(scalar_method(fo_reptile(), {{"tail_shots", 2}}, {.steps = 2, .step_size = 0.1}),
                    contains("fo_reptile.tail_shots: 2 found"));
  CHECK_THROWS_WITH(scalar_method(fo_reptile(), {}, {.steps = 0, .step_size = 0.1}), contains("inner.steps"));
}
