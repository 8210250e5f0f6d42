#include "runners/experiment/predictor.h"

#include "base/error.h"
#include "datasets/data_shape.h"
#include "meta/algorithms/registry.h"
#include "runners/experiment/supervised_evaluation.h"

namespace innerloop {
namespace {

bool fits_data_set(const torch::Tensor& x, const torch::Tensor& y, const DatasetSpec& spec, int64_t ways) {
  std::vector<int64_t> sizes{1, x.dim() < 2 ? 0 : x.size(1)};
  sizes.insert(sizes.end(), spec.input.begin(), spec.input.end());
  if (x.sizes() != sizes || x.scalar_type() != torch::kFloat32 || sizes[1] == 0) return false;
  if (!spec.classification)
    return y.sizes() == std::vector<int64_t>{1, sizes[1], spec.outputs} && y.scalar_type() == torch::kFloat32;
  if (y.sizes() != std::vector<int64_t>{1, sizes[1]} || y.scalar_type() != torch::kInt64) return false;
  return y.min().item<int64_t>() == 0 && y.max().item<int64_t>() + 1 == ways;
}

}  // namespace

Predictor::Predictor(const TrainedRun& run, int64_t classes, ThreadPool& pool) : config_(run.config) {
  config_.supervised_evaluation.ways = classes;
  make_learner(run.checkpoint.data_shape, concat("checkpoint of '", run.directory.root().string(), "'"),
               pool);
  if (run.checkpoint.data_shape.empty()) {
    require_same_data(concat("predict: '", run.directory.root().string(), "'"),
                      {run.checkpoint.data, run.data_path},
                      {learner_->dataset().digest(), data_path(run.config)});
  }
  data_shape_ = data_shape_text(data_shape(learner_->dataset()));
  const SelectedCheckpoint selected = use_selected(*learner_, config_, run.directory);
  iteration_ = selected.iteration;
  description_ = selected.description;
}

Predictor::Predictor(const AdaptedFile& adapted, const ExperimentConfig& config,
                     const std::filesystem::path& file, ThreadPool& pool)
    : config_(config), data_shape_(adapted.data_shape), iteration_(adapted.iteration) {
  const std::string name = concat("'", file.string(), "'");
  require(adapted.kind == "supervised", name, " holds a policy, which has nothing to predict");
  auto& evaluation = config_.supervised_evaluation;
  evaluation.ways = static_cast<int64_t>(adapted.classes.size());
  evaluation.steps = adapted.steps;
  evaluation.seed = adapted.seed;
  make_learner(data_shape_, name, pool);
  require(spec().classification == (evaluation.ways > 0), name, " is damaged: it names ", evaluation.ways,
          " classes, and ", spec().name, spec().classification ? " has classes" : " has none");
  if (adapted.by_support()) {
    learner_->use(adapted.meta, adapted.method);
    learner_->check(evaluation);
    support_x_ = adapted.support.at("x");
    support_y_ = adapted.support.at("y");
    require(fits_data_set(support_x_, support_y_, spec(), evaluation.ways), name,
            " is damaged: its support set is none of ", spec().name, " with ", evaluation.ways, " classes");
  } else {
    adapted_ = AdaptedNetwork{adapted.adapted, adapted.statistics};
  }
  description_ = concat(spec().name, ", ", config_.algorithm(), " after ", iteration_, " meta-iterations");
}

void Predictor::make_learner(const std::string& data_shape, const std::string& owner, ThreadPool& pool) {
  const DataShape shape = parse_data_shape(data_shape, owner);
  auto dataset = shape.known() ? dataset_of_shape(config_.supervised.dataset.name, shape)
                               : make_dataset(config_.supervised.dataset);
  learner_ = std::make_unique<SupervisedMetaLearner>(config_.supervised, find_algorithm(config_.algorithm()),
                                                     std::move(dataset), pool);
}

Episodes Predictor::episode(const torch::Tensor& x) const {
  const auto y = spec().classification ? torch::zeros({1, x.size(1)}, torch::kInt64)
                                       : torch::zeros({1, x.size(1), spec().outputs});
  return {.support_x = support_x_, .query_x = x, .support_y = support_y_, .query_y = y};
}

void Predictor::adapt(const torch::Tensor& x, const torch::Tensor& y) {
  support_x_ = x;
  support_y_ = y;
  adapted_.reset();
  if (config_.supervised_evaluation.ensemble == 1)
    adapted_ = adapted_network(*learner_, episode(x), config_.supervised_evaluation);
}

Predictor::Outputs Predictor::outputs(const torch::Tensor& x) const {
  Outputs out;
  const auto& evaluation = config_.supervised_evaluation;
  if (adapted_) out.after = predict(*learner_, *adapted_, x, evaluation);
  const bool steps_seen = !spec().classification && support_x_.defined();
  if (!adapted_ || steps_seen) {
    const auto found = learner_->predict(episode(x), evaluation);
    if (found.size() > 1) out.before = found.front();
    if (!adapted_) out.after = found.back();
  }
  require(!out.after.isnan().any().item<bool>(), "a prediction is not a number after ", adaptation(),
          ": the adaptation diverges; try fewer --steps, or a smaller inner.step_size");
  return out;
}

AdaptedFile Predictor::file(const std::vector<std::string>& classes, const std::string& pictures) const {
  const auto& evaluation = config_.supervised_evaluation;
  require_usage(evaluation.ensemble == 1,
                "predict: --save takes what one network learned, and --ensemble is ", evaluation.ensemble);
  AdaptedFile out{.kind = "supervised",
                  .config = training_text(config_),
                  .data_shape = data_shape_,
                  .iteration = iteration_,
                  .steps = evaluation.steps,
                  .seed = evaluation.seed,
                  .classes = classes,
                  .pictures = pictures};
  if (adapted_) {
    out.adapted = adapted_->parameters;
    out.statistics = adapted_->statistics;
  } else {
    out.meta = learner_->meta_parameters();
    out.method = learner_->method_state();
    out.support = Params({{"x", support_x_}, {"y", support_y_}});
  }
  return out;
}

std::string Predictor::adaptation() const {
  const int64_t steps = config_.supervised_evaluation.steps;
  return adapted_ ? concat(steps, " gradient step", steps == 1 ? "" : "s") : "its support set";
}

}  // namespace innerloop
