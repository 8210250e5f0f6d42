#include "runners/experiment/predictions.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <ostream>

#include "base/error.h"
#include "datasets/names.h"

namespace innerloop {
namespace {

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string nine_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

std::string percent_text(double share, int digits = 1) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f %%", digits, 100 * share);
  return text;
}

// The text and as many spaces as make it `width` characters of UTF-8 wide.
std::string padded(const std::string& text, size_t width) {
  const auto characters = static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  return text + std::string(characters < width ? width - characters : 0, ' ');
}

size_t longest(const std::vector<std::string>& texts) {
  size_t width = 0;
  for (const auto& text : texts) width = std::max(width, text.size());
  return width;
}

}  // namespace

int64_t Prediction::likeliest() const {
  return std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin();
}

double Prediction::entropy() const {
  double sum = 0;
  for (const double p : probabilities) sum -= p > 0 ? p * std::log2(p) : 0;
  return sum;
}

std::vector<Prediction> predictions_of(const torch::Tensor& scores, const std::vector<QueryFile>& queries,
                                       double threshold) {
  const auto p = torch::log_softmax(scores.to(torch::kFloat64), 2).exp()[0].contiguous();
  require(p.size(0) == static_cast<int64_t>(queries.size()), p.size(0), " scores for ", queries.size(),
          " queries");
  const double* value = p.data_ptr<double>();
  std::vector<Prediction> out;
  for (const auto& query : queries) {
    Prediction one{query, {value, value + p.size(1)}};
    value += p.size(1);
    one.predicted = one.confidence() < threshold ? kNoneOfThese : one.likeliest();
    out.push_back(std::move(one));
  }
  return out;
}

std::string predicted_name(const Prediction& prediction, const std::vector<std::string>& classes) {
  return prediction.predicted == kNoneOfThese ? kNoneOfTheseText
                                              : classes.at(static_cast<size_t>(prediction.predicted));
}

std::string predictions_csv(const std::vector<Prediction>& predictions,
                            const std::vector<std::string>& classes) {
  std::string csv = "file,predicted,confidence";
  for (const auto& name : classes) csv.append(",").append(csv_field(name));
  csv += "\n";
  for (const auto& one : predictions) {
    csv += csv_field(one.query.file.string()) + "," + csv_field(predicted_name(one, classes)) + "," +
           nine_digits(one.confidence());
    for (const double p : one.probabilities) csv.append(",").append(nine_digits(p));
    csv += "\n";
  }
  return csv;
}

void print_predictions(std::ostream& out, const std::vector<Prediction>& predictions,
                       const std::vector<std::string>& classes, size_t most) {
  const size_t shown = std::min(most, predictions.size());
  std::vector<std::string> files{"file"}, names{"predicted"};
  for (size_t i = 0; i < shown; ++i) {
    files.push_back(printable(predictions[i].query.file.string()));
    names.push_back(predicted_name(predictions[i], classes));
  }
  const size_t file_width = longest(files), name_width = longest(names);
  out << padded("file", file_width) << "  " << padded("predicted", name_width)
      << "  confidence  entropy (bits)\n";
  for (size_t i = 0; i < shown; ++i) {
    const auto& one = predictions[i];
    out << padded(files[i + 1], file_width) << "  " << padded(names[i + 1], name_width) << "  "
        << std::setw(10) << percent_text(one.confidence()) << "  " << std::setw(14) << std::fixed
        << std::setprecision(2) << one.entropy();
    if (one.query.truth && !one.right()) out << "  is " << classes.at(static_cast<size_t>(*one.query.truth));
    out << '\n';
  }
  if (shown < predictions.size()) out << "... and " << predictions.size() - shown << " more\n";
}

void print_certainty(std::ostream& out, const std::vector<Prediction>& predictions, double threshold) {
  double confidence = 0, entropy = 0;
  size_t none = 0;
  for (const auto& one : predictions) {
    confidence += one.confidence();
    entropy += one.entropy();
    none += one.predicted == kNoneOfThese ? 1 : 0;
  }
  const auto count = static_cast<double>(predictions.size());
  const auto classes = static_cast<double>(predictions.front().probabilities.size());
  out << predictions.size() << (predictions.size() == 1 ? " query" : " queries") << ": mean confidence "
      << percent_text(confidence / count) << ", mean entropy " << std::fixed << std::setprecision(2)
      << entropy / count << " of at most " << std::log2(classes) << " bits";
  if (threshold > 0) out << "; " << none << " below " << nine_digits(threshold) << ": " << kNoneOfTheseText;
  out << '\n';
}

void print_confusions(std::ostream& out, const std::vector<Prediction>& predictions,
                      const std::vector<std::string>& classes) {
  const size_t count = classes.size();
  std::vector<std::vector<int64_t>> table(count,
                                          std::vector<int64_t>(count + 1, 0));  // the last: none of these
  std::vector<bool> asked(count), said(count + 1);
  int64_t known = 0, right = 0;
  for (const auto& one : predictions) {
    if (!one.query.truth) continue;
    const auto row = static_cast<size_t>(*one.query.truth);
    const auto column = one.predicted == kNoneOfThese ? count : static_cast<size_t>(one.predicted);
    ++table[row][column];
    asked[row] = said[column] = true;
    ++known;
    right += one.right() ? 1 : 0;
  }
  if (known == 0) return;
  out << "accuracy " << percent_text(static_cast<double>(right) / static_cast<double>(known), 2) << " ("
      << right << " of " << known << " queries whose folder names a class";
  const auto without = static_cast<int64_t>(predictions.size()) - known;
  out << (without > 0 ? concat("; ", without, " have none") : "") << ")\n";

  // Columns are headed by numbers, which stand before the names of the rows.
  size_t width = 5;
  for (const auto& name : classes) width = std::max(width, name.size());
  out << "confusions, rows what they are, columns what was predicted:\n" << std::string(width + 6, ' ');
  for (size_t c = 0; c <= count; ++c) {
    if (said[c]) out << std::setw(5) << (c == count ? "none" : concat(c + 1));
  }
  out << '\n';
  for (size_t r = 0; r < count; ++r) {
    if (!asked[r] && !said[r]) continue;
    out << std::setw(4) << r + 1 << "  " << padded(classes[r], width);
    for (size_t c = 0; c <= count; ++c) {
      if (said[c]) out << std::setw(5) << (table[r][c] == 0 ? "." : concat(table[r][c]));
    }
    out << '\n';
  }
}

}  // namespace innerloop
