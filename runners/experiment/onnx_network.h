// A network's layers as operators of an ONNX model, with its weights as constants.
//
// Statistics of batch normalisation are those of the run's mode (meta/episode_task.h), each in operators that
// say just that:
//   batch             of the samples given together: ReduceMean over them in the graph
//   per_task_running  of the samples of a second input, "support", which pass through the same layers;
//   constants
//                     where the support set is known
//   global_running    constants, in BatchNormalization
#pragma once

#include <string>

#include "meta/episode_task.h"
#include "networks/layer_graph.h"
#include "networks/tensors/params.h"
#include "runners/experiment/onnx_model.h"

namespace innerloop {

struct OnnxSource {
  const LayerGraph& layers;
  const Params& params;                       // [1, ...] float32, the network's entries
  BatchNormMode mode = BatchNormMode::kNone;  // of its batch normalisation
  const Params* statistics = nullptr;         // the constants, [1, channels]; null where the graph finds them
};

// The layers on the value `input`; returns the name of the last one's value. `support`: the input whose
// statistics per_task_running takes, where it has no constants; else "".
std::string add_network(OnnxModel& model, const OnnxSource& source, const std::string& input,
                        const std::string& support = "");

}  // namespace innerloop
