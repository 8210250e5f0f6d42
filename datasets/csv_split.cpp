#include "datasets/csv_split.h"

#include <algorithm>

#include "base/error.h"
#include "datasets/names.h"

namespace innerloop {
namespace {

std::vector<std::string> fields_of(const std::string& line) {
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
    field.erase(field.find_last_not_of(" \t") + 1);
    field.erase(0, field.find_first_not_of(" \t"));
  }
  return fields;
}

// UTF-16 behind its byte order mark becomes UTF-8; other text stays, without a byte order mark.
std::string to_utf8(const std::string& text, const std::string& name) {
  const bool little = text.starts_with("\xff\xfe"), big = text.starts_with("\xfe\xff");
  constexpr char kByteOrderMark[] = "\xef\xbb\xbf";
  if (!little && !big) return text.starts_with(kByteOrderMark) ? text.substr(3) : text;
  require(text.size() % 2 == 0, name, " is damaged: UTF-16 with half a character at its end");
  const auto unit = [&](size_t at) {
    const auto first = static_cast<unsigned char>(text[at]),
               second = static_cast<unsigned char>(text[at + 1]);
    return static_cast<char32_t>(little ? second << 8 | first : first << 8 | second);
  };
  std::string utf8;
  for (size_t at = 2; at < text.size(); at += 2) {
    char32_t code = unit(at);
    if (code >= 0xd800 && code < 0xdc00 && at + 2 < text.size()) {
      at += 2;
      code = 0x10000 + ((code - 0xd800) << 10) + (unit(at) - 0xdc00);
    }
    append_utf8(utf8, code);
  }
  return utf8;
}

// Takes the line that begins at `at`, which moves behind its end: LF, CR LF or CR.
std::string take_line(const std::string& text, size_t& at) {
  const size_t end = std::min(text.find_first_of("\r\n", at), text.size());
  const std::string line = text.substr(at, end - at);
  at = end + (text.compare(end, 2, "\r\n") == 0 ? 2 : 1);
  return line;
}

}  // namespace

std::vector<LabelledFile> parse_labelled_files(const std::string& bytes, const std::string& name) {
  const auto text = to_utf8(bytes, name);
  require(
      text.find('\0') == std::string::npos, name,
      " is no CSV text: it holds bytes 0 (UTF-16 or UTF-32 needs a byte order mark, and UTF-8 is better)");
  size_t at = 0;
  const auto first = take_line(text, at);
  const auto header = fields_of(first);
  const auto column = [&](const std::string& wanted) {
    const auto found = std::find(header.begin(), header.end(), wanted);
    require(found != header.end(), name, ": the columns are ", in_quotes(join(header, ",")),
            ", expected 'filename,label'");
    return static_cast<size_t>(found - header.begin());
  };
  const size_t filename = column("filename"), label = column("label");
  std::vector<LabelledFile> rows;
  for (int64_t number = 2; at < text.size(); ++number) {
    const auto line = take_line(text, at);
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    const auto fields = fields_of(line);
    require(fields.size() > std::max(filename, label) && !fields[filename].empty() && !fields[label].empty(),
            name, ", line ", number, ": ", in_quotes(line), " lacks a filename or a label");
    rows.push_back({fields[filename], fields[label], number});
  }
  return rows;
}

}  // namespace innerloop
