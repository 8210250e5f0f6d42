#include "meta/inner_loop.h"

#include <algorithm>
#include <sstream>

#include "base/error.h"
#include "networks/elementwise.h"

namespace innerloop {
namespace {

// Whether `text` matches `pattern`, in which '*' stands for any text.
bool matches(const std::string& pattern, const std::string& text, size_t p = 0, size_t t = 0) {
  if (p == pattern.size()) return t == text.size();
  if (pattern[p] == '*') {
    return matches(pattern, text, p + 1, t) || (t < text.size() && matches(pattern, text, p, t + 1));
  }
  return t < text.size() && pattern[p] == text[t] && matches(pattern, text, p + 1, t + 1);
}

// Names chosen by a comma-separated list of patterns, in the order of `names`.
std::vector<std::string> chosen(const std::string& patterns, const std::vector<std::string>& names) {
  if (patterns == "all") return names;
  std::vector<bool> taken(names.size(), false);
  std::istringstream list(patterns);
  for (std::string pattern; std::getline(list, pattern, ',');) {
    bool found = false;
    for (size_t i = 0; i < names.size(); ++i) {
      if (matches(pattern, names[i])) taken[i] = found = true;
    }
    require_usage(found, "inner.adapt: no parameter matches '", pattern, "'; known: all, ", join(names));
  }
  std::vector<std::string> out;
  for (size_t i = 0; i < names.size(); ++i) {
    if (taken[i]) out.push_back(names[i]);
  }
  require_usage(!out.empty(), "inner.adapt: '", patterns, "' names no parameter; known: all, ", join(names));
  return out;
}

// `whole` with the entries named in `part` replaced (or added to, if `add`).
Params with_part(const Params& whole, const Params& part, bool add) {
  if (!add && part.size() == whole.size()) return part;
  auto values = whole.tensors();
  size_t j = 0;
  for (size_t i = 0; i < whole.size() && j < part.size(); ++i) {
    if (whole.name(i) != part.name(j)) continue;
    values[i] = add ? values[i] + part[j] : part[j];
    ++j;
  }
  return whole.with(std::move(values));
}

void require_finite(LossAt& loss, int64_t first_task, int64_t step) {
  if (finite(loss.loss()) && all_finite(loss.gradient())) return;
  int64_t task = 0;
  while (task + 1 < loss.loss().size(0) && torch::isfinite(loss.loss()[task]).item<bool>() &&
         all_finite(loss.gradient().slice(task))) {
    ++task;
  }
  throw Error(
      concat("the support loss of task ", first_task + task, " at inner step ", step, " is not finite"));
}

}  // namespace

InnerLoop::InnerLoop(InnerLoopConfig config, const Params& initial)
    : config_(std::move(config)),
      theta_names_(initial.names()),
      adapted_names_(chosen(config_.adapt, theta_names_)),
      rule_(make_update_rule(config_.step_sizes, config_.step_size)) {
  require_usage(config_.steps >= 0, "inner.steps: ", config_.steps, " found, expected 0 or more");
  require_usage(config_.steps > 0 || config_.step_sizes == "fixed", "inner.step_sizes: ", config_.step_sizes,
                " found with inner.steps = 0, expected fixed: step sizes are learned through inner steps");
}

Params InnerLoop::meta_parameters(const Params& initial) const {
  return initial.joined(rule_->meta_parameters(initial.select(adapted_names_)));
}

Params InnerLoop::theta(const Params& meta) const { return meta.select(theta_names_); }

Adaptation InnerLoop::start(const Params& meta, int64_t tasks, int64_t first_task) const {
  Adaptation adaptation;
  adaptation.loop_ = this;
  adaptation.meta_ = meta.detached();
  adaptation.first_task_ = first_task;
  adaptation.phi_.push_back(theta(adaptation.meta_).expanded(tasks));
  return adaptation;
}

void InnerLoop::advance(Adaptation& adaptation, const Task& task, double step_scale) const {
  const torch::NoGradGuard no_graph;
  const Params& phi = adaptation.adapted();
  std::shared_ptr<LossAt> support = task.support_at(phi, adaptation.steps());
  require_finite(*support, adaptation.first_task_, adaptation.steps());
  const Params rule = adaptation.meta_.select(rule_->meta_parameters(phi.select(adapted_names_)).names());
  const Params next =
      rule_->update(rule, phi.select(adapted_names_), support->gradient().select(adapted_names_), step_scale);
  adaptation.phi_.push_back(with_part(phi, next, /*add=*/false));
  if (config_.checkpointing) support.reset();
  adaptation.taken_.push_back({&task, std::move(support), step_scale});
}

Adaptation InnerLoop::adapt(const Params& meta, const Task& task, int64_t first_task) const {
  Adaptation adaptation = start(meta, task.size(), first_task);
  for (int64_t k = 0; k < config_.steps; ++k) advance(adaptation, task);
  return adaptation;
}

std::shared_ptr<LossAt> Adaptation::support(size_t k) const {
  const Step& step = taken_[k];
  if (step.support) return step.support;
  return step.task->support_at(phi_[k], static_cast<int64_t>(k));
}

Params Adaptation::pullback(const Params& cotangent) const {
  std::vector<Params> cotangents(phi_.size());
  cotangents.back() = cotangent;
  return pullback(cotangents);
}

Params Adaptation::pullback(const std::vector<Params>& cotangents) const {
  const torch::NoGradGuard no_graph;
  require(cotangents.size() == phi_.size(), "pullback: ", cotangents.size(),
          " cotangents, expected one per step 0..", steps());
  const auto& adapted = loop_->adapted_names_;
  const Params theta = loop_->theta(meta_);
  const Params rule = meta_.select(loop_->rule_->meta_parameters(theta.select(adapted)).names());
  Params rule_total = rule.zeros_like();
  Params c = cotangents.back().empty() ? phi_.back().zeros_like() : cotangents.back();
  for (int64_t k = steps() - 1; k >= 0; --k) {
    const auto i = static_cast<size_t>(k);
    const auto support_loss = support(i);
    const auto parts =
        loop_->rule_->pullback(rule, phi_[i].select(adapted), support_loss->gradient().select(adapted),
                               taken_[i].scale, c.select(adapted));
    c = with_part(c, parts.phi, /*add=*/false);
    if (!rule.empty()) rule_total = rule_total + parts.rule;
    if (!cotangents[i].empty()) c = c + cotangents[i];
    if (loop_->config_.first_order) continue;
    const bool whole = parts.gradient.size() == c.size();
    const Params curvature = support_loss->hessian_product(
        whole ? parts.gradient : with_part(c.zeros_like(), parts.gradient, /*add=*/false));
    // After the last of them only the sum over tasks is asked for.
    if (k == 0) return (c.sum_over_tasks() + curvature.sum_over_tasks()).joined(rule_total);
    c = c + curvature;
  }
  return c.sum_over_tasks().joined(rule_total);
}

Params Adaptation::pushforward(const Params& direction) const {
  const torch::NoGradGuard no_graph;
  const auto& adapted = loop_->adapted_names_;
  const Params theta = loop_->theta(meta_);
  const auto rule_names = loop_->rule_->meta_parameters(theta.select(adapted)).names();
  const Params rule = meta_.select(rule_names), rule_direction = direction.select(rule_names);
  Params d = loop_->theta(direction).expanded(phi_.front().tasks());
  for (size_t k = 0; k < taken_.size(); ++k) {
    const auto support_loss = support(k);
    const Params gradient = support_loss->gradient().select(adapted);
    const Params gradient_direction =
        loop_->config_.first_order ? gradient.zeros_like() : support_loss->hessian_product(d).select(adapted);
    const Params next = loop_->rule_->pushforward(rule, phi_[k].select(adapted), gradient, taken_[k].scale,
                                                  {rule_direction, d.select(adapted), gradient_direction});
    d = with_part(d, next, /*add=*/false);
  }
  return d;
}

}  // namespace innerloop
