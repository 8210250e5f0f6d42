// A network of the supervised side: a pure function of its parameters, with a leading task dimension T.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "networks/head.h"
#include "networks/linearization.h"
#include "networks/network_config.h"
#include "networks/network_size.h"
#include "networks/output_loss.h"
#include "networks/tensors/loss_at.h"
#include "networks/tensors/params.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// What a forward pass uses, finds and lets others see or change on its way. Statistics of batch normalisation
// are named "norm{l}.mean" and "norm{l}.variance" [T, channels] (biased variance, as used for normalising).
struct Pass {
  const Params* use = nullptr;  // these statistics; null: those of the batch itself, per task
  Params* found = nullptr;      // if not null, receives the batch's own statistics, in the graph of the pass
  // If set, is given what layer (stage, block) l = 1, 2, ... hands on, [T, N, ...]: after its activation, and
  // its pool if it has one. What it returns goes on instead. The last linear layer is none of them.
  std::function<torch::Tensor(int64_t layer, const torch::Tensor& h)> hidden;

  bool plain() const { return use == nullptr && found == nullptr && !hidden; }
  torch::Tensor through(int64_t layer, const torch::Tensor& h) const { return hidden ? hidden(layer, h) : h; }
};

class Network {
 public:
  virtual ~Network() = default;

  virtual NetworkSize size() const = 0;
  virtual Params initial(Stream& stream) const = 0;  // [1, ...] float32

  // x [T, N, input...] -> [T, N, outputs], in LibTorch operations, differentiable to any order.
  virtual torch::Tensor forward(const Params& params, const torch::Tensor& x,
                                const Pass& pass = {}) const = 0;

  // What the last linear layer sees, [T, N, F], in LibTorch operations.
  virtual torch::Tensor features(const Params& params, const torch::Tensor& x,
                                 const Pass& pass = {}) const = 0;

  // forward() outside any graph, as fast as the network can.
  virtual torch::Tensor output(const Params& params, const torch::Tensor& x, const Pass& pass = {}) const;

  // forward(params, x) with its derivatives in hand-written kernels; null where there are none for this
  // network, device or dtype. The tensors of params are read, not copied, and must not be written to while it
  // lives.
  virtual std::unique_ptr<Linearization> at(const Params& params, const torch::Tensor& x) const;

  // head(forward(params, x, pass), params): in the kernels of at() where they fit and the pass is plain, else
  // in autograd, as one graph.
  std::unique_ptr<LossAt> loss_at(const Params& params, const torch::Tensor& x,
                                  std::shared_ptr<const Head> head, const Pass& pass = {}) const;
  std::unique_ptr<LossAt> loss_at(const Params& params, const torch::Tensor& x, const OutputLoss& loss,
                                  const Pass& pass = {}) const;

  // Entries of the last linear layer, its weight [T, outputs, F] and its bias [T, outputs]; none where there
  // is no such layer.
  virtual std::vector<std::string> head_names() const = 0;

  // Entries of layer (stage, block) l = 1, 2, ... of Pass::hidden, in this order. With the head's they are
  // all there are.
  virtual std::vector<std::vector<std::string>> layer_names() const = 0;

  virtual bool normalises() const = 0;  // has batch normalisation layers

  // The averages of its batch normalisation before anything is averaged, [1, channels] float32 and named as
  // Pass::found has them: mean 0, variance 1. Empty without norms.
  virtual Params statistics() const { return {}; }

  // How many tasks a thread should pass together: 1 where a task is work enough; more for tiny networks,
  // whose tasks cost less than handling them one by one.
  virtual int64_t tasks_per_chunk() const { return 1; }
};

// Autograd's, for any network and pass: what at() is held against, and products such as Gauss-Newton's where
// there are no kernels.
std::unique_ptr<Linearization> autograd_linearization(const Network& network, const Params& params,
                                                      const torch::Tensor& x, const Pass& pass = {});

// input: shape of one sample, {1} or {channels, height, width}. UsageError for unknown names, for an input
// the network cannot take (an image too small for its stages) and for settings that contradict each other.
// outputs 0: without the last linear layer, so that forward() gives the features.
std::unique_ptr<Network> make_network(const NetworkConfig& config, const std::vector<int64_t>& input,
                                      int64_t outputs);

}  // namespace innerloop
