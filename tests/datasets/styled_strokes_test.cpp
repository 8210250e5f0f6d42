#include "datasets/styled_strokes.h"

#include <set>

#include "base/error.h"
#include "datasets/domains.h"
#include "tests/datasets/draw.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

std::unique_ptr<Dataset> styled(const Texts& own = {}) {
  return make_dataset({.name = "styled_strokes", .own = own});
}

std::vector<std::string> names_in(const Domains& domains, Split split) {
  std::vector<std::string> out;
  for (const auto& domain : domains.domains(split)) out.push_back(domain.name);
  return out;
}

// Of 40 drawings of a domain: [40, 28, 28].
torch::Tensor drawings(const Dataset& dataset, Split split, int64_t domain) {
  const EpisodeShape shape{.ways = 20, .shots = 1, .queries = 1};
  auto episodes = make_episodes(dataset.spec(), shape, 1);
  Stream stream = task_stream(5);
  domains_of(dataset)->draw_within(split, domain, shape, stream, episodes, 0);
  return torch::cat({episodes.support_x, episodes.query_x}, 1).flatten(0, 2);
}

}  // namespace

TEST_CASE("styled strokes: whole styles are training, validation and test", "[datasets]") {
  const auto dataset = styled();
  const Domains* domains = domains_of(*dataset);
  REQUIRE(domains != nullptr);
  CHECK(names_in(*domains, Split::kTrain) == std::vector<std::string>{"pen", "brush", "inverted", "turned"});
  CHECK(names_in(*domains, Split::kValidation) == std::vector<std::string>{"noisy"});
  CHECK(names_in(*domains, Split::kTest) == std::vector<std::string>{"outline"});
  CHECK(dataset->classes(Split::kTrain) == 4 * 320);
  for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    const auto classes = dataset->class_names(split);
    for (const auto& domain : domains->domains(split)) {
      for (int64_t c = domain.first; c < domain.first + domain.count; ++c)
        REQUIRE(classes.at(static_cast<size_t>(c)).rfind(domain.name + "/", 0) == 0);
    }
  }
  const auto other = styled({{"test_domains", "pen, noisy"}, {"validation_domains", "none"}});
  CHECK(names_in(*domains_of(*other), Split::kTest) == std::vector<std::string>{"pen", "noisy"});
  CHECK(names_in(*domains_of(*other), Split::kValidation).empty());
  CHECK_FALSE(other->spec().protocol == dataset->spec().protocol);
}

TEST_CASE("styled strokes: a task within a domain has that domain's classes alone", "[datasets]") {
  const auto dataset = styled();
  const auto& domains = *domains_of(*dataset);
  const EpisodeShape shape{.ways = 30, .shots = 1, .queries = 2};
  for (int64_t d = 0; d < 4; ++d) {
    const auto& domain = domains.domains(Split::kTrain)[static_cast<size_t>(d)];
    auto episodes = make_episodes(dataset->spec(), shape, 1),
         again = make_episodes(dataset->spec(), shape, 1);
    Stream one = task_stream(2), two = task_stream(2);
    const auto drawn = domains.draw_within(Split::kTrain, d, shape, one, episodes, 0);
    CHECK(drawn == domains.draw_within(Split::kTrain, d, shape, two, again, 0));
    CHECK(episodes.query_x.equal(again.query_x));
    CHECK(std::set<int64_t>(drawn.begin(), drawn.end()).size() == 30);
    for (const int64_t c : drawn) REQUIRE((c >= domain.first && c < domain.first + domain.count));
    CHECK(episodes.query_y.equal(torch::arange(30).repeat_interleave(2).unsqueeze(0)));
  }
  CHECK_THROWS_WITH(domains.check_domain(Split::kTest, 0, {.ways = 321, .shots = 1, .queries = 1}),
                    contains("the domain outline has 320 classes"));
  CHECK_THROWS_WITH(domains.check_domain(Split::kTest, 0, {.ways = 3, .shots = 20, .queries = 1}),
                    contains("the domain outline has 20 images") && contains("needs 21"));
  CHECK_THROWS_WITH(domains.check_domain(Split::kTest, 1, shape), contains("there is no domain 1"));
}

// Of a picture: how much of it is white, and how much neither black nor white.
TEST_CASE("styled strokes: each style looks as it is described", "[datasets]") {
  const auto dataset = styled({{"test_domains", "noisy"}, {"validation_domains", "none"}});
  const auto of = [&](int64_t domain) { return drawings(*dataset, Split::kTrain, domain); };
  const auto ink = [](const torch::Tensor& x) { return x.mean().item<double>(); };
  const auto pen = of(0), brush = of(1), outline = of(2), inverted = of(3), turned = of(4);
  const auto noisy = drawings(*dataset, Split::kTest, 0);
  CHECK(ink(brush) > 1.7 * ink(pen));
  CHECK(ink(inverted) > 0.8);
  CHECK(std::abs(1 - ink(inverted) - ink(pen)) < 0.03);
  CHECK(std::abs(ink(turned) - ink(pen)) < 0.03);
  CHECK(ink(outline) > 1.3 * ink(pen));
  const auto grey = [](const torch::Tensor& x) {
    return x.gt(0.1).logical_and(x.lt(0.9)).to(torch::kFloat64).mean().item<double>();
  };
  CHECK(grey(noisy) > 3 * grey(pen));
  // A drawing keeps its ink within the picture when it is turned.
  const auto edge = [](const torch::Tensor& x) {
    return std::max(x.select(1, 0).max().item<double>(), x.select(2, 27).max().item<double>());
  };
  CHECK(edge(turned) < 0.6);
  CHECK(edge(turned) <= edge(brush) + 0.6);
}

TEST_CASE("styled strokes: domains that cannot be are refused", "[datasets]") {
  const auto refused = [](const Texts& own, const std::string& said) {
    CHECK_THROWS_AS(styled(own), UsageError);
    CHECK_THROWS_WITH(styled(own), contains(said));
  };
  refused({{"test_domains", "pencil"}}, "pen");
  refused({{"test_domains", "noisy"}}, "is named twice");
  refused({{"test_domains", "pen,pen"}}, "test_domains");
  refused({{"test_domains", ",pen"}}, "test_domains");
  refused({{"test_domains", "none"}}, "none is test's");
  refused({{"test_domains", "pen,brush,outline,inverted,turned"}}, "none is left for training");
  refused({{"image_size", 13}}, "dataset.image_size");
}

TEST_CASE("domains that are not named are drawn by a seed of their own", "[datasets]") {
  const std::vector<std::string> names{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
  const auto drawn = [&](uint64_t seed) {
    return split_domains(names, {.validation = {}, .test = {}, .drawn = {{0.5, 0.2, 0.3}, seed}}, "test");
  };
  const auto one = drawn(1);
  CHECK(std::count(one.begin(), one.end(), Split::kTrain) == 5);
  CHECK(std::count(one.begin(), one.end(), Split::kValidation) == 2);
  CHECK(std::count(one.begin(), one.end(), Split::kTest) == 3);
  CHECK((drawn(1) == one));
  CHECK_FALSE((drawn(2) == one));
  // A stream of domains, not that of classes.
  CHECK_FALSE((share_out(10, {{0.5, 0.2, 0.3}, 1}) == one));
  CHECK_THROWS_WITH(split_domains({"a"}, {}, "test"), contains("test: of 1 domains"));
  CHECK(describe_domains({"a", "b"}, {Split::kTest, Split::kTrain}) == "train b; validation none; test a");
}
