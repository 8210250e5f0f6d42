// What is drawn for one interpolated task of MLTI (mlti.h): partner, layer, lambda, pairs of samples, boxes.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "datasets/dataset_config.h"
#include "meta/moment.h"

namespace innerloop {

// Beta(a, a), by Marsaglia and Tsang's gamma variables.
double symmetric_beta(double a, Stream& stream);

// Rows and columns [top, bottom) x [left, right) of a box around (row, column), cut off at the picture's
// edge.
struct CutBox {
  int64_t top = 0, bottom = 0, left = 0, right = 0;
};
CutBox cut_box(int64_t height, int64_t width, double lambda, int64_t row, int64_t column);

struct MltiConfig {
  bool prototypical = false;  // mlti.with
  bool cutmix = false;        // mlti.mix
  bool label_sharing = false;
  int64_t layers = -1;
  double beta = 2;
};

// How one task is mixed: all that is drawn for it.
struct TaskMix {
  int64_t partner = 0, layer = 0;
  double lambda = 1;
  std::vector<int64_t> support, query;  // the partner's samples in the order of those they are mixed with
  CutBox support_box, query_box;
};

// What the mixes of a training have in common.
struct TaskMixer {
  MltiConfig config;
  EpisodeShape shape;
  int64_t tasks = 1;   // of a meta-iteration
  int64_t layers = 0;  // that may be mixed beside the input
  bool classes = false;
  int64_t height = 0, width = 0;  // of images

  TaskMix draw(const Moment& now, int64_t task) const;  // of a task of the chunk
};

}  // namespace innerloop
