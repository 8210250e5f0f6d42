// The mini-batches of contrastive.h: what is drawn of views, turns and mixtures, and the pictures made of it.
//
// Everything drawn is a function of (seed, iteration, task, image, view), with streams of
// Purpose::kAugmentation: the loss asks for the same turns and shares as the pictures were made with.
#pragma once

#include <vector>

#include "datasets/augmentation.h"
#include "meta/algorithms/contrastive.h"
#include "meta/algorithms/task_mix.h"
#include "meta/method.h"

namespace innerloop {

class ContrastiveViews {
 public:
  // Errors as Augmentation's, and UsageError where images that are not square are to be turned.
  ContrastiveViews(const ContrastiveConfig& config, const DatasetSpec& spec);

  // Of `count` mini-batches from now.first_task on: support_x the first views of all images, [T, n, ...];
  // query_x the second views, then the mixed ones if there are any, then the turned ones. Labels are numbers
  // of images.
  Episodes draw(const TaskSource& source, const Moment& now, int64_t count) const;

  int64_t mixed() const { return config_.cutmix_weight > 0 ? config_.images : 0; }
  int64_t turned_views() const;

  // How a mini-batch's queries are mixed.
  struct Mix {
    double lambda = 1;  // share of the query itself
    bool linear = false;
    CutBox box;  // of the partner, where not linear
  };
  Mix mix(const Moment& now, int64_t task) const;
  // By how many quarters each of the turned views is.
  std::vector<int64_t> turns(const Moment& now, int64_t task) const;

 private:
  Stream stream(const Moment& now, int64_t task, int64_t place, uint32_t of) const;
  void draw_views(const float* images, const Moment& now, int64_t task, float* first, float* second) const;
  void draw_mixed(const float* second, const Mix& mix, float* to) const;

  ContrastiveConfig config_;
  Augmentation augmentation_;
  int64_t channels_, height_, width_;
};

}  // namespace innerloop
