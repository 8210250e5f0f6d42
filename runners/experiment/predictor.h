// What was trained, adapted to a support set of the user's own: from a run, or from the file that such an
// adaptation left behind.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "datasets/own_pictures.h"
#include "meta/supervised/adapted_network.h"
#include "meta/supervised/supervised_meta_learner.h"
#include "runners/experiment/adapted_file.h"
#include "runners/experiment/run_directory.h"

namespace innerloop {

class Predictor {
 public:
  // What the run learned, for tasks of so many classes (regression: 0); adapt() comes next. The data set is
  // read only where the run does not say what shape its images have. UsageError if what was learned is for
  // another number of classes.
  Predictor(const TrainedRun& run, int64_t classes, ThreadPool& pool);
  // What was adapted before; `config`: that of the file, config_of(). Error if the file is damaged.
  Predictor(const AdaptedFile& adapted, const ExperimentConfig& config, const std::filesystem::path& file,
            ThreadPool& pool);

  // The support set, x [1, N, input...] and labels [1, N] or targets [1, N, outputs].
  void adapt(const torch::Tensor& x, const torch::Tensor& y);

  // The network's output on queries [1, N, input...]: [1, N, outputs]; `before`: that before the first
  // gradient step, undefined for a method without them and for what was adapted before. Error if it is no
  // number.
  struct Outputs {
    torch::Tensor before, after;
  };
  Outputs outputs(const torch::Tensor& x) const;

  // What predicts, for save_adapted(); of an ensemble a UsageError.
  AdaptedFile file(const std::vector<std::string>& classes, const std::string& pictures) const;

  const DatasetSpec& spec() const { return learner_->dataset().spec(); }
  const ExperimentConfig& config() const { return config_; }
  std::string description() const { return description_; }  // "strokes, maml after 300 meta-iterations"
  std::string adaptation() const;                           // "3 gradient steps"
  bool queries_count_together() const { return innerloop::queries_count_together(*learner_); }

 private:
  void make_learner(const std::string& data_shape, const std::string& owner, ThreadPool& pool);
  Episodes episode(const torch::Tensor& x) const;

  ExperimentConfig config_;
  std::string data_shape_, description_;
  int64_t iteration_ = 0;
  std::unique_ptr<SupervisedMetaLearner> learner_;
  torch::Tensor support_x_, support_y_;  // undefined where the adapted network is all there is
  std::optional<AdaptedNetwork> adapted_;
};

}  // namespace innerloop
