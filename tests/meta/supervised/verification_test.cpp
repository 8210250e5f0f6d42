#include "meta/supervised/verification.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/error.h"
#include "meta/pair_similarity.h"
#include "meta/supervised/verification_study.h"
#include "tests/meta/supervised/studies.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

using Rows = std::vector<std::vector<float>>;

VerificationTrials trials(const Rows& rows, int64_t most = 1'000'000, uint64_t seed = 1) {
  Stream stream(StreamKey{.seed = seed});
  return verification_trials(
      static_cast<int64_t>(rows.size()),
      [&](int64_t probe) { return rows[static_cast<size_t>(probe)].data(); }, most, stream);
}

// Five identities, a row a probe. Genuine: .9, .8, .5, .3, .6. Impostors (20): one .8, one .6, two .5 beside
// sixteen of .1.
const Rows kFive{{0.9f, 0.1f, 0.1f, 0.1f, 0.1f},
                 {0.8f, 0.8f, 0.1f, 0.1f, 0.1f},
                 {0.1f, 0.1f, 0.5f, 0.5f, 0.5f},
                 {0.6f, 0.1f, 0.1f, 0.3f, 0.1f},
                 {0.1f, 0.1f, 0.1f, 0.1f, 0.6f}};

}  // namespace

// Ranks: 1; a tie of two, 1/2; of three, 1/3; .6 beats .3, 0; 1. Thresholds downwards, genuine and impostor
// pairs at or above: .9 1, 0; .8 2, 1; .6 3, 2; .5 4, 4; .3 5, 4; .1 5, 20.
TEST_CASE("verification: figures of five identities, with ties, are those worked out by hand", "[meta]") {
  const auto found = verify({trials(kFive)}, 0, 1);
  CHECK(found.identities == 5);
  CHECK(found.genuine == 5);
  CHECK(found.impostors == 20);
  CHECK(found.value.rank1 == Approx((1 + 0.5 + 1.0 / 3 + 0 + 1) / 5));
  CHECK(found.value.tar[0] == Approx(3.0 / 5));  // FAR .1 allows two of twenty: down to .6
  CHECK(found.value.tar[1] == Approx(1.0 / 5));  // less than one pair: no false accept
  CHECK(found.value.tar[2] == Approx(1.0 / 5));
  // Pairs of (genuine, impostor): .9 beats 20; .8 19, and half the one it ties with; .6 18.5; .5 16 and half
  // of two; .3 16.
  CHECK(found.value.auc == Approx((20 + 19.5 + 18.5 + 17 + 16) / 100));
  // FAR .1, miss .4 at .6; FAR .2, miss .2 at .5.
  CHECK(found.value.eer == Approx(0.2));
  const auto roc = roc_curve({trials(kFive)});
  REQUIRE(roc.size() == 5);  // .5 and .3 have one FAR
  CHECK(roc[0].far == 0);
  CHECK(roc[0].tar == Approx(0.2));
  CHECK(roc[2].far == Approx(0.1));
  CHECK(roc[2].tar == Approx(0.6));
  CHECK(roc[3].tar == 1);
  CHECK(roc[4].far == 1);
}

TEST_CASE("verification: the equal error rate lies between two thresholds on their line", "[meta]") {
  // Genuine .9, .1; impostors .5, .0: FAR 0, miss .5 above .5; FAR .5, miss .5 at .5.
  CHECK(verify({trials({{0.9f, 0.5f}, {0.0f, 0.1f}})}, 0, 1).value.eer == Approx(0.5));
  // Three genuine .9, .8, .2; one impostor of six at .5: from (0, 1/3) at .8 to (1/6, 1/3) at .5, then
  // (1/6, 0) at .2: the miss falls from 1/3 to 0 at FAR 1/6.
  const Rows rows{{0.9f, 0, 0}, {0, 0.8f, 0}, {0.5f, 0, 0.2f}};
  CHECK(verify({trials(rows)}, 0, 1).value.eer == Approx(1.0 / 6));
}

TEST_CASE("verification: accuracy counts both kinds of pairs alike, at the threshold that is best",
          "[meta]") {
  const std::vector<VerificationTrials> five{trials(kFive)};
  // TAR - FAR: .2, .35, .5, .6, .8, 0.
  const double threshold = best_threshold(five);
  CHECK(threshold == Approx(0.2));
  CHECK(verification_accuracy(five, threshold) == Approx((1 + 16.0 / 20) / 2));
  CHECK(verification_accuracy(five, 0.55) == Approx((0.6 + 0.9) / 2));
  CHECK(verification_accuracy(five, 2) == Approx(0.5));
}

TEST_CASE("verification: a network that tells nothing apart has the figures of chance", "[meta]") {
  const auto found = verify({trials(Rows(4, std::vector<float>(4, 0.7f)))}, 0, 1);
  CHECK(found.value.rank1 == Approx(0.25));
  CHECK(found.value.auc == Approx(0.5));
  CHECK(found.value.eer == Approx(0.5));
  CHECK(found.value.tar[0] == 0);
}

TEST_CASE("verification: of too many pairs each probe has as many, drawn, none twice", "[meta]") {
  Rows rows(30, std::vector<float>(30));
  for (size_t i = 0; i < 30; ++i) {
    for (size_t j = 0; j < 30; ++j) rows[i][j] = static_cast<float>(30 * i + j);
  }
  const auto some = trials(rows, 300);
  REQUIRE(some.impostors.size() == 300);
  std::set<float> seen;
  std::vector<int> of_probe(30, 0);
  for (const auto& pair : some.impostors) {
    CHECK(pair.similarity == static_cast<float>(30 * pair.probe + pair.gallery));
    CHECK(pair.gallery != pair.probe);
    seen.insert(pair.similarity);
    ++of_probe[static_cast<size_t>(pair.probe)];
  }
  CHECK(seen.size() == 300);
  CHECK(of_probe == std::vector<int>(30, 10));
  CHECK(trials(rows, 870).impostors.size() == 870);
  CHECK_FALSE(trials(rows, 300, 2).impostors.front().gallery == some.impostors.front().gallery);
}

TEST_CASE("verification: intervals come from identities, hold the value and shrink with more of them",
          "[meta]") {
  Stream stream(StreamKey{.seed = 4});
  const auto noisy = [&](size_t count) {
    Rows rows(count, std::vector<float>(count));
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = 0; j < count; ++j)
        rows[i][j] = static_cast<float>(stream.normal() + (i == j ? 1.5 : 0));
    }
    return trials(rows);
  };
  const auto few = verify({noisy(12)}, 200, 1), many = verify({noisy(150)}, 200, 1);
  for (const auto* found : {&few, &many}) {
    CHECK(found->low.auc < found->value.auc);
    CHECK(found->value.auc < found->high.auc);
    CHECK(found->low.eer <= found->value.eer);
    CHECK(found->value.eer <= found->high.eer);
    CHECK(found->low.tar[0] <= found->value.tar[0]);
  }
  CHECK(many.high.auc - many.low.auc < 0.6 * (few.high.auc - few.low.auc));
  // Phi(1.5 / sqrt 2) = .8556.
  CHECK(std::abs(many.value.auc - 0.8556) < 0.05);
  const auto again = verify({noisy(12)}, 0, 1);
  CHECK(again.low.auc == again.value.auc);
}

TEST_CASE("verification: pairs of several domains stand under one threshold, and never mix", "[meta]") {
  // Each domain alone is perfect; the impostors of the second are above the genuine pairs of the first.
  const auto low = trials({{0.2f, 0.1f}, {0.1f, 0.2f}}), high = trials({{0.9f, 0.5f}, {0.5f, 0.9f}});
  CHECK(verify({low}, 0, 1).value.auc == 1);
  CHECK(verify({high}, 0, 1).value.auc == 1);
  const auto both = verify({low, high}, 0, 1);
  CHECK(both.value.auc == Approx(0.75));
  CHECK(both.value.rank1 == 1);
  CHECK(both.impostors == 4);
}

TEST_CASE("verification: what is not a number or no pair is refused", "[meta]") {
  CHECK_THROWS_WITH(trials({{1.0f}}), contains("1 identities, expected 2 or more"));
  CHECK_THROWS_WITH(verify({trials({{NAN, 0}, {0, 1}})}, 0, 1), contains("not finite"));
  CHECK_THROWS_WITH(verify({}, 0, 1), contains("no pairs"));
}

TEST_CASE("the study of verification asks every test class once, within its domain", "[meta]") {
  auto config = strokes_to_study();
  config.dataset = {.name = "styled_strokes", .own = {{"image_size", 14}, {"test_domains", "pen,outline"}}};
  config.shape = {.ways = 8, .shots = 1, .queries = 4};
  config.optimizer.step_size = 0.01;
  Studied studied(config, "prototypical");
  for (int64_t i = 2; i < 60; ++i) studied.learner.iterate(i);
  const auto found = study_verification(studied.learner, Split::kTest, 1);
  REQUIRE(found.size() == 2);
  CHECK(found[0].domain == "pen");
  CHECK(found[1].domain == "outline");
  CHECK(found[1].identities() == 320);
  CHECK(found[1].impostors.size() == 320 * 319);
  CHECK(found[0].genuine.front() <= 0);                 // minus a squared distance
  const auto figures = verify({found[0]}, 0, 1).value;  // after some training far from chance
  CHECK(figures.auc > 0.6);
  CHECK(figures.rank1 > 2.0 / 320);
  const auto again = study_verification(studied.learner, Split::kTest, 1);
  CHECK(again[1].genuine == found[1].genuine);
  CHECK_FALSE(study_verification(studied.learner, Split::kTest, 2)[1].genuine == found[1].genuine);
}

TEST_CASE("the study of verification knows any method with features, and data without domains", "[meta]") {
  const auto algorithm = GENERATE(as<std::string>(), "maml", "siamese", "baseline_nearest_neighbour");
  const auto batch_norm = GENERATE(as<std::string>(), "batch", "global_running");
  CAPTURE(algorithm, batch_norm);
  auto config = strokes_to_study(batch_norm);
  if (algorithm == "siamese") config.algorithm.own = {{"units", 16}};
  if (algorithm != "maml") config.inner.steps = 0;
  const Studied studied(config, algorithm);
  const auto found = study_verification(studied.learner, Split::kValidation, 1);
  REQUIRE(found.size() == 1);
  CHECK(found[0].domain == "validation");
  CHECK(found[0].identities() == 200);
  const float least = *std::min_element(found[0].genuine.begin(), found[0].genuine.end()),
              most = *std::max_element(found[0].genuine.begin(), found[0].genuine.end());
  CHECK(least < most);
  if (algorithm != "siamese") CHECK((least >= -1.000001f && most <= 1.000001f));  // cosines
}

// What the study compares is what the method classifies by.
TEST_CASE("siamese and prototypical say themselves how alike two samples are", "[meta]") {
  const auto algorithm = GENERATE(as<std::string>(), "siamese", "prototypical");
  CAPTURE(algorithm);
  auto config = strokes_to_study("global_running");
  if (algorithm == "siamese") config.algorithm.own = {{"units", 16}};
  config.inner.steps = 0;
  const Studied studied(config, algorithm);
  const auto& method = studied.learner.method();
  const Params& meta = studied.learner.meta_parameters();
  const Episodes e = studied.learner.evaluation_episode({.tasks = 1}, 0);
  const auto scores = studied.learner.predict(e, {.tasks = 1, .steps = 0}).back();
  const Params running = studied.learner.method_state().part("running.");
  const Pass pass{.use = &running};
  const auto similarity = similarity_of(method, meta, embedding_of(method, meta, e.query_x, pass),
                                        embedding_of(method, meta, e.support_x, pass));
  CHECK(torch::allclose(similarity, scores, 1e-3, 1e-4));
}

TEST_CASE("the study of verification needs classes", "[meta]") {
  const Studied sine(sine_to_study());
  CHECK_THROWS_WITH(study_verification(sine.learner, Split::kTest, 1), contains("needs classes"));
}
