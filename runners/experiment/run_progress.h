// The rows of one training, to every sink: progress.csv, and event files of TensorBoard where
// progress.tensorboard asks for them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runners/experiment/event_files.h"
#include "runners/experiment/progress.h"
#include "runners/experiment/progress_row.h"
#include "runners/experiment/run_directory.h"

namespace innerloop {

// A process that does not open it writes nothing.
class RunProgress {
 public:
  RunProgress(const RunDirectory& directory, std::vector<ProgressColumn> columns, bool tensorboard);

  // Makes all files say what they did after `iteration`, and goes on from there. Returns the number of rows
  // in progress.csv. Errors as ProgressTable::open.
  int64_t open(int64_t iteration);

  void append(int64_t iteration, const ProgressRow& row);  // Error unless it has a number for each column
  void tell(int64_t iteration, const ProgressNews& news);  // to those that show it
  void sync();                                             // all of it is on the disk

 private:
  std::vector<ProgressColumn> columns_;
  ProgressTable table_;
  std::optional<EventFiles> events_;
  bool open_ = false;
};

}  // namespace innerloop
