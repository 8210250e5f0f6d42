#include "meta/meta_config.h"

#include <algorithm>

namespace innerloop {
namespace {

constexpr int64_t kMostSteps = 10'000, kMostTasks = 1'000'000, kMostOfTrpo = 1'000,
                  kMostIterations = 1'000'000'000;
constexpr keys::Interval kStepSize{0, 1e6, true, false, "a number above 0 and at most 1000000"};
constexpr keys::Interval kDecay{0, 1, true, false, "a number above 0 and at most 1"};
constexpr keys::Interval kMomentum{0, 1, false, true, "a number, at least 0 and below 1"};
constexpr keys::Interval kBound{0, 1e6, false, false, "a number from 0 to 1000000"};

std::vector<Key> inner_keys() {
  using C = InnerLoopConfig;
  return {
      keys::whole("steps", &C::steps, 0, kMostSteps, "gradient steps per task in training"),
      keys::number("step_size", &C::step_size, kStepSize, "alpha"),
      keys::truth("first_order", &C::first_order, "drop the second derivatives (FOMAML)"),
      keys::text("adapt", &C::adapt, "all, head, body, or parameter names separated by commas", false,
                 "what adapts: all, head (the last layer), body (the others), or names; * matches any text"),
      keys::free(keys::truth("checkpointing", &C::checkpointing,
                             "compute inner steps again to differentiate them: less memory"))};
}

Key of_trpo(Key key) {
  return keys::needs(std::move(key),
                     {"meta.optimizer", "trpo", [](const auto& name) { return name == "trpo"; }});
}

Key not_of_trpo(Key key) {
  return keys::needs(std::move(key), {"meta.optimizer", "adam, sgd or lars",
                                      [](const auto& name) { return name != "trpo"; }});
}

Key of_lars(Key key) {
  return keys::needs(std::move(key),
                     {"meta.optimizer", "lars", [](const auto& name) { return name == "lars"; }});
}

Key of_schedule(Key key) {
  return keys::needs(std::move(key), {"meta.schedule", "linear, cosine or exponential",
                                      [](const auto& name) { return name != "constant"; }});
}

Key of_bounded_schedule(Key key) {
  return keys::needs(std::move(key), {"meta.schedule", "linear or cosine",
                                      [](const auto& name) { return name == "linear" || name == "cosine"; }});
}

Key of_exponential_schedule(Key key) {
  return keys::needs(std::move(key), {"meta.schedule", "exponential",
                                      [](const auto& name) { return name == "exponential"; }});
}

std::vector<Key> optimizer_keys(const std::vector<std::string>& optimizers) {
  using C = MetaOptimizerConfig;
  return {
      keys::choice("optimizer", &C::name, optimizers, "of the meta-parameters"),
      not_of_trpo(keys::number("step_size", &C::step_size, kStepSize, "beta of adam, sgd and lars")),
      not_of_trpo(
          keys::number("clip", &C::clip, kBound, "bound of every entry of the meta-gradient, 0 = none")),
      not_of_trpo(keys::choice("schedule", &C::schedule, {"constant", "linear", "cosine", "exponential"},
                               "how beta goes with the meta-iterations")),
      of_bounded_schedule(keys::whole("schedule_iterations", &C::schedule_iterations, 1, kMostIterations,
                                      "until beta is meta.final_step_size")),
      of_schedule(keys::whole("schedule_stage", &C::schedule_stage, 1, kMostIterations,
                              "meta-iterations between changes of beta")),
      of_bounded_schedule(keys::number("final_step_size", &C::final_step_size, kBound, "beta at the end")),
      of_exponential_schedule(keys::number("schedule_decay", &C::schedule_decay, kDecay,
                                           "factor of beta at the end of each meta.schedule_stage")),
      not_of_trpo(keys::whole("warm_up", &C::warm_up, 0, kMostIterations,
                              "first meta-iterations, in which beta rises to its schedule's")),
      of_lars(keys::number("momentum", &C::momentum, kMomentum, "share of the last step in the next")),
      of_lars(keys::number("weight_decay", &C::weight_decay, keys::kZeroToOne,
                           "times the meta-parameters, added to their gradient")),
      of_lars(
          keys::number("trust", &C::trust, kDecay, "beta is for a step of this share of an entry's size")),
      of_lars(keys::truth("exclude_vectors", &C::exclude_vectors,
                          "biases and norms take plain steps without decay")),
      not_of_trpo(keys::whole("epochs", &C::epochs, 1, kMostOfTrpo, "steps on each meta-batch")),
      of_trpo(keys::number("max_kl", &C::max_kl, kStepSize, "trust region of trpo, nats")),
      of_trpo(keys::whole("cg_iterations", &C::cg_iterations, 1, kMostOfTrpo,
                          "conjugate-gradient steps of trpo")),
      of_trpo(
          keys::number("cg_damping", &C::cg_damping, kBound, "added to the diagonal of the Fisher matrix")),
      of_trpo(keys::whole("line_search_steps", &C::line_search_steps, 1, kMostOfTrpo,
                          "step lengths tried by trpo")),
      of_trpo(keys::number("line_search_ratio", &C::line_search_ratio, keys::kBetweenZeroAndOne,
                           "from one step length to the next"))};
}

}  // namespace

std::vector<Key> meta_keys(const std::vector<std::string>& optimizers) {
  using C = MetaConfig;
  std::vector<Key> all{keys::seed("seed", &C::seed, "every random number of the training follows from it"),
                       keys::free(keys::number("memory", &C::memory, kBound,
                                               "GiB that may be used, 0 = what the machine has"))};
  const auto add = [&](std::vector<Key> keys) { all.insert(all.end(), keys.begin(), keys.end()); };
  add(keys::within("inner.", &C::inner, inner_keys()));
  add({keys::whole("meta.batch_size", &C::meta_batch_size, 1, kMostTasks, "tasks per meta-iteration")});
  add({keys::text("meta.start", &C::start, "a run directory or a .safetensors file without #", true,
                  "start from its entries that fit by name and shape")});
  for (const auto& key : keys::within("meta.", &C::optimizer, optimizer_keys(optimizers))) {
    const bool any = !key.needs || key.needs->key != "meta.optimizer" ||
                     std::any_of(optimizers.begin(), optimizers.end(),
                                 [&](const auto& name) { return key.needs->met(name); });
    if (any) all.push_back(key);
  }
  return all;
}

}  // namespace innerloop
