#include "runners/experiment/point_files.h"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/settings.h"
#include "datasets/names.h"

namespace innerloop {
namespace {

constexpr size_t kLargestPointFile = size_t{1} << 28;
constexpr keys::Interval kAnyNumber{-1e30, 1e30, false, false, "a number"};

std::vector<std::string> point_fields(const std::string& line) {
  std::vector<std::string> fields;
  for (size_t at = 0; at <= line.size();) {
    const size_t comma = std::min(line.find_first_of(",;\t", at), line.size());
    std::string field = line.substr(at, comma - at);
    field.erase(field.find_last_not_of(" \"") + 1);
    field.erase(0, field.find_first_not_of(" \""));
    fields.push_back(std::move(field));
    at = comma + 1;
  }
  return fields;
}

bool is_point_number(const std::string& field, double& value) {
  return keys::read_number(field, kAnyNumber, value);
}

std::string columns_text(int64_t inputs, int64_t outputs, bool targets) {
  const std::string all = concat(inputs + outputs, " columns (", inputs == 1 ? "x" : "the inputs", ", ",
                                 outputs == 1 ? "y" : "the outputs", ")");
  return targets ? all : concat(inputs, inputs == 1 ? " column (x) or " : " columns (the inputs) or ", all);
}

}  // namespace

Points parse_points(const std::string& text, const std::string& name, int64_t inputs, int64_t outputs,
                    bool targets) {
  std::istringstream in(text);
  std::vector<float> x, y;
  int64_t number = 0, rows = 0;
  size_t columns = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (number == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    const auto fields = point_fields(line);
    double value = 0;
    const bool header =
        rows == 0 && columns == 0 &&
        std::none_of(fields.begin(), fields.end(), [&](const auto& f) { return is_point_number(f, value); });
    const auto count = static_cast<int64_t>(fields.size());
    const bool fits = count == inputs + outputs || (!targets && count == inputs);
    require(fits && (columns == 0 || columns == fields.size()), name, ":", number, ": ", count, " column",
            count == 1 ? "" : "s", ", expected ",
            columns > 0 && fits ? concat(columns, ", as above") : columns_text(inputs, outputs, targets));
    columns = fields.size();
    if (header) continue;
    for (size_t i = 0; i < fields.size(); ++i) {
      require(is_point_number(fields[i], value), name, ":", number, ": ", in_quotes(fields[i]),
              ", expected a number");
      (static_cast<int64_t>(i) < inputs ? x : y).push_back(static_cast<float>(value));
    }
    ++rows;
  }
  require(rows > 0, name, " holds no row of numbers, expected ", columns_text(inputs, outputs, targets));
  const auto tensor = [rows](const std::vector<float>& values, int64_t width) {
    return torch::tensor(values, torch::kFloat32).view({1, rows, width});
  };
  return {tensor(x, inputs), y.empty() ? torch::Tensor() : tensor(y, outputs)};
}

Points read_points(const std::string& file, int64_t inputs, int64_t outputs, bool targets) {
  return parse_points(read_file(file, kLargestPointFile), file, inputs, outputs, targets);
}

std::string points_csv(const torch::Tensor& x, const torch::Tensor& y) {
  const auto names = [](const char* name, int64_t count) {
    std::vector<std::string> out;
    for (int64_t i = 1; i <= count; ++i) out.push_back(count == 1 ? name : concat(name, i));
    return out;
  };
  auto header = names("x", x.size(2));
  for (auto& name : names("y", y.size(2))) header.push_back(std::move(name));
  std::string csv = join(header, ",") + "\n";
  const auto rows = torch::cat({x, y}, 2)[0].to(torch::kFloat32).contiguous();
  const float* value = rows.data_ptr<float>();
  for (int64_t i = 0; i < rows.size(0); ++i) {
    for (int64_t c = 0; c < rows.size(1); ++c) {
      char text[32];
      std::snprintf(text, sizeof text, "%.9g", static_cast<double>(*value++));
      csv += concat(c == 0 ? "" : ",", text);
    }
    csv += "\n";
  }
  return csv;
}

}  // namespace innerloop
