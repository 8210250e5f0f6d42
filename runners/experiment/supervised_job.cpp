#include "runners/experiment/supervised_job.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>

#include "base/error.h"
#include "datasets/data_shape.h"
#include "meta/algorithms/registry.h"
#include "runners/experiment/shell.h"
#include "runners/experiment/supervised_evaluation.h"

namespace innerloop {
namespace {

constexpr const char* kValidation = "validation";  // metric, iteration and validations since

torch::Tensor numbers(std::vector<double> values) {
  return torch::tensor(values, torch::kFloat64).reshape({1, static_cast<int64_t>(values.size())});
}

}  // namespace

SupervisedJob::SupervisedJob(const ExperimentConfig& config, ThreadPool& pool)
    : config_(config),
      learner_(config.supervised, find_algorithm(config.algorithm()), pool),
      accuracy_(learner_.dataset().spec().classification) {
  // What is asked for later must be possible now.
  if (config.validation.every > 0) learner_.check({.split = Split::kValidation});
  learner_.check(config.supervised_evaluation);
  const int64_t members = config.supervised_evaluation.ensemble, every = config.validation.every;
  if (members == 1) return;
  require_usage(members <= config.validation.keep, "evaluation.ensemble is ", members,
                ", but validation.keep is ", config.validation.keep, ": so many of the best are kept");
  require_usage(every > 0 && config.iterations / every >= members, "evaluation.ensemble is ", members,
                ", but ", config.iterations, " iterations with one validation in ", every, " make ",
                every > 0 ? config.iterations / every : 0, "; evaluation.ensemble = 1 takes the best alone");
}

std::string SupervisedJob::summary() const {
  const auto& c = learner_.config();
  const auto& spec = learner_.dataset().spec();
  const auto& evaluation = config_.supervised_evaluation;
  const EpisodeShape test = learner_.evaluation_shape(evaluation);
  const std::string order = c.inner.steps == 0    ? "no inner steps"
                            : c.inner.first_order ? "first order"
                                                  : "second order";
  std::string text =
      concat("  ", config_.algorithm(), " on ", spec.name, ", ", order, ", seed ", c.seed, "\n  ");
  const std::string ways = spec.classification ? concat(c.shape.ways, "-way ") : "";
  const std::string shots =
      c.most_shots > 0 ? concat(c.shape.shots, "- to ", c.most_shots) : concat(c.shape.shots);
  const std::string queries = c.most_shots > 0
                                  ? concat(c.shape.shots + c.shape.queries, " samples of a class in all")
                                  : concat(c.shape.queries, " queries");
  text += concat(c.meta_batch_size, " tasks, ", ways, shots, "-shot, ", queries,
                 "; test: ", test.ways == c.shape.ways ? "" : concat(test.ways, "-way "), test.shots,
                 "-shot, ", test.queries, " queries\n  inner steps: ", c.inner.steps, ", test ",
                 evaluation.steps, "; inner step size ", step_size_text(c, learner_.method().step_size()),
                 "; ", c.optimizer.name, " ", c.optimizer.step_size,
                 c.optimizer.clip > 0 ? concat(", clipped to ", c.optimizer.clip) : "", "\n  ",
                 c.network.name, ", ", learner_.meta_parameters().numel(),
                 " meta-parameters, batch norm: ", c.network.batch_norm, "\n  ", spec.protocol, "\n");
  return text;
}

void SupervisedJob::iterate(int64_t iteration) {
  const int64_t at = iteration % config_.progress_every;
  const bool measured = at % std::max<int64_t>(1, config_.progress_every / 10) == 0;
  const auto begin = std::chrono::steady_clock::now();
  const SupervisedReport report = learner_.iterate(iteration, measured);
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
  if (at == 0) {
    window_ = {};
    milliseconds_ = timed_ = 0;
  }
  milliseconds_ += time.count();
  ++timed_;
  window_.loss += last_loss_ = report.query_loss;
  ++window_.losses;
  if (!measured) return;
  window_.metric += last_metric_ = report.query_metric;
  ++window_.metrics;
}

void SupervisedJob::begin(const RunDirectory& directory, int64_t done) {
  directory_ = directory;
  if (config_.validation.every == 0) return;
  validations_.emplace(directory.validation(),
                       std::vector<std::string>{metric_name(accuracy_) + "_mean", "ci95", "best"});
  validations_->open(done);
}

ProgressNews SupervisedJob::after(int64_t done) {
  if (config_.validation.every == 0 || done % config_.validation.every != 0) return {};
  return validate(done);
}

ProgressNews SupervisedJob::validate(int64_t done) {
  // What trains without inner steps takes those of the evaluation (joint, baseline_finetune), if any.
  const int64_t inner = learner_.config().inner.steps;
  const auto metrics = learner_.evaluate({.split = Split::kValidation,
                                          .tasks = config_.validation.tasks,
                                          .steps = inner > 0 ? inner : config_.supervised_evaluation.steps,
                                          .seed = learner_.config().seed});
  const MetricStatistics found = statistics(metrics).back();
  const bool better =
      best_.iteration == 0 || (accuracy_ ? found.mean > best_.metric : found.mean < best_.metric);
  Checkpoint checkpoint{.kind = kind(), .config = training_text(config_), .iteration = done};
  checkpoint.meta = learner_.meta_parameters();
  checkpoint.optimizer = learner_.optimizer_state();
  checkpoint.method = learner_.method_state();
  checkpoint.data_shape = data_shape_text(data_shape(learner_.dataset()));
  checkpoint.job = Params({{kValidation, numbers({found.mean, static_cast<double>(done), 0})}});
  checkpoint.data = data_digest();
  if (better) {
    best_ = {found.mean, done, 0};
    if (directory_) save_checkpoint(directory_->best_checkpoint(), checkpoint);
  } else {
    ++best_.since;
  }
  if (config_.validation.keep > 1) keep_best(found.mean, done, checkpoint);
  const double interval = found.ci95.value_or(std::numeric_limits<double>::quiet_NaN());
  if (validations_) validations_->append(done, {found.mean, interval, int64_t{better}});
  const std::string tag = "validation/" + metric_name(accuracy_);
  ProgressNews news{.scalars = {{tag, found.mean}, {tag + "_ci95", interval}},
                    .per_task = {{tag + "_per_task", {}}}};
  for (const auto& task : metrics) news.per_task.front().values.push_back(task.back());
  return news;
}

void SupervisedJob::keep_best(double metric, int64_t done, const Checkpoint& checkpoint) {
  const auto place = std::find_if(kept_.begin(), kept_.end(), [&](const auto& other) {
    return accuracy_ ? metric > other.first : metric < other.first;
  });
  const auto limit = static_cast<size_t>(config_.validation.keep);
  if (static_cast<size_t>(place - kept_.begin()) >= limit) return;
  if (directory_) save_checkpoint(directory_->best_checkpoint(done), checkpoint);
  kept_.insert(place, {metric, done});
  while (kept_.size() > limit) {
    std::error_code ignored;  // it may have been dropped before a crash
    if (directory_) std::filesystem::remove(directory_->best_checkpoint(kept_.back().second), ignored);
    kept_.pop_back();
  }
}

bool SupervisedJob::finished() const {
  return config_.validation.every > 0 && config_.validation.patience > 0 &&
         best_.since >= config_.validation.patience;
}

std::vector<ProgressColumn> SupervisedJob::columns() const {
  const std::string metric = metric_name(accuracy_);
  return {{"query_loss", "train/loss"},
          {"query_" + metric, "train/" + metric},
          {"milliseconds", "time/milliseconds_per_iteration"}};
}

ProgressRow SupervisedJob::row() {
  return {.numbers = {window_.loss / window_.losses, window_.metric / window_.metrics,
                      milliseconds_ / std::max(1.0, timed_)}};
}

std::string SupervisedJob::describe() const {
  char text[160];
  int length = accuracy_ ? std::snprintf(text, sizeof text, "loss %.4g  accuracy %5.2f %%", last_loss_,
                                         100 * last_metric_)
                         : std::snprintf(text, sizeof text, "loss %.4g  mse %.4g", last_loss_, last_metric_);
  std::string out(text, static_cast<size_t>(length));
  if (best_.iteration == 0) return out;
  length = accuracy_ ? std::snprintf(text, sizeof text, "  validation %.2f %% at ", 100 * best_.metric)
                     : std::snprintf(text, sizeof text, "  validation %.4g at ", best_.metric);
  return concat(out, std::string(text, static_cast<size_t>(length)), best_.iteration);
}

void SupervisedJob::save(Checkpoint& checkpoint) const {
  checkpoint.meta = learner_.meta_parameters();
  checkpoint.optimizer = learner_.optimizer_state();
  checkpoint.method = learner_.method_state();
  checkpoint.data_shape = data_shape_text(data_shape(learner_.dataset()));
  checkpoint.job = Params({{"row", numbers({window_.loss, window_.losses, window_.metric, window_.metrics})},
                           {kValidation, numbers({best_.metric, static_cast<double>(best_.iteration),
                                                  static_cast<double>(best_.since)})}});
  if (kept_.empty()) return;
  std::vector<double> kept;
  for (const auto& [metric, iteration] : kept_) {
    kept.push_back(metric);
    kept.push_back(static_cast<double>(iteration));
  }
  checkpoint.job = checkpoint.job.joined(Params({{"kept", numbers(kept)}}));
}

void SupervisedJob::restore(const Checkpoint& checkpoint) {
  learner_.restore(checkpoint.meta, checkpoint.optimizer, checkpoint.method);
  const auto row = checkpoint.job.at("row").flatten(), validation = checkpoint.job.at(kValidation).flatten();
  require(row.numel() == 4 && validation.numel() == 3, "the checkpoint's state of a supervised training has ",
          row.numel(), " and ", validation.numel(), " entries, expected 4 and 3");
  const auto at = [](const torch::Tensor& values, int64_t i) { return values[i].item<double>(); };
  window_ = {at(row, 0), at(row, 1), at(row, 2), at(row, 3)};
  best_ = {at(validation, 0), static_cast<int64_t>(at(validation, 1)),
           static_cast<int64_t>(at(validation, 2))};
  kept_.clear();
  if (checkpoint.job.contains("kept")) {
    const auto kept = checkpoint.job.at("kept").flatten();
    for (int64_t i = 0; i + 1 < kept.numel(); i += 2)
      kept_.emplace_back(at(kept, i), static_cast<int64_t>(at(kept, i + 1)));
  }
  if (window_.metrics > 0) last_metric_ = window_.metric / window_.metrics;  // until the next is measured
}

std::string SupervisedJob::next_commands(const std::string& run) const {
  return concat("  ", program_word(), " bench --run-dir ", run,
                " --resume    its evaluation beside published numbers\n", "  ", program_word(),
                " adapt --run ", run, "    how well it adapts to new tasks\n");
}

}  // namespace innerloop
