// Conv4 in hand-written kernels: its output, and the loss per task with its gradient and exact
// Hessian-vector products (conv4_passes.h).
//
// LibTorch's convolutions at these sizes (5 images of 28 x 28 and below) run at a fraction of the machine and
// pay dispatch and fresh memory per operation, and its second derivatives are built from several
// convolutions each. Here a task's passes walk through memory that stays in the cache, on one thread; tasks
// are processed one after another, so callers give each thread tasks of its own. Deterministic; float32 and
// float64.
#pragma once

#include <torch/torch.h>

#include <memory>

#include "networks/conv4.h"
#include "networks/loss_at.h"
#include "networks/output_loss.h"

namespace innerloop {

// loss(Conv4(config).forward(params, x)) with the statistics of the batch. x [T, N, channels, height, width];
// entries of params the network does not know have a gradient of zero. The tensors of params are read, not
// copied, and must not be written to while this lives. Directions may have stride 0 in the task dimension, as
// params may (Params::expanded). A LossAt serves one thread at a time.
std::unique_ptr<LossAt> conv4_loss(const Conv4Config& config, const Params& params, const torch::Tensor& x,
                                   const OutputLoss& loss);

// Conv4(config).forward(params, x, normalisation) outside any graph.
torch::Tensor conv4_output(const Conv4Config& config, const Params& params, const torch::Tensor& x,
                           const Normalisation& normalisation = {});

}  // namespace innerloop
