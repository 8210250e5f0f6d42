#include "runners/experiment/predictions.h"

#include <cmath>
#include <sstream>

#include "base/error.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

const std::vector<std::string> kPets{"cat", "dog, big"};

// Probabilities 3/4 and 1/4; 1/2 and 1/2; 1/10 and 9/10.
std::vector<Prediction> three_pets(double threshold) {
  const auto scores =
      torch::tensor(std::vector<float>{std::log(3.0f), 0, 5, 5, 0, std::log(9.0f)}, torch::kFloat32);
  return predictions_of(scores.view({1, 3, 2}), {{"a \"1\".png", 0}, {"b.png", std::nullopt}, {"c.png", 0}},
                        threshold);
}

}  // namespace

TEST_CASE("predictions have the likeliest class, its probability and their entropy in bits", "[predict]") {
  const auto found = three_pets(0);
  CHECK(found[0].predicted == 0);
  CHECK(found[0].confidence() == Approx(0.75));
  CHECK(found[0].entropy() == Approx(0.811278).epsilon(1e-5));
  CHECK(found[1].entropy() == Approx(1));
  CHECK(found[2].predicted == 1);
  CHECK(found[0].right());
  CHECK_FALSE(found[1].right());  // not known
  CHECK_FALSE(found[2].right());
  const auto strict = three_pets(0.8);
  CHECK(strict[0].predicted == kNoneOfThese);
  CHECK(strict[0].confidence() == Approx(0.75));
  CHECK(strict[2].predicted == 1);
}

TEST_CASE("the CSV has the columns it promises, with quotes where they are needed", "[predict]") {
  std::istringstream csv(predictions_csv(three_pets(0.8), kPets));
  std::string line;
  std::getline(csv, line);
  CHECK(line == "file,predicted,confidence,cat,\"dog, big\"");
  std::getline(csv, line);
  CHECK_THAT(line, StartsWith("\"a \"\"1\"\".png\",none of these,0.75") && contains(",0.2"));
  std::getline(csv, line);
  CHECK(line == "b.png,none of these,0.5,0.5,0.5");
  std::getline(csv, line);
  CHECK_THAT(line, StartsWith("c.png,\"dog, big\",0.9"));
}

TEST_CASE("accuracy and confusions count the queries whose class is known", "[predict]") {
  std::ostringstream out;
  print_confusions(out, three_pets(0), kPets);
  CHECK_THAT(out.str(), contains("accuracy 50.00 % (1 of 2 queries") && contains("1 have none"));
  CHECK_THAT(out.str(), contains("1  cat") && contains("    1    1\n"));
  std::ostringstream certain;
  print_certainty(certain, three_pets(0.8), 0.8);
  CHECK_THAT(certain.str(), contains("3 queries: mean confidence 71.7 %") &&
                                contains("of at most 1.00 bits") && contains("2 below 0.8: none of these"));
  std::ostringstream none;
  print_confusions(none, predictions_of(torch::zeros({1, 1, 2}), {{"b.png", std::nullopt}}, 0), kPets);
  CHECK(none.str().empty());
  std::ostringstream lines;
  print_predictions(lines, three_pets(0), kPets, 2);
  CHECK_THAT(lines.str(), contains("a \"1\".png  cat") && contains("75.0 %") && contains("and 1 more"));
}
