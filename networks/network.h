// A network of the supervised side: a pure function of its parameters, with a leading task dimension T.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "networks/loss_at.h"
#include "networks/output_loss.h"
#include "networks/params.h"

namespace innerloop {

// Which statistics the batch normalisation layers of one forward pass use. They are named "norm{l}.mean" and
// "norm{l}.variance" [T, channels] (biased variance, as used for normalising).
struct Normalisation {
  const Params* use = nullptr;  // these statistics; null: those of the batch itself, per task
  Params* found = nullptr;      // if not null, receives the batch's own statistics, in the graph of the pass
};

class Network {
 public:
  virtual ~Network() = default;

  virtual Params initial(Stream& stream) const = 0;  // [1, ...] float32

  // x [T, N, input...] -> [T, N, outputs], in LibTorch operations, differentiable to any order.
  virtual torch::Tensor forward(const Params& params, const torch::Tensor& x,
                                const Normalisation& normalisation = {}) const = 0;

  // What the last linear layer sees, [T, N, F], in LibTorch operations.
  virtual torch::Tensor features(const Params& params, const torch::Tensor& x,
                                 const Normalisation& normalisation = {}) const = 0;

  virtual bool normalises() const = 0;  // has batch normalisation layers

  // How many tasks a thread should pass together: 1 where a task is work enough; more for tiny networks,
  // whose tasks cost less than handling them one by one.
  virtual int64_t tasks_per_chunk() const { return 1; }

  // loss(forward(params, x)), with batch statistics. By default autograd of forward(); a network with faster
  // exact derivatives overrides it.
  virtual std::unique_ptr<LossAt> loss_at(const Params& params, const torch::Tensor& x,
                                          const OutputLoss& loss) const;

  // forward() outside any graph, as fast as the network can.
  virtual torch::Tensor output(const Params& params, const torch::Tensor& x,
                               const Normalisation& normalisation = {}) const;
};

struct NetworkConfig {
  std::string name = "mlp";             // see networks()
  std::vector<int64_t> hidden{40, 40};  // mlp: sizes of the hidden layers
  std::string activation = "relu";      // mlp: "relu" or "tanh"
  int64_t filters = 64;                 // conv4: channels of every stage
  std::string downsample = "stride";    // conv4: "stride" (2, SAME) or "max_pool" (2 x 2, VALID)
  std::string head = "mean";            // conv4: "mean" over height and width, or "flatten"
  // Weights of mlp and of the last layer: "xavier" (uniform), "truncated_normal" (std 0.01; cbfinn/maml's
  // sine network) or "normal" (std 1 in the last layer, xavier elsewhere; cbfinn/maml's Omniglot head).
  // Kernels of convolutions are xavier-uniform always, biases 0.
  std::string initialization = "xavier";
  // "none", "batch", "per_task_running" or "global_running" (meta/episode_task.h says which statistics
  // each uses where); conv4 and resnet12 always normalise.
  std::string batch_norm = "none";
  bool batch_norm_scale = false;  // learn a scale beside the shift (cbfinn/maml: shift alone)
};

struct NamedNetwork {
  std::string name, description;
};
std::vector<NamedNetwork> networks();  // the table

// input: shape of one sample, {1} or {channels, height, width}. UsageError for unknown names, for an input
// the network cannot take (an image too small for its stages) and for settings that contradict each other.
std::unique_ptr<Network> make_network(const NetworkConfig& config, const std::vector<int64_t>& input,
                                      int64_t outputs);

}  // namespace innerloop
