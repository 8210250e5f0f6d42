// What a classifier says of queries, in words, figures and a table.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "networks/tensors/tensor.h"
#include "runners/experiment/picture_files.h"

namespace innerloop {

inline constexpr int64_t kNoneOfThese = -1;
inline constexpr char kNoneOfTheseText[] = "none of these";

struct Prediction {
  QueryFile query;
  std::vector<double> probabilities;  // by class
  int64_t predicted = 0;  // the likeliest class; kNoneOfThese if it is less likely than the threshold

  int64_t likeliest() const;
  double confidence() const { return probabilities[static_cast<size_t>(likeliest())]; }
  double entropy() const;  // bits; 0: sure, log2(classes): not at all
  bool right() const { return query.truth && *query.truth == predicted; }
};

// Probabilities are the softmax of the scores [1, N, classes], in float64.
std::vector<Prediction> predictions_of(const torch::Tensor& scores, const std::vector<QueryFile>& queries,
                                       double threshold);

// "cat", or "none of these".
std::string predicted_name(const Prediction& prediction, const std::vector<std::string>& classes);

// file,predicted,confidence, and a column for each class: a header and a row for each query. Fields in quotes
// where they need them (RFC 4180); probabilities with 9 digits.
std::string predictions_csv(const std::vector<Prediction>& predictions,
                            const std::vector<std::string>& classes);

// One line each, the first `most` of them.
void print_predictions(std::ostream& out, const std::vector<Prediction>& predictions,
                       const std::vector<std::string>& classes, size_t most);

// How sure they are: mean confidence and entropy, and how many are none of these.
void print_certainty(std::ostream& out, const std::vector<Prediction>& predictions, double threshold);

// Accuracy over the queries whose folder names their class, and the confusion table: a row for each class
// that is among them, a column for each that is predicted. Nothing if there are none.
void print_confusions(std::ostream& out, const std::vector<Prediction>& predictions,
                      const std::vector<std::string>& classes);

}  // namespace innerloop
