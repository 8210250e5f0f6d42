#include "runners/drawing/number_table.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/error.h"

namespace innerloop {
namespace {

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> out;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) out.push_back(cell);
  return out;
}

std::vector<std::string> whole_lines(const std::filesystem::path& file) {
  std::ostringstream content;
  std::ifstream in(file);
  if (in.peek() != std::ifstream::traits_type::eof()) content << in.rdbuf();
  const std::string text = content.str();
  std::vector<std::string> lines;
  for (size_t from = 0, to; (to = text.find('\n', from)) != std::string::npos; from = to + 1)
    lines.push_back(text.substr(from, to - from));
  return lines;
}

}  // namespace

NumberTable::NumberTable(std::filesystem::path file) : file_(std::move(file)), lines_(whole_lines(file_)) {
  if (!lines_.empty()) header_ = cells_of(lines_.front());
}

bool NumberTable::has(const std::string& name) const {
  return std::find(header_.begin(), header_.end(), name) != header_.end();
}

std::vector<double> NumberTable::column(const std::string& name) const {
  require(has(name), "'", file_.string(), "' has no column ", name, "; its columns are ", join(header_));
  const auto at = static_cast<size_t>(std::find(header_.begin(), header_.end(), name) - header_.begin());
  std::vector<double> values;
  for (size_t i = 1; i < lines_.size(); ++i) {
    const auto row = cells_of(lines_[i]);
    require(row.size() == header_.size(), "cannot read '", file_.string(), "': line ", i + 1, " has ",
            row.size(), " cells, expected ", header_.size());
    try {
      values.push_back(std::stod(row[at]));
    } catch (const std::exception&) {
      throw Error(concat("cannot read '", file_.string(), "': line ", i + 1, " has '", shortened(row[at]),
                         "', expected a number"));
    }
  }
  return values;
}

}  // namespace innerloop
