// Lists of labelled images: lines "filename,label" under a header.
#pragma once

#include <string>
#include <vector>

namespace innerloop {

struct LabelledFile {
  std::string filename, label;
};

// The rows of a CSV text, in order. The header must hold the columns filename and label, in any order and
// among others. Fields may stand in double quotes. Error with `name` and the line for other columns and for
// rows without the two.
std::vector<LabelledFile> parse_labelled_files(const std::string& text, const std::string& name);

}  // namespace innerloop
