#include "policies/recurrent_policy.h"

#include <array>

#include "policies/categorical_mlp.h"
#include "policies/mlp_sampler.h"
#include "policies/recurrent_sampler.h"

namespace innerloop {
namespace {

constexpr int64_t kMostUnits = 100'000;
constexpr keys::Interval kForgetBias{-100, 100, false, false, "a number from -100 to 100"};

std::vector<Key> keys_of_cell(Cell cell, ActionKind actions) {
  using C = RecurrentSettings;
  std::vector<Key> out{
      keys::whole("units", &C::units, 1, kMostUnits, "units of the cell; policy.hidden stands behind it"),
      keys::truth("learn_start", &C::learn_start,
                  "learn the state before the first step, which is zero otherwise")};
  if (cell == Cell::kLstm)
    out.push_back(keys::number("forget_bias", &C::forget_bias, kForgetBias,
                               "bias of the forget gate at the start of the training"));
  if (actions == ActionKind::kContinuous) {
    for (auto& key : keys::within("", &C::gaussian, kGaussianKeys.list())) out.push_back(std::move(key));
  }
  return out;
}

RecurrentSettings recurrent_settings(Cell cell, const PolicyConfig& config, ActionKind actions) {
  return recurrent_keys(cell, actions).read(config.own, "policy " + config.name, "policy");
}

RecurrentCell make_cell(Cell kind, const PolicyConfig& config, const EnvironmentSpec& environment) {
  const auto own = recurrent_settings(kind, config, environment.action_kind);
  return RecurrentCell({.kind = kind,
                        .inputs = environment.observation_size,
                        .units = own.units,
                        .forget_bias = own.forget_bias,
                        .learn_start = own.learn_start});
}

// The MLP policy on the cell's state.
std::unique_ptr<Policy> make_recurrent_head(Cell kind, PolicyConfig config, EnvironmentSpec environment) {
  const auto own = recurrent_settings(kind, config, environment.action_kind);
  environment.observation_size = own.units;
  config.own = {};
  if (environment.action_kind == ActionKind::kDiscrete)
    return std::make_unique<CategoricalMlp>(config, environment);
  config.own = {{"initial_std", own.gaussian.initial_std},
                {"min_std", own.gaussian.min_std},
                {"output_scale", own.gaussian.output_scale}};
  return std::make_unique<GaussianMlp>(config, environment);
}

}  // namespace

const Keys<RecurrentSettings>& recurrent_keys(Cell cell, ActionKind actions) {
  using All = Keys<RecurrentSettings>;
  static const std::array<std::array<All, 2>, 2> all{
      {{All(keys_of_cell(Cell::kGru, ActionKind::kContinuous)),
        All(keys_of_cell(Cell::kGru, ActionKind::kDiscrete))},
       {All(keys_of_cell(Cell::kLstm, ActionKind::kContinuous)),
        All(keys_of_cell(Cell::kLstm, ActionKind::kDiscrete))}}};
  return all[cell == Cell::kLstm][actions == ActionKind::kDiscrete];
}

RecurrentPolicy::RecurrentPolicy(Cell cell, const PolicyConfig& config, const EnvironmentSpec& environment)
    : RecurrentPolicy(make_cell(cell, config, environment), make_recurrent_head(cell, config, environment)) {}

RecurrentPolicy::RecurrentPolicy(RecurrentCell cell, std::unique_ptr<Policy> head)
    : Policy(head->network()), cell_(std::move(cell)), head_(std::move(head)) {}

Params RecurrentPolicy::initial(Stream& stream) const {
  const Params head = head_->initial(stream);
  return head.joined(cell_.initial(stream));
}

std::unique_ptr<ActionSampler> RecurrentPolicy::sampler(const Params& params, int64_t task) const {
  std::vector<torch::Tensor> values;  // alive until the sampler has read them
  for (const auto& name : cell_.names()) values.push_back(task_slice(params.at(name), task));
  values.push_back(cell_.start(params, task).to(torch::kFloat32));
  const auto at = [&](size_t i) { return values[i].data_ptr<float>(); };
  const RecurrentSampler::Weights weights{.weight_ih = at(0),
                                          .weight_hh = at(1),
                                          .bias_ih = at(2),
                                          .bias_hh = at(3),
                                          .start = at(values.size() - 1),
                                          .inputs = cell_.config().inputs,
                                          .units = cell_.config().units};
  return std::make_unique<RecurrentSampler>(cell_.config().kind, weights, head_->sampler(params, task));
}

}  // namespace innerloop
