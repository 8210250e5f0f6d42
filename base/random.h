// Counter-based random streams (Philox4x64-10; Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011, through Random123). A stream is a pure function of its key, so results never depend on which
// thread draws first, and a resumed run needs no generator state.
#pragma once

#include <Random123/philox.h>

#include <array>
#include <cstdint>

namespace innerloop {

// What a stream is drawn for. Values are part of the determinism contract: never renumber, only append.
enum class Purpose : uint32_t {
  kInitialParameters = 1,
  kTask = 2,         // a training task T_i ~ p(T)
  kEnvironment = 3,  // resets and transitions of one trajectory
  kAction = 4,       // exploration noise of one trajectory
  kEvaluationTask = 5,
  kEvaluationEnvironment = 6,
  kEvaluationAction = 7,
  kTest = 8,
  kValidationTask = 9,
  kDrawnClass = 10,     // datasets/strokes: the strokes of a class
  kDrawnInstance = 11,  // datasets/strokes: one drawing of it
  kClassSplit = 12,     // which classes belong to training, validation and test
  kAlgorithm = 13,      // what an algorithm draws for a training task (meta/moment.h)
  kEvaluationAlgorithm = 14,
  kOnlineTask = 15,        // meta/supervised/online_stream: the task of a round and its data
  kOnlineOrder = 16,       // in which order numbered tasks come
  kOnlineDraw = 17,        // which tasks of the buffer an update takes, and which of their samples
  kLabelPermutation = 18,  // in which orders a held-out task's classes are labelled (studies of it)
  kBootstrap = 19,         // runners/reports: which runs a resampled statistic takes
  kAugmentation = 20,      // random views of images
  kDomainSplit = 21,       // which domains of a data set are training's, validation's and test's
  kPerturbation = 22,      // directions in which evolution strategies move the meta-parameters
  kTrialPair = 23,         // pairs of samples that verification asks about
  kFixedTask = 24,         // the training tasks of a data set that has finitely many
};

struct StreamKey {
  uint64_t seed = 0;
  Purpose purpose = Purpose::kTest;
  uint64_t iteration = 0;
  uint64_t task = 0;
  uint64_t trajectory = 0;
  uint32_t step = 0;  // inner step: fresh trajectories at every step have streams of their own
};

class Stream {
 public:
  explicit Stream(const StreamKey& key);

  uint64_t bits();                          // 64 uniform bits
  double uniform();                         // [0, 1), 53 bits
  double uniform(double low, double high);  // [low, high)
  double normal();                          // N(0, 1), Box-Muller in pairs
  uint64_t below(uint64_t bound);           // uniform in {0, ..., bound - 1}, without modulo bias

  // `each` draws of N(0, 1) from each of `count` streams, stream b's from out + b * stride on: what normal()
  // would draw, in float32, at a third of its cost. (Computed in double to 1e-15 by other formulas, so that
  // one number in some hundred millions is rounded to the other neighbour.)
  static void normals(Stream* const* streams, int64_t count, int64_t each, float* out, int64_t stride);

 private:
  using Philox = r123::Philox4x64;
  Philox::key_type key_;
  Philox::ctr_type counter_;  // [0] is the block number, [1..3] identify the stream
  Philox::ctr_type block_{};
  size_t used_ = 4;
  double spare_normal_ = 0;
  bool has_spare_ = false;
};

}  // namespace innerloop
