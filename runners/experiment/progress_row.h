// What a training tells while it goes on, as names and numbers. progress.csv, validation.csv and the event
// files of TensorBoard (runners/experiment/run_progress.h) are written from the same rows. No torch.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace innerloop {

struct ProgressColumn {
  std::string name;  // in the CSV file: "query_loss"
  std::string tag;   // in TensorBoard: "train/loss"
};

using ProgressNumber = std::variant<int64_t, double>;

// One value for each task, which TensorBoard shows as a histogram.
struct TaskValues {
  std::string tag;
  std::vector<double> values;
};

struct ProgressRow {
  std::vector<ProgressNumber> numbers;  // one for each column
  std::vector<TaskValues> per_task = {};
};

// What happens beside the rows: a validation, a film.
struct ProgressNews {
  struct Scalar {
    std::string tag;
    double value = 0;
  };
  struct Picture {
    std::string tag;
    std::string png;  // the bytes of such a file
  };
  std::vector<Scalar> scalars = {};
  std::vector<TaskValues> per_task = {};
  std::vector<Picture> pictures = {};

  bool empty() const { return scalars.empty() && per_task.empty() && pictures.empty(); }
};

// "after_0_steps", "after_1_step": how tags name what is measured after inner steps.
inline std::string after_steps(int64_t steps) {
  return "after_" + std::to_string(steps) + (steps == 1 ? "_step" : "_steps");
}

}  // namespace innerloop
