// Conv4 in hand-written kernels (kernels/conv4_passes.h): its output, and its derivatives at one point.
//
// LibTorch's convolutions at these sizes (5 images of 28 x 28 and below) run at a fraction of the machine and
// pay dispatch and fresh memory per operation, and its second derivatives are built from several
// convolutions each. Here a task's passes walk through memory that stays in the cache, on one thread; tasks
// are processed one after another, so callers give each thread tasks of its own. Deterministic; float32 and
// float64.
#pragma once

#include <memory>

#include "networks/conv4.h"
#include "networks/linearization.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// Conv4(config).forward(params, x) with the statistics of the batch. x [T, N, channels, height, width]. The
// tensors of params are read, not copied, and must not be written to while this lives.
std::unique_ptr<Linearization> conv4_linearization(const Conv4Config& config, const Params& params,
                                                   const torch::Tensor& x);

// Conv4(config).forward(params, x, pass) outside any graph; the pass has no `hidden`.
torch::Tensor conv4_output(const Conv4Config& config, const Params& params, const torch::Tensor& x,
                           const Pass& pass = {});

}  // namespace innerloop
