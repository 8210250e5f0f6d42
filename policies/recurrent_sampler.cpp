#include "policies/recurrent_sampler.h"

#include <algorithm>
#include <vector>

namespace innerloop {
namespace {

constexpr int kVector = 16;  // floats of the widest vectors: a unit's place in one never changes

using Units = Eigen::Array<float, kVector, 1>;
using UnitsAt = Eigen::Map<Units, Eigen::AlignedMax>;
using ConstUnitsAt = Eigen::Map<const Units, Eigen::AlignedMax>;

struct RecurrentWorkspace : ActionSampler::Workspace {
  MlpForward::Workspace input, recurrent;
  std::unique_ptr<ActionSampler::Workspace> head;
};

// A linear layer whose gates begin at multiples of `padded`.
MlpForward gates(const float* weight, const float* bias, int64_t inputs, int64_t units, int64_t padded,
                 int64_t count) {
  std::vector<float> weights(static_cast<size_t>(count * padded * inputs), 0.0f),
      biases(static_cast<size_t>(count * padded), 0.0f);
  for (int64_t g = 0; g < count; ++g) {
    std::copy_n(weight + g * units * inputs, units * inputs, weights.begin() + g * padded * inputs);
    std::copy_n(bias + g * units, units, biases.begin() + g * padded);
  }
  return MlpForward({{weights.data(), biases.data(), inputs, count * padded}}, MlpForward::Hidden::kTanh);
}

Units logistic_of(const Units& x) { return 0.5f * ((0.5f * x).tanh() + 1.0f); }

}  // namespace

RecurrentSampler::RecurrentSampler(Cell cell, const Weights& weights, std::unique_ptr<ActionSampler> head)
    : cell_(cell),
      units_(weights.units),
      padded_((weights.units + kVector - 1) / kVector * kVector),
      input_(gates(weights.weight_ih, weights.bias_ih, weights.inputs, units_, padded_, gates_of(cell))),
      recurrent_(gates(weights.weight_hh, weights.bias_hh, weights.units, units_, padded_, gates_of(cell))),
      start_(Eigen::VectorXf::Zero(states_of(cell) * padded_)),
      head_(std::move(head)) {
  for (int64_t s = 0; s < states_of(cell); ++s)
    std::copy_n(weights.start + s * units_, units_, start_.data() + s * padded_);
}

std::unique_ptr<ActionSampler::Workspace> RecurrentSampler::workspace(Eigen::Index max_columns) const {
  auto out = std::make_unique<RecurrentWorkspace>();
  out->memory = start_.replicate(1, max_columns);
  out->input = input_.workspace(max_columns);
  out->recurrent = recurrent_.workspace(max_columns);
  out->head = head_->workspace(max_columns);
  return out;
}

void RecurrentSampler::begin(Workspace& workspace) const { workspace.memory.colwise() = start_; }

void RecurrentSampler::act(const Eigen::Ref<const Eigen::MatrixXf>& observations, Stream* const* streams,
                           Workspace& workspace, Eigen::Ref<Eigen::MatrixXf> actions) const {
  auto& own = static_cast<RecurrentWorkspace&>(workspace);
  const Eigen::Index columns = observations.cols();
  const auto outputs = own.memory.topRows(units_).leftCols(columns);
  const auto of_input = input_(observations, own.input), of_state = recurrent_(outputs, own.recurrent);
  for (Eigen::Index b = 0; b < columns; ++b) {
    const float *x = of_input.data() + b * of_input.outerStride(),
                *h = of_state.data() + b * of_state.outerStride();
    float* state = own.memory.col(b).data();
    for (int64_t u = 0; u < padded_; u += kVector) {
      const auto of_x = [&](int64_t g) { return ConstUnitsAt(x + g * padded_ + u); };
      const auto of_h = [&](int64_t g) { return ConstUnitsAt(h + g * padded_ + u); };
      const auto sum = [&](int64_t g) -> Units { return of_x(g) + of_h(g); };
      UnitsAt output(state + u);
      if (cell_ == Cell::kGru) {
        const Units r = logistic_of(sum(0)), z = logistic_of(sum(1));
        const Units n = (of_x(2) + r * of_h(2)).tanh();
        output = n + z * (output - n);
      } else {
        UnitsAt c(state + padded_ + u);
        const Units g = sum(2).tanh();
        c = logistic_of(sum(1)) * c + logistic_of(sum(0)) * g;
        output = logistic_of(sum(3)) * c.tanh();
      }
    }
  }
  head_->act(outputs, streams, *own.head, actions);
}

}  // namespace innerloop
