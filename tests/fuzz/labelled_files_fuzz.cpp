// CSV lists of labelled images.
#include "datasets/csv_split.h"
#include "tests/fuzz/fuzz.h"

using namespace innerloop;
using namespace innerloop::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  taken([&] {
    int64_t before = 1;
    for (const auto& row : parse_labelled_files(text_of(data, size), "train.csv")) {
      claim(!row.filename.empty() && !row.label.empty(), "a row lacks a filename or a label");
      claim(row.line > before, "rows are not in the order of their lines");
      before = row.line;
    }
  });
  return 0;
}
