// The numbers of a CSV file with a header, column by column, also while it is being written.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace innerloop {

class NumberTable {
 public:
  // Of lines that end; the last one may still be in the making. A missing file is an empty table.
  explicit NumberTable(std::filesystem::path file);

  bool empty() const { return lines_.size() < 2; }  // no rows
  bool has(const std::string& name) const;
  const std::vector<std::string>& header() const { return header_; }
  // Error, naming file and line, for a row of another width and for a cell that is no number; "nan" is one.
  std::vector<double> column(const std::string& name) const;

 private:
  std::filesystem::path file_;
  std::vector<std::string> lines_, header_;
};

}  // namespace innerloop
