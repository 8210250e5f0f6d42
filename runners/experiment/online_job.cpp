#include "runners/experiment/online_job.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/error.h"
#include "base/memory.h"
#include "datasets/numbered_tasks.h"
#include "meta/algorithms/registry.h"
#include "runners/experiment/progress.h"
#include "runners/experiment/shell.h"
#include "runners/experiment/supervised_evaluation.h"

namespace innerloop {
namespace {

// Samples of each class that are never trained on.
int64_t held_out(const ExperimentConfig& config) {
  const int64_t queries = config.supervised_evaluation.queries;
  return queries > 0 ? queries : config.supervised.shape.queries;
}

const OnlineRule& find_rule(const std::string& name) { return find_named("learner", online_rules(), name); }

torch::Tensor row_of(const std::vector<double>& values) {
  return torch::tensor(values, torch::kFloat64).reshape({1, static_cast<int64_t>(values.size())});
}

std::string progress_figure(double value, bool accuracy) {
  char text[32];
  std::snprintf(text, sizeof text, accuracy ? "%.1f %%" : "%.3g", accuracy ? 100 * value : value);
  return text;
}

}  // namespace

ExperimentConfig online_training(ExperimentConfig config) {
  require_usage(
      config.online.rounds > 0,
      "online: online.rounds is 0, expected the number of tasks that arrive; configurations made for "
      "it: online_rainbow_strokes, online_sine");
  require_usage(config.meta().start.empty(), "online: meta.start is '", config.meta().start,
                "'; learners start from drawn parameters here, expected none");
  config.iterations = config.online.rounds * config.online.batches;
  config.checkpoint.every = config.online.batches;
  return config;
}

OnlineJob::OnlineJob(const ExperimentConfig& config, ThreadPool& pool)
    : config_(config),
      dataset_(make_dataset(config.supervised.dataset)),
      executor_(pool),
      stream_(config.supervised, config.online, held_out(config), *dataset_) {
  require_memory("online learning",
                 {{concat("samples of ", config.online.rounds, " rounds (online.batches x online.batch, and ",
                          held_out(config), " held out)"),
                   stream_.bytes()}},
                 config.meta().memory);
  const Algorithm& algorithm = find_algorithm(config.algorithm());
  for (const auto& name : config.online.learners) {
    learners_.push_back(
        std::make_unique<OnlineLearner>(find_rule(name), config.supervised, algorithm, *dataset_, executor_));
    results_.learners.push_back(name);
    results_.metrics.emplace_back();
  }
}

OnlineStream::Now OnlineJob::now(int64_t iteration) const {
  return {iteration / config_.online.batches, iteration % config_.online.batches + 1};
}

std::string OnlineJob::summary() const {
  const auto& c = config_.supervised;
  const auto& o = config_.online;
  const auto& spec = dataset_->spec();
  const EpisodeShape& shape = c.shape;
  const std::string of_each = spec.classification ? " of each class" : "";
  std::string text =
      concat("  online learning on ", spec.name, ", seed ", c.seed, "\n  ", o.rounds, " rounds of ",
             o.batches, " batches of ", stream_.samples(1), " samples; after each ", o.steps, " updates of ",
             c.meta_batch_size, " tasks, ", shape.shots, " support and ", shape.queries, " query samples",
             of_each, "\n  buffer: ", o.buffer == 0 ? "all tasks" : concat("the last ", o.buffer, " tasks"),
             "; judged on ", held_out(config_), " held-out samples", of_each,
             "; learned: ", spec.classification ? "accuracy >= " : "mse <= ", o.level, "\n  ",
             config_.algorithm(), ": ", c.inner.steps, " inner steps, ", config_.supervised_evaluation.steps,
             " before judging, step size ", c.inner.step_size, "; ", c.optimizer.name, " ",
             c.optimizer.step_size, "\n  ", c.network.name, ", ", learners_.back()->parameters().numel(),
             " parameters, batch norm: ", c.network.batch_norm, "\n  ", spec.protocol, "\n");
  for (const auto& learner : learners_) {
    std::string name = learner->rule().name;
    name.resize(8, ' ');
    text += concat("  ", name, learner->rule().description, "\n");
  }
  if (spec.classification && numbered_tasks(*dataset_) == nullptr) {
    text += concat("  note: labels of ", spec.name,
                   " stand for other classes in every round; toe and joint can only learn what they have in "
                   "common\n");
  }
  return text;
}

void OnlineJob::iterate(int64_t iteration) {
  const auto begin = std::chrono::steady_clock::now();
  const auto at = now(iteration);
  stream_.reach(at.round);
  const int64_t steps = config_.online.steps;
  for (auto& learner : learners_) {
    if (at.batches == 1) learner->begin_round(at.round);
    for (int64_t i = 0; i < steps; ++i) learner->update(stream_, at, iteration * steps + i);
  }
  const auto judged = executor_.gather(static_cast<int64_t>(learners_.size()), [&](int64_t i) {
    const auto& learner = *learners_[static_cast<size_t>(i)];
    return as_params({learner.judge(stream_, at, config_.supervised_evaluation.steps)});
  });
  for (size_t i = 0; i < judged.size(); ++i) results_.metrics[i].push_back(as_numbers(judged[i]).front());
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
  milliseconds_ = time.count();
}

std::vector<ProgressColumn> OnlineJob::columns() const {
  const std::string metric = metric_name(classifies());
  std::vector<ProgressColumn> out{{"round", "online/round"}, {"samples", "online/samples"}};
  for (const auto& learner : results_.learners)
    out.push_back({concat(learner, "_", metric), concat(metric, "/", learner)});
  out.push_back({"milliseconds", "time/milliseconds_per_batch"});
  return out;
}

ProgressRow OnlineJob::row() {
  const auto at = now(static_cast<int64_t>(results_.metrics.front().size()) - 1);
  ProgressRow row{.numbers = {at.round + 1, stream_.samples(at.batches)}};
  for (const auto& metrics : results_.metrics) row.numbers.emplace_back(metrics.back());
  row.numbers.emplace_back(milliseconds_);
  return row;
}

std::string OnlineJob::describe() const {
  const auto at = now(static_cast<int64_t>(results_.metrics.front().size()) - 1);
  std::string text = concat("round ", at.round + 1, ", ", stream_.samples(at.batches), " samples:");
  for (size_t i = 0; i < results_.learners.size(); ++i)
    text +=
        concat("  ", results_.learners[i], " ", progress_figure(results_.metrics[i].back(), classifies()));
  return text;
}

void OnlineJob::save(Checkpoint& checkpoint) const {
  for (size_t i = 0; i < learners_.size(); ++i) {
    const auto& learner = *learners_[i];
    const std::string prefix = results_.learners[i] + ".";
    checkpoint.meta = checkpoint.meta.joined(learner.parameters().prefixed(prefix));
    checkpoint.optimizer = checkpoint.optimizer.joined(learner.optimizer_state().prefixed(prefix));
    checkpoint.method = checkpoint.method.joined(learner.method_state().prefixed(prefix));
    checkpoint.job = checkpoint.job.joined(Params({{results_.learners[i], row_of(results_.metrics[i])}}));
  }
}

void OnlineJob::restore(const Checkpoint& checkpoint) {
  for (size_t i = 0; i < learners_.size(); ++i) {
    const std::string& name = results_.learners[i];
    const auto found = checkpoint.job.at(name).to(torch::kFloat64).contiguous();
    require(found.numel() == checkpoint.iteration, "the checkpoint has ", found.numel(), " results of ", name,
            ", expected one for each of its ", checkpoint.iteration, " batches");
    learners_[i]->restore(checkpoint.meta.part(name + "."), checkpoint.optimizer.part(name + "."),
                          checkpoint.method.part(name + "."));
    results_.metrics[i].assign(found.data_ptr<double>(), found.data_ptr<double>() + found.numel());
  }
}

void OnlineJob::start_from(const Params&) { throw Error("online learning has no warm start"); }

std::string OnlineJob::next_commands(const std::string& run) const {
  return concat("  ", program_word(), " online --run-dir ", run,
                " --resume    draws and prints the results again\n");
}

}  // namespace innerloop
