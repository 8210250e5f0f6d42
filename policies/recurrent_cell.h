// The memory of a recurrent policy: its parameters, and its way along trajectories with derivatives
// (backpropagation through time).
//
// Parameters, names, order of gates and numbers are those of torch's GRUCell and LSTMCell:
// "cell.weight_ih" [T, gates units, inputs], "cell.weight_hh" [T, gates units, units], "cell.bias_ih",
// "cell.bias_hh" [T, gates units]; with a learned start also "cell.start" [T, states units], else the state
// starts at zero. Formulas: policies/recurrent_pass.h.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/random.h"
#include "networks/network_size.h"
#include "networks/tensors/params.h"
#include "policies/recurrent_pass.h"

namespace innerloop {

struct RecurrentCellConfig {
  Cell kind = Cell::kGru;
  int64_t inputs = 1, units = 64;
  double forget_bias = 1;    // lstm: of the forget gate at the start (Jozefowicz et al. 2015)
  bool learn_start = false;  // the state before the first step is a parameter
};

class RecurrentCell {
 public:
  explicit RecurrentCell(const RecurrentCellConfig& config);  // UsageError for sizes below 1

  const RecurrentCellConfig& config() const { return config_; }
  int64_t gate_entries() const { return gates_of(config_.kind) * config_.units; }
  int64_t state_entries() const { return states_of(config_.kind) * config_.units; }
  const std::vector<std::string>& names() const { return names_; }
  NetworkSize size() const;  // activations: what a step keeps for its derivative

  // [1, ...] float32: weights U(-1/sqrt(units), 1/sqrt(units)) as torch draws them, biases and start zero but
  // for forget_bias.
  Params initial(Stream& stream) const;

  // [states units] of task `task`.
  torch::Tensor start(const Params& params, int64_t task) const;

 private:
  RecurrentCellConfig config_;
  std::vector<std::string> names_;
};

// One pass of a cell with parameters [1, ...], all float32 or all float64, which it holds.
class CellPass {
 public:
  // x [M, inputs] in the order of time, `running` trajectories at each moment (policies/recurrent_pass.h).
  CellPass(const RecurrentCell& cell, const Params& params, const torch::Tensor& x,
           const std::vector<int64_t>& running);
  ~CellPass();

  const torch::Tensor& states() const { return states_; }  // h after each step, [1, M, units], no graph

  // The gradient of sum(cotangent * states()) in the cell's entries; cotangent [1, M, units].
  Params gradient(const torch::Tensor& cotangent);

 private:
  struct Passes;

  Params params_;
  torch::Tensor start_, x_, states_;
  bool learns_start_;
  std::unique_ptr<Passes> passes_;
};

// The order of time of trajectories of these lengths: rows[i] is the place of the i-th step among all steps
// trajectory after trajectory, `running` how many trajectories have a step 0, 1, ...; those of one length
// keep their order.
struct TimeOrder {
  std::vector<int64_t> rows, running;
};
TimeOrder order_in_time(const std::vector<int64_t>& lengths);

}  // namespace innerloop
