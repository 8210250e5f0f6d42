// The forward pass of one task's MLP for sampler threads: no torch, no allocation, no lock.
//
// Weights are copied once into vector-wide panels, so that the inner loop reads them with whole-vector loads
// and broadcasts the activations: y tile [R vectors, C columns] += w[:, k] x[k, :]. Every output is the sum
// over k in order, from the bias on, whatever its column and however many columns there are.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

namespace innerloop {

class MlpForward {
 public:
  struct Layer {  // row-major weight [outputs, inputs], bias [outputs]; read by the constructor only
    const float* weight;
    const float* bias;
    int64_t inputs, outputs;
  };
  enum class Hidden { kTanh, kRelu };

  MlpForward(const std::vector<Layer>& layers, Hidden activation);

  using Buffer = std::vector<float, Eigen::aligned_allocator<float>>;
  struct Workspace {
    Buffer odd, even;  // activations of alternate layers
    int64_t columns = 0;
  };
  Workspace workspace(int64_t max_columns) const;

  int64_t inputs() const { return inputs_; }
  int64_t outputs() const { return outputs_; }

  // x [inputs, B] -> y [outputs, B], a view into the workspace. B <= the workspace's columns.
  using Output = Eigen::Map<const Eigen::MatrixXf, 0, Eigen::OuterStride<>>;
  Output operator()(const Eigen::Ref<const Eigen::MatrixXf>& x, Workspace& workspace) const;

 private:
  struct Packed {
    int64_t inputs = 0;
    int64_t vectors = 0;  // outputs / vector width, rounded up
    Buffer weight;        // panels of up to kPanel vectors, each [inputs, vectors in the panel * width]
    Buffer bias;          // [vectors * width], zeros behind the outputs
  };

  std::vector<Packed> layers_;
  Hidden activation_;
  int64_t inputs_ = 0, outputs_ = 0, widest_ = 0;
};

}  // namespace innerloop
