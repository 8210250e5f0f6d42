#include "datasets/csv_split.h"

#include <algorithm>
#include <sstream>

#include "base/error.h"

namespace innerloop {
namespace {

std::vector<std::string> fields_of(std::string line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[++i];
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  for (auto& field : fields) {
    field.erase(field.find_last_not_of(" \t\r") + 1);
    field.erase(0, field.find_first_not_of(" \t"));
  }
  return fields;
}

}  // namespace

std::vector<LabelledFile> parse_labelled_files(const std::string& text, const std::string& name) {
  constexpr char kByteOrderMark[] = "\xef\xbb\xbf";  // spreadsheets begin UTF-8 files with it
  std::istringstream lines(text.starts_with(kByteOrderMark) ? text.substr(3) : text);
  std::string line;
  std::getline(lines, line);
  const auto header = fields_of(line);
  const auto column = [&](const std::string& wanted) {
    const auto found = std::find(header.begin(), header.end(), wanted);
    require(found != header.end(), name, ": the columns are '", join(header, ","),
            "', expected 'filename,label'");
    return static_cast<size_t>(found - header.begin());
  };
  const size_t filename = column("filename"), label = column("label");
  std::vector<LabelledFile> rows;
  for (int64_t number = 2; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto fields = fields_of(line);
    require(fields.size() > std::max(filename, label) && !fields[filename].empty() && !fields[label].empty(),
            name, ", line ", number, ": '", line, "' lacks a filename or a label");
    rows.push_back({fields[filename], fields[label]});
  }
  return rows;
}

}  // namespace innerloop
