// The event files of a run, DIR/events.out.tfevents.000001 and so on, as TensorBoard reads them: one for each
// process that trained. Names hold neither time nor host, and their order is that of the processes.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>

#include "runners/experiment/progress_row.h"

namespace innerloop {

class EventFiles {
 public:
  explicit EventFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}
  ~EventFiles();
  EventFiles(const EventFiles&) = delete;
  EventFiles& operator=(const EventFiles&) = delete;

  // Cuts what files of earlier processes have of steps after `done`, which they had not saved, and what they
  // had not written whole; then begins a file of its own. A TensorBoard that has already read what is cut is
  // told by that file to drop it. (Files that are there do not grow: a reader's place in them stays true.)
  void open(int64_t done);

  // One event, in one piece. Error if it cannot be written.
  void append(int64_t step, const ProgressNews& news);
  void sync();  // the events are on the disk

 private:
  void write(const std::string& event);

  std::filesystem::path directory_, file_;
  std::FILE* out_ = nullptr;
};

}  // namespace innerloop
