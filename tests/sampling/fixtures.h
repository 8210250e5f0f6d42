// An environment and a policy whose every number is known, for the tests of this room.
#pragma once

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "base/error.h"
#include "sampling/sampler.h"

namespace innerloop::testing {

// A random walk that ends after 1 to 10 steps (drawn at the reset), or is cut at 6. The task chooses a drift
// and what goes wrong at step 2.
class Walk : public Environment {
 public:
  enum Failure { kNone, kThrows, kObservation, kReward, kReset, kAccident };

  const EnvironmentSpec& spec() const override { return spec_; }
  Eigen::VectorXd sample_task(Stream& stream) const override {
    return Eigen::Vector2d(stream.normal(), kNone);
  }
  void set_task(const Eigen::VectorXd& task) override { task_ = task; }
  void reset(Stream& stream, ObservationRef observation) override {
    t_ = 0;
    length_ = 1 + static_cast<int64_t>(stream.below(10));
    position_ = is(kReset) ? NAN : stream.normal();
    write(observation);
  }
  StepResult step(const ActionRef& action, Stream& stream, ObservationRef observation) override {
    const bool fails = t_ == 2;
    require(!(fails && is(kThrows)), "the ground gave way");
    position_ += task_[0] + static_cast<double>(action[0]) + 0.1 * stream.normal();
    ++t_;
    write(observation);
    if (fails && is(kObservation)) observation[1] = std::numeric_limits<float>::infinity();
    return {.reward = fails && is(kReward) ? NAN : position_,
            .terminated = t_ == length_ || (fails && is(kAccident)),
            .success = position_ > 0,
            .failed = fails && is(kAccident)};
  }
  std::string failure() const override { return "a leg broke"; }

 private:
  bool is(Failure failure) const { return static_cast<int>(task_[1]) == failure; }
  void write(ObservationRef observation) const {
    observation << static_cast<float>(position_), static_cast<float>(t_);
  }

  EnvironmentSpec spec_{.name = "walk",
                        .description = "a random walk",
                        .observation_size = 2,
                        .action_size = 1,
                        .horizon = 6,
                        .task_parameters = {"drift", "failure"},
                        .defines_success = true};
  Eigen::VectorXd task_ = Eigen::Vector2d::Zero();
  int64_t t_ = 0, length_ = 0;
  double position_ = 0;
};

// a = gain * o_0 + N(0, 1) in every entry.
class NoisyGain : public ActionSampler {
 public:
  explicit NoisyGain(float gain, Eigen::Index observations = 2, Eigen::Index actions = 1)
      : gain_(gain), observations_(observations), actions_(actions) {}
  Eigen::Index observation_size() const override { return observations_; }
  Eigen::Index action_entries() const override { return actions_; }
  std::unique_ptr<Workspace> workspace(Eigen::Index) const override { return std::make_unique<Workspace>(); }
  void act(const Eigen::Ref<const Eigen::MatrixXf>& observations, Stream* const* streams, Workspace&,
           Eigen::Ref<Eigen::MatrixXf> actions) const override {
    for (Eigen::Index b = 0; b < observations.cols(); ++b) {
      for (Eigen::Index i = 0; i < actions_; ++i) {
        actions(i, b) = gain_ * observations(0, b) + static_cast<float>(streams[b]->normal());
      }
    }
  }

 private:
  float gain_;
  Eigen::Index observations_, actions_;
};

inline std::unique_ptr<Environment> make_walk() { return std::make_unique<Walk>(); }

inline std::vector<Eigen::VectorXd> drifts(const std::vector<double>& values) {
  std::vector<Eigen::VectorXd> out;
  for (const double value : values) out.push_back(Eigen::Vector2d(value, Walk::kNone));
  return out;
}

// Every recorded number, lengths first; `whole`: also what lies behind the end of each trajectory.
inline std::vector<double> all_numbers(Trajectories& x, int64_t t, bool whole = false) {
  std::vector<double> out;
  const auto append = [&](const auto& matrix, int64_t columns) {
    for (Eigen::Index c = 0; c < columns; ++c) {
      for (Eigen::Index r = 0; r < matrix.rows(); ++r) out.push_back(static_cast<double>(matrix(r, c)));
    }
  };
  for (int64_t n = 0; n < x.per_task(); ++n) {
    out.push_back(static_cast<double>(x.length(t, n)));
    out.push_back(x.success(t, n) ? 1 : 0);
    const int64_t steps = whole ? x.horizon() : x.length(t, n);
    append(x.observation_buffer(t, n), steps);
    append(x.action_buffer(t, n), steps);
    append(x.reward_buffer(t, n).transpose(), steps);
  }
  return out;
}

}  // namespace innerloop::testing
