// What the training loop (runners/experiment/training.h) trains: a policy, or a network on a data set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runners/experiment/checkpoint.h"
#include "runners/experiment/progress_row.h"
#include "runners/experiment/run_directory.h"

namespace innerloop {

class TrainingJob {
 public:
  virtual ~TrainingJob() = default;

  virtual std::string kind() const = 0;     // of its checkpoints: "policy" or "supervised"
  virtual std::string summary() const = 0;  // lines for the terminal: what the numbers depend on

  // Of the files that it trains on (Dataset::digest); "" where it reads none.
  virtual std::string data_digest() const { return ""; }

  // Meta-iteration `iteration` (0, 1, ...). Error if it cannot be done; the state is then as before.
  virtual void iterate(int64_t iteration) = 0;

  // Once before the first iteration, after restore(): `done` iterations lie behind. In the process that
  // writes the directory; the others do all but that.
  virtual void begin(const RunDirectory& /*directory*/, int64_t /*done*/) {}
  // After every iteration, before its row and its checkpoint. Not counted as time of the iteration. Returns
  // what there is to tell beside the rows.
  virtual ProgressNews after(int64_t /*done*/) { return {}; }
  virtual bool finished() const { return false; }  // the job asks for no further iteration

  // progress.csv has the column "iteration" and these; one row every `row_every` iterations and after the
  // last.
  virtual std::vector<ProgressColumn> columns() const = 0;
  virtual int64_t row_every() const { return 1; }
  virtual ProgressRow row() = 0;             // on the iterations since the last row
  virtual std::string describe() const = 0;  // the last iteration in a few words
  // What went wrong in the last iteration without ending it: lines for log.txt.
  virtual std::vector<std::string> notes() const { return {}; }

  // Everything that the next iterations depend on; iteration, kind and configuration are the loop's.
  virtual void save(Checkpoint& checkpoint) const = 0;
  virtual void restore(const Checkpoint& checkpoint) = 0;  // Error naming what does not fit

  // For a warm start: the meta-parameters before the first iteration, and others in their place.
  virtual const Params& meta_parameters() const = 0;
  virtual void start_from(const Params& meta) = 0;

  // What iterate() does one of.
  struct Unit {
    std::string one, many;
  };
  virtual Unit unit() const { return {"meta-iteration", "meta-iterations"}; }
  virtual bool draws_progress() const { return true; }  // progress.png, from progress.csv
  virtual std::string amount() const { return ""; }     // done so far: ", 800 steps"
  // Lines: what to do with the run, `run` being its directory as a word of a shell.
  virtual std::string next_commands(const std::string& run) const = 0;
};

}  // namespace innerloop
