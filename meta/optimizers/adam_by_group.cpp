#include "meta/optimizers/adam_by_group.h"

#include "base/error.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {
namespace {

std::string group_of(const std::string& name) {
  const size_t slash = name.find('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

// One group's share of a problem that was asked before.
class Share : public MetaProblem {
 public:
  Share(Value value, Params gradient) : value_(value), gradient_(std::move(gradient)) {}
  Value value(const Params&) override { return value_; }
  Params gradient(const Params&) override { return gradient_; }
  std::optional<Value> value_after(const Params&) override { return std::nullopt; }

 private:
  Value value_;
  Params gradient_;
};

bool zero(const Params& gradient) {
  for (const auto& entry : gradient) {
    if (entry.value.ne(0).any().item<bool>()) return false;
  }
  return true;
}

}  // namespace

AdamByGroup::AdamByGroup(const MetaOptimizerConfig& config, const Params& meta) {
  std::map<std::string, std::vector<std::string>> names;
  for (const auto& name : meta.names()) names[group_of(name)].push_back(name);
  for (auto& [group, members] : names) {
    Adam adam(config, meta.select(members));
    groups_.emplace(group, Group{std::move(members), std::move(adam)});
  }
}

MetaStep AdamByGroup::step(Params& meta, MetaProblem& problem, const Moment& now) {
  const torch::NoGradGuard no_graph;
  const auto value = problem.value(meta);
  const Params gradient = problem.gradient(meta);
  require(all_finite(gradient), "the meta-gradient is not finite");
  Params next = meta;
  MetaStep out{.loss_before = value.loss, .loss_after = value.loss};
  for (auto& [name, group] : groups_) {
    const Params part = gradient.select(group.names);
    if (zero(part)) continue;
    Params moved = next.select(group.names);
    Share share(value, part);
    out = group.adam.step(moved, share, now);
    std::vector<torch::Tensor> values = next.tensors();
    for (size_t i = 0; i < values.size(); ++i) {
      if (moved.contains(next.name(i))) values[i] = moved.at(next.name(i));
    }
    next = next.with(std::move(values));
  }
  meta = std::move(next);
  return out;
}

Params AdamByGroup::state() const {
  Params out;
  for (const auto& [name, group] : groups_) out = out.joined(group.adam.state().prefixed(name + "/"));
  return out;
}

void AdamByGroup::restore(const Params& state) {
  for (auto& [name, group] : groups_) group.adam.restore(state.part(name + "/"));
}

}  // namespace innerloop
