#include "runners/experiment/policy_job.h"

#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "runners/experiment/progress.h"
#include "runners/experiment/shell.h"

namespace innerloop {
namespace {

constexpr int64_t kRejectedInARow = 5;  // so many line searches without a step are no accident

}  // namespace

std::string PolicyJob::summary() const {
  const auto& c = learner_->config();
  const auto& environment = learner_->environment();
  const auto& step = find_algorithm(c.algorithm.name).step;
  const std::string adaptation = step == "episode"
                                     ? concat(learner_->steps() + 1, " episodes each")
                                     : concat(c.inner.steps, " inner step(s) of size ", c.inner.step_size,
                                              c.inner.first_order ? ", first order" : "");
  return concat("  ", c.algorithm.name, " on ", environment.name,
                c.environment.observe_task ? " (task observed)" : "", ", horizon ", environment.horizon,
                ", seed ", c.seed, "\n  ", c.meta_batch_size, " tasks x ", c.sampler.trajectories,
                " trajectories, ", adaptation, ", ", c.optimizer.name, ", ", c.policy.name, ", ",
                learner_->meta_parameters().numel(), " meta-parameters\n");
}

void PolicyJob::iterate(int64_t iteration) {
  report_ = learner_->iterate(iteration);
  environment_steps_ += report_.environment_steps;
  rejected_ = report_.meta_step.accepted ? 0 : rejected_ + 1;
}

void PolicyJob::begin(const RunDirectory& directory, int64_t) { directory_ = directory; }

ProgressNews PolicyJob::after(int64_t done) {
  return directory_ ? films_.after(done, *learner_, *directory_) : ProgressNews{};
}

std::vector<ProgressColumn> PolicyJob::columns() const {
  const int64_t steps = learner_->steps();
  std::vector<ProgressColumn> out{{"environment_steps", "train/environment_steps"}};
  const auto add = [&](int64_t k, const std::string& what, const std::string& section) {
    out.push_back({concat("step_", k, "_", what), concat(section, "/", after_steps(k))});
  };
  for (int64_t k = 0; k <= steps; ++k) {
    add(k, "return_mean", "return");
    add(k, "return_std", "return_std");
    if (learner_->environment().defines_success) add(k, "success_rate", "success_rate");
  }
  for (const char* name : {"loss_before", "loss_after", "kl_before", "kl_after", "line_search", "accepted"})
    out.push_back({name, concat("train/", name)});
  for (int64_t k = 0; k <= steps; ++k) add(k, "explained_variance", "explained_variance");
  out.push_back({"entropy", "train/entropy"});
  for (const char* name : {"sampling_seconds", "advantage_seconds", "update_seconds"})
    out.push_back({name, concat("time/", name)});
  return out;
}

ProgressRow PolicyJob::row() {
  ProgressRow row{.numbers = {environment_steps_}};
  const auto add = [&](double value) { row.numbers.emplace_back(value); };
  for (size_t k = 0; k < report_.returns.size(); ++k) {
    const auto& returns = report_.returns[k];
    add(returns.mean);
    add(returns.std);
    if (learner_->environment().defines_success) add(returns.success_rate);
    row.per_task.push_back(
        {concat("return_per_task/", after_steps(static_cast<int64_t>(k))), returns.per_task});
  }
  const auto& step = report_.meta_step;
  for (const double value : {step.loss_before, step.loss_after, step.kl_before, step.kl_after}) add(value);
  row.numbers.emplace_back(int64_t{step.line_search});
  row.numbers.emplace_back(int64_t{step.accepted ? 1 : 0});
  for (const double value : report_.explained_variance) add(value);
  for (const double value : {report_.entropy, report_.sampling_seconds, report_.advantage_seconds,
                             report_.inner_step_seconds + report_.meta_step_seconds}) {
    add(value);
  }
  return row;
}

std::string PolicyJob::describe() const {
  char text[160];
  const auto& step = report_.meta_step;
  const double before = report_.returns.front().mean, after = report_.returns.back().mean;
  const int length = report_.returns.size() > 1
                         ? std::snprintf(text, sizeof text, "return %8.2f -> %8.2f", before, after)
                         : std::snprintf(text, sizeof text, "return %8.2f", before);
  std::string out(text, static_cast<size_t>(length));
  if (std::isnan(step.kl_after)) return out;  // a learner that measures none (es_maml)
  out.append(text, static_cast<size_t>(std::snprintf(text, sizeof text, "  kl %.4f%s", step.kl_after,
                                                     step.accepted ? "" : " (step rejected)")));
  return out;
}

std::vector<std::string> PolicyJob::notes() const {
  std::vector<std::string> texts;
  for (const auto& failure : report_.failures) texts.push_back(failure.text());
  if (rejected_ == kRejectedInARow) {
    const auto& c = learner_->config();
    texts.push_back(concat("in ", rejected_,
                           " meta-iterations in a row no step of the line search bettered the objective "
                           "within meta.max_kl: nothing is "
                           "learned. Often the inner step is too long",
                           c.inner.first_order ? ", the more so in first order" : "",
                           "; try a smaller inner.step_size (now ", c.inner.step_size,
                           c.inner.first_order ? ") or second derivatives (algorithm = maml)" : ")"));
  }
  return texts;
}

void PolicyJob::save(Checkpoint& checkpoint) const {
  checkpoint.environment_steps = environment_steps_;
  checkpoint.meta = learner_->meta_parameters();
  checkpoint.optimizer = learner_->optimizer_state();
  checkpoint.method = learner_->method_state();
}

void PolicyJob::restore(const Checkpoint& checkpoint) {
  learner_->restore(checkpoint.meta, checkpoint.optimizer, checkpoint.method);
  environment_steps_ = checkpoint.environment_steps;
}

std::string PolicyJob::amount() const { return concat(", ", environment_steps_, " environment steps"); }

std::string PolicyJob::next_commands(const std::string& run) const {
  return concat("  ", program_word(), " adapt --run ", run, "     how well it adapts to new tasks\n", "  ",
                program_word(), " record --run ", run, "    videos of it\n");
}

}  // namespace innerloop
