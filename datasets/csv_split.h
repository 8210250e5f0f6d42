// Lists of labelled images: lines "filename,label" under a header.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace innerloop {

struct LabelledFile {
  std::string filename, label;
  int64_t line = 0;  // of the list, from 1
};

// The rows of a CSV text, in order. The header must hold the columns filename and label, in any order and
// among others. Fields may stand in double quotes. Lines end in LF, CR LF or CR; UTF-16 with a byte order
// mark, as spreadsheets write it, is read as well. Error with `name` and the line for other columns, for rows
// without the two and for what is no text.
std::vector<LabelledFile> parse_labelled_files(const std::string& text, const std::string& name);

}  // namespace innerloop
