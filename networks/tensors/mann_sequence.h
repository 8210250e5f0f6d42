// Sequences of a memory-augmented network (Santoro et al., ICML 2016; equations: meta/algorithms/mann.h) with
// their derivative by hand: backwards through time, the weights' gradient in one product over all steps.
// Autograd of the same steps took fifteen times as long, nearly all of it in handling operations on a few
// numbers.
#pragma once

#include <string>
#include <vector>

#include "networks/tensors/mann_memory.h"
#include "networks/tensors/params.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// Of B sequences, after some step.
struct MannState {
  torch::Tensor h;     // of the LSTM, then what was read: [B, hidden + reads size]
  torch::Tensor c;     // [B, hidden]
  torch::Tensor rows;  // M, [B, size, slots]
  torch::Tensor read;  // w^r, [B, reads, slots]
  torch::Tensor used;  // w^u, [B, slots]

  MannState repeated(int64_t times) const;  // each sequence so many times
};

// M = 1e-6, w^r and w^u one-hot at row 0, the rest zero.
MannState mann_start(const MannConfig& config, int64_t sequences, torch::ScalarType dtype);

class MannSequence {
 public:
  // weights [1, ...], float32 or float64: "input" [4 hidden, inputs], "read" [4 hidden, reads size], "hidden"
  // [4 hidden, hidden] (gates: forget, input, output, cell), "key" and "vector" [reads size, hidden], "gate"
  // [reads, hidden], "output" [outputs, hidden + reads size], each with ".weight" and, but for "read" and
  // "hidden", ".bias"; of a learned gate the bias alone, [1]. "vector" where config.write_vector.
  MannSequence(const Params& weights, const MannConfig& config);

  // What steps have left for derivatives.
  struct Run {
    torch::Tensor scores;  // [steps, B, outputs]
    MannState last;
    torch::Tensor inputs, gates, h, c, heads;  // [steps, B, ...]; h and c [steps + 1, B, ...]
    torch::Tensor rows, read, used;            // [steps + 1, B, ...]
    torch::Tensor write, cosines, least;       // [steps, B, ...]
  };
  // inputs [steps, B, inputs].
  Run run(const torch::Tensor& inputs, const MannState& from) const;

  // d_scores [steps, B, outputs] -> the weights' gradient, [1, ...].
  Params gradient(const Run& run, const torch::Tensor& d_scores) const;

 private:
  void step(Run& run, int64_t t) const;

  Params weights_;
  MannConfig config_;
  torch::Tensor recurrent_;              // [4 hidden, hidden + reads size]
  std::vector<std::string> head_names_;  // what is made of h for the memory, one below the other:
  torch::Tensor head_weight_, head_bias_;
  torch::Tensor shared_gate_;  // [reads], of a learned gate
};

}  // namespace innerloop
