// Labelled task distributions: sine regression and few-shot classification.
//
// An episode is one task: a support set to adapt on and a query set to judge the adapted network by, drawn as
// a pure function of (data set, split, shape, stream).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "datasets/dataset_config.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

struct DatasetSpec {
  std::string name;
  std::string description;      // one line for `innerloop list`
  std::vector<int64_t> input;   // shape of one sample: {1}, or {channels, height, width}
  bool classification = false;  // labels 0..ways-1; otherwise targets of `outputs` numbers
  int64_t outputs = 1;          // regression only
  // What the numbers depend on, for results and the terminal: source, split, resize method, normalisation,
  // classes and images per split.
  std::string protocol;
  // Images: what the bytes 0 and 255 of each channel enter as; empty where that is not known.
  std::vector<double> black = {}, white = {};
};

// T episodes. Samples lie class after class: label 0's, label 1's, ...
struct Episodes {
  torch::Tensor support_x, query_x;  // [T, ways * shots, input...], [T, ways * queries, input...]
  torch::Tensor support_y, query_y;  // labels [T, samples] int64, or targets [T, samples, outputs]
};

// Samples of any class, each drawn for itself: x [1, samples, input...], y [1, samples] int64.
struct Labelled {
  torch::Tensor x, y;
};

// Which stored samples a task shows.
struct TaskSamples {
  std::vector<int64_t> classes;  // by label, as places in class_names(split)
  std::vector<int64_t> turns;    // by label: quarter turns, counter-clockwise, of its samples
  std::vector<int64_t> samples;  // label after label, shots first: numbers within the class
};

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual const DatasetSpec& spec() const = 0;

  // UsageError if a task of this shape cannot be drawn from the split: names the class with the fewest
  // samples, or the number of classes.
  virtual void check(Split split, const EpisodeShape& shape) const = 0;

  // Draws the task of `stream` into slice t of `episodes` (made by make_episodes for this shape). Any number
  // of threads at once.
  virtual void draw(Split split, const EpisodeShape& shape, Stream& stream, Episodes& episodes,
                    int64_t t) const = 0;

  // The classes of the task that draw() makes of this stream, by label, as places in class_names(split).
  // Empty if the data set has no classes, or does not tell.
  virtual std::vector<int64_t> drawn_classes(Split /*split*/, const EpisodeShape& /*shape*/,
                                             Stream& /*stream*/) const {
    return {};
  }

  // Tasks of the split of which no two show the same sample, nor a turned copy of it, until the split has no
  // further one or there are `most`: each takes its classes at random from those with shots + queries samples
  // left. So the tasks are independent draws of data (Lafargue et al. 2024, arXiv 2409.02850). UsageError if
  // the data set does not store its samples.
  virtual std::vector<TaskSamples> disjoint_tasks(Split split, const EpisodeShape& shape, int64_t most,
                                                  Stream& stream) const;
  // Draws one of them as draw() does.
  virtual void draw_samples(Split split, const EpisodeShape& shape, const TaskSamples& task,
                            Episodes& episodes, int64_t t) const;

  // Classification over all classes of a split at once, for networks pretrained without tasks: labels
  // 0..classes(split)-1. Regression has none: 0, and draw_labelled is an Error.
  virtual int64_t classes(Split /*split*/) const { return 0; }
  // How many samples the split's class of fewest has; 0 where any number can be drawn, or it is not told.
  virtual int64_t samples_per_class(Split /*split*/) const { return 0; }
  virtual Labelled draw_labelled(Split split, int64_t samples, Stream& stream,
                                 torch::ScalarType dtype = torch::kFloat32) const;

  // The names of those classes by label, printable (datasets/names.h): for records and pictures. Where
  // classes have none, "class 0", "class 1", ...
  virtual std::vector<std::string> class_names(Split split) const;

  // 16 hexadecimal digits that change with the data, that is with the files' bytes and the classes and splits
  // they belong to. Not with the place where they lie, nor with what packs them. "" where the settings say it
  // all.
  virtual std::string digest() const { return ""; }
};

// Uninitialised tensors for T tasks; inputs and targets of `dtype`.
Episodes make_episodes(const DatasetSpec& spec, const EpisodeShape& shape, int64_t tasks,
                       torch::ScalarType dtype = torch::kFloat32);

// UsageError for unknown names and for settings the data set does not know; Error if its files are missing
// (where to get them and which key names them) or damaged.
std::unique_ptr<Dataset> make_dataset(const DatasetConfig& config);

}  // namespace innerloop
