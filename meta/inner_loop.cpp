#include "meta/inner_loop.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "base/error.h"
#include "datasets/names.h"
#include "networks/tensors/derivatives.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {
namespace {

// Whether `text` matches `pattern`, in which '*' stands for any text. When a character does not fit, only the
// last '*' takes one more: at most |pattern| |text| steps, no recursion.
bool matches(const std::string& pattern, const std::string& text) {
  size_t p = 0, t = 0, star = std::string::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string::npos;
}

std::string shortened(const std::string& text) {
  constexpr size_t kShown = 80;
  return text.size() <= kShown ? text : concat(text.substr(0, kShown), "... (", text.size(), " characters)");
}

bool among(const std::string& name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Names chosen by a comma-separated list of patterns, in the order of `names`.
std::vector<std::string> chosen(const std::string& patterns, const std::vector<std::string>& names,
                                const InnerLoopParts& parts) {
  std::vector<bool> taken(names.size(), false);
  std::istringstream list(patterns);
  for (std::string pattern; std::getline(list, pattern, ',');) {
    bool found = false;
    for (size_t i = 0; i < names.size(); ++i) {
      const bool is_head = among(names[i], parts.head), is_fixed = among(names[i], parts.fixed);
      const bool fits = pattern == "all"    ? !is_fixed
                        : pattern == "head" ? is_head
                        : pattern == "body" ? !is_head && !is_fixed
                                            : matches(pattern, names[i]);
      if (fits) taken[i] = found = true;
    }
    require_usage(found, "inner.adapt: no parameter matches '", printable(shortened(pattern)),
                  "'; known: all, head, body, ", join(names));
  }
  std::vector<std::string> out;
  for (size_t i = 0; i < names.size(); ++i) {
    if (taken[i]) out.push_back(names[i]);
  }
  require_usage(!out.empty(), "inner.adapt: '", printable(shortened(patterns)),
                "' names no parameter; known: all, head, body, ", join(names));
  return out;
}

void require_finite(LossAt& loss, const Moment& now, int64_t step) {
  if (finite(loss.loss()) && all_finite(loss.gradient())) return;
  int64_t task = 0;
  while (task + 1 < loss.loss().size(0) && torch::isfinite(loss.loss()[task]).item<bool>() &&
         all_finite(loss.gradient().slice(task))) {
    ++task;
  }
  throw NotFinite(concat("the support loss of task ", now.first_task + task, " at inner step ", step,
                         " is not finite",
                         now.training ? "" : "; with fewer steps (evaluation.steps) it can be evaluated"));
}

// The derivative of every task's loss along d: <gradient_t, d_t>, [T].
torch::Tensor along(const Params& gradient, const Params& direction) {
  torch::Tensor sum;
  for (size_t i = 0; i < gradient.size(); ++i) {
    const auto term = (gradient[i] * direction[i]).flatten(1).sum(1);
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

// c_t times entry t of every tensor.
Params scaled_by_task(const torch::Tensor& c, const Params& params) {
  return params.map([&](const torch::Tensor& value) {
    std::vector<int64_t> shape(static_cast<size_t>(value.dim()), 1);
    shape[0] = c.size(0);
    return c.view(shape) * value;
  });
}

// `moved` with the entries `held` of `before`.
Params with_held(const Params& moved, const Params& before, const std::vector<std::string>& held) {
  auto values = moved.tensors();
  for (size_t i = 0; i < values.size(); ++i) {
    if (among(moved.name(i), held)) values[i] = before[i];
  }
  return moved.with(std::move(values));
}

}  // namespace

InnerLoop::InnerLoop(InnerLoopConfig config, const Params& initial, InnerLoopParts parts)
    : config_(std::move(config)), parts_(std::move(parts)), theta_names_(initial.names()) {
  if (!parts_.rule) parts_.rule = std::make_shared<FixedStep>(config_.step_size);
  const torch::NoGradGuard no_graph;
  const Params phi = initial_phi(initial, 1, {});
  adapted_names_ = chosen(config_.adapt, phi.names(), parts_);
  all_adapt_ = adapted_names_.size() == phi.size();
  Params storage;
  Stream any(StreamKey{.purpose = Purpose::kInitialParameters});  // names alone matter
  rule_names_ = parts_.rule->meta_parameters(adapted_part(phi, storage), config_.steps, any).names();
  require_usage(config_.steps >= 0, "inner.steps: ", config_.steps, " found, expected 0 or more");
  require_usage(config_.steps > 0 || rule_names_.empty(),
                "inner.steps: 0 found, expected 1 or more: the step sizes are learned through inner steps");
}

Params InnerLoop::initial_phi(const Params& theta, int64_t tasks, const Moment& now) const {
  if (!parts_.initialisation) return theta.expanded(tasks);
  return (*parts_.initialisation)(theta, {.step = 0, .tasks = tasks, .now = now});
}

const Params& InnerLoop::adapted_part(const Params& whole, Params& storage) const {
  if (all_adapt_) return whole;
  storage = whole.select(adapted_names_);
  return storage;
}

Params InnerLoop::with_adapted(const Params& whole, const Params& part) const {
  if (all_adapt_) return part;
  auto values = whole.tensors();
  size_t j = 0;
  for (size_t i = 0; i < whole.size() && j < part.size(); ++i) {
    if (whole.name(i) == part.name(j)) values[i] = part[j++];
  }
  return whole.with(std::move(values));
}

TensorFunction InnerLoop::initial_state_of(const Params& rule, const Params& phi) const {
  return [this, &rule, &phi](const Tensors& at) {
    const auto split = at.begin() + static_cast<std::ptrdiff_t>(rule.size());
    return parts_.rule->initial_state(rule.with({at.begin(), split}), phi.with({split, at.end()})).tensors();
  };
}

Params InnerLoop::meta_parameters(const Params& initial, Stream& stream) const {
  const torch::NoGradGuard no_graph;
  const Params phi = initial_phi(initial, 1, {});
  Params storage;
  return initial.joined(parts_.rule->meta_parameters(adapted_part(phi, storage), config_.steps, stream));
}

Params InnerLoop::theta(const Params& meta) const {
  return rule_names_.empty() ? meta : meta.select(theta_names_);
}

Adaptation InnerLoop::start(const Params& meta, int64_t tasks, const Moment& now) const {
  return start(meta, tasks, now, config_.checkpointing ? Keep::kParameters : Keep::kAll);
}

Adaptation InnerLoop::start(const Params& meta, int64_t tasks, const Moment& now, Keep keep) const {
  const torch::NoGradGuard no_graph;
  Adaptation adaptation;
  adaptation.loop_ = this;
  adaptation.keep_ = keep;
  adaptation.meta_ = meta.detached();
  if (!rule_names_.empty()) adaptation.rule_ = adaptation.meta_.select(rule_names_);
  adaptation.tasks_ = tasks;
  adaptation.now_ = now;
  adaptation.phi_.push_back(initial_phi(theta(adaptation.meta_), tasks, now));
  Params storage;
  adaptation.state_.push_back(
      parts_.rule->initial_state(adaptation.rule_, adapted_part(adaptation.phi_.back(), storage)));
  return adaptation;
}

void InnerLoop::advance(Adaptation& adaptation, const Task& task, double step_scale) const {
  const torch::NoGradGuard no_graph;
  const Params& phi = adaptation.adapted();
  const int64_t step = adaptation.steps();
  std::shared_ptr<LossAt> support = task.loss_at(Part::kSupport, phi, step);
  require_finite(*support, adaptation.now_, step);
  Params phi_storage, gradient_storage;
  auto next = parts_.rule->update(
      {adaptation.rule_, adapted_part(phi, phi_storage), adapted_part(support->gradient(), gradient_storage),
       adaptation.state_.back(), support->loss(), step, step_scale, adaptation.now_});
  Params moved = with_adapted(phi, next.phi);
  if (!adaptation.held_.empty()) moved = with_held(moved, phi, adaptation.held_);
  ++adaptation.steps_;
  if (adaptation.keep_ == Keep::kLast) {
    adaptation.phi_.back() = std::move(moved);
    adaptation.state_.back() = std::move(next.state);
    return;
  }
  adaptation.phi_.push_back(std::move(moved));
  adaptation.state_.push_back(std::move(next.state));
  if (adaptation.keep_ == Keep::kParameters) support.reset();
  adaptation.taken_.push_back({&task, std::move(support), step_scale});
}

Adaptation InnerLoop::adapt(const Params& meta, const Task& task, const Moment& now) const {
  Adaptation adaptation = start(meta, task.size(), now);
  for (int64_t k = 0; k < config_.steps; ++k) advance(adaptation, task);
  return adaptation;
}

const Params& Adaptation::phi(int64_t step) const {
  require(keep_ != Keep::kLast || step == steps_, "adaptation: phi_", step, " of ", steps_,
          " steps asked, but only the last is kept");
  return keep_ == Keep::kLast ? phi_.back() : phi_.at(static_cast<size_t>(step));
}

void Adaptation::hold(std::vector<std::string> names) {
  require(keep_ == Keep::kLast,
          "hold: this adaptation is kept to be differentiated, which knows no held entries");
  for (const auto& name : names) phi_.back().at(name);  // Error if it is not there
  held_ = std::move(names);
}

std::shared_ptr<LossAt> Adaptation::support(size_t k) const {
  const Step& step = taken_[k];
  if (step.support) return step.support;
  return step.task->loss_at(Part::kSupport, phi_[k], static_cast<int64_t>(k));
}

UpdateRule::In Adaptation::rule_in(size_t k, const Params& rule, LossAt& support, Params& phi,
                                   Params& gradient) const {
  return {rule,
          loop_->adapted_part(phi_[k], phi),
          loop_->adapted_part(support.gradient(), gradient),
          state_[k],
          support.loss(),
          static_cast<int64_t>(k),
          taken_[k].scale,
          now_};
}

Params Adaptation::pullback(const Params& cotangent) const {
  std::vector<Params> cotangents(static_cast<size_t>(steps_) + 1);
  cotangents.back() = cotangent;
  return pullback(cotangents);
}

Params Adaptation::pullback(const std::vector<Params>& cotangents, bool second_order) const {
  const torch::NoGradGuard no_graph;
  require(keep_ != Keep::kLast, "pullback: this adaptation keeps its last parameters alone");
  require(cotangents.size() == phi_.size(), "pullback: ", cotangents.size(),
          " cotangents, expected one per step 0..", steps());
  const bool curved = second_order && !loop_->config_.first_order;
  const auto* initialisation = loop_->parts_.initialisation.get();
  Params rule_total = rule_.zeros_like();
  Params c = cotangents.back();
  Params c_state;
  for (int64_t k = steps() - 1; k >= 0; --k) {
    const auto i = static_cast<size_t>(k);
    if (c.empty()) {  // nothing that follows phi_k is asked for
      c = cotangents[i];
      continue;
    }
    const auto support_loss = support(i);
    Params phi, gradient, c_part;
    auto parts = loop_->parts_.rule->pullback(rule_in(i, rule_, *support_loss, phi, gradient),
                                              {loop_->adapted_part(c, c_part), c_state});
    c = loop_->with_adapted(c, parts.phi);
    c_state = std::move(parts.state);
    if (!rule_.empty()) rule_total = rule_total + parts.rule;
    if (!cotangents[i].empty()) c = c + cotangents[i];
    if (!curved) continue;
    if (parts.loss.defined()) c = c + scaled_by_task(parts.loss, support_loss->gradient());
    const Params curvature = support_loss->hessian_product(
        loop_->all_adapt_ ? parts.gradient : loop_->with_adapted(c.zeros_like(), parts.gradient));
    // After the last of them only the sum over tasks is asked for.
    if (k == 0 && initialisation == nullptr && c_state.empty()) {
      return (c.sum_over_tasks() + curvature.sum_over_tasks()).joined(rule_total);
    }
    c = c + curvature;
  }
  if (c.empty()) c = phi_.front().zeros_like();
  if (!c_state.empty()) {  // the first state is a function of the rule's meta-parameters and of phi_0
    Params phi, c_part;
    const auto& phi_0 = loop_->adapted_part(phi_.front(), phi);
    const auto found = vjp(loop_->initial_state_of(rule_, phi_0), joined(rule_.tensors(), phi_0.tensors()),
                           c_state.tensors());
    const auto split = found.begin() + static_cast<std::ptrdiff_t>(rule_.size());
    if (!rule_.empty()) rule_total = rule_total + rule_.with({found.begin(), split});
    c = loop_->with_adapted(c, loop_->adapted_part(c, c_part) + phi_0.with({split, found.end()}));
  }
  if (initialisation == nullptr) return c.sum_over_tasks().joined(rule_total);
  return initialisation->pullback(loop_->theta(meta_), {.step = 0, .tasks = tasks_, .now = now_}, c)
      .joined(rule_total);
}

Params Adaptation::pushforward(const Params& direction) const {
  const torch::NoGradGuard no_graph;
  require(keep_ != Keep::kLast, "pushforward: this adaptation keeps its last parameters alone");
  const bool curved = !loop_->config_.first_order;
  const auto* initialisation = loop_->parts_.initialisation.get();
  const Params rule_direction = loop_->rule_names_.empty() ? Params() : direction.select(loop_->rule_names_);
  Params d = initialisation == nullptr
                 ? loop_->theta(direction).expanded(tasks_)
                 : initialisation->pushforward(loop_->theta(meta_), {.step = 0, .tasks = tasks_, .now = now_},
                                               loop_->theta(direction));
  Params d_state;
  if (!state_.front().empty()) {
    Params phi, d_part;
    const auto& phi_0 = loop_->adapted_part(phi_.front(), phi);
    d_state = state_.front().with(
        jvp(loop_->initial_state_of(rule_, phi_0), joined(rule_.tensors(), phi_0.tensors()),
            joined(rule_direction.tensors(), loop_->adapted_part(d, d_part).tensors())));
  }
  for (size_t k = 0; k < taken_.size(); ++k) {
    const auto support_loss = support(k);
    Params phi, gradient, d_part, gradient_part;
    const auto in = rule_in(k, rule_, *support_loss, phi, gradient);
    const Params moved = curved ? support_loss->hessian_product(d) : support_loss->gradient().zeros_like();
    const torch::Tensor d_loss =
        curved ? along(support_loss->gradient(), d) : torch::zeros_like(support_loss->loss());
    const auto next =
        loop_->parts_.rule->pushforward(in, {rule_direction, loop_->adapted_part(d, d_part),
                                             loop_->adapted_part(moved, gradient_part), d_state, d_loss});
    d = loop_->with_adapted(d, next.phi);
    d_state = next.state;
  }
  return d;
}

}  // namespace innerloop
