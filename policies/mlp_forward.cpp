#include "policies/mlp_forward.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"

namespace innerloop {
namespace {

#if defined(__AVX512F__)
constexpr int kWidth = 16;
constexpr int kPanel = 4;  // 4 x 5 accumulators, 4 weights, 1 activation: 25 of 32 registers
constexpr int kTile = 5;
#elif defined(__AVX__)
constexpr int kWidth = 8;
constexpr int kPanel = 2;  // 2 x 5 accumulators, 2 weights, 1 activation: 13 of 16 registers
constexpr int kTile = 5;
#else
constexpr int kWidth = 4;
constexpr int kPanel = 2;
constexpr int kTile = 5;
#endif
using Vector [[gnu::vector_size(kWidth * sizeof(float))]] = float;

// What does not change from tile to tile of one layer.
struct LayerPass {
  int64_t inputs;
  const float* x;  // [inputs, B], columns x_stride apart
  int64_t x_stride;
  float* y;  // [vectors * width, B], columns y_stride apart
  int64_t y_stride;
  bool relu;
};

template <int R, int C>
void tile(const LayerPass& pass, const float* weight, const float* bias, int64_t row, int64_t column) {
  const auto* w = reinterpret_cast<const Vector*>(weight);
  const float* x = pass.x + column * pass.x_stride;
  Vector sum[C][R];
  for (int c = 0; c < C; ++c) {
    for (int r = 0; r < R; ++r) sum[c][r] = reinterpret_cast<const Vector*>(bias)[r];
  }
  for (int64_t k = 0; k < pass.inputs; ++k, w += R) {
    for (int c = 0; c < C; ++c) {
      const float value = x[k + c * pass.x_stride];
      for (int r = 0; r < R; ++r) sum[c][r] += w[r] * value;
    }
  }
  for (int c = 0; c < C; ++c) {
    auto* y = reinterpret_cast<Vector*>(pass.y + row + (column + c) * pass.y_stride);
    for (int r = 0; r < R; ++r) {
      const Vector zero{};
      y[r] = pass.relu ? (sum[c][r] < zero ? zero : sum[c][r]) : sum[c][r];  // a NaN stays one
    }
  }
}

using Tile = void (*)(const LayerPass&, const float*, const float*, int64_t, int64_t);

template <int R, int... C>
constexpr std::array<Tile, kTile> tiles_of_row(std::integer_sequence<int, C...>) {
  return {tile<R, C + 1>...};
}

template <int... R>
constexpr std::array<std::array<Tile, kTile>, kPanel> all_tiles(std::integer_sequence<int, R...>) {
  return {tiles_of_row<R + 1>(std::make_integer_sequence<int, kTile>())...};
}

// kTiles[R - 1][C - 1] does R vectors of outputs for C columns.
constexpr auto kTiles = all_tiles(std::make_integer_sequence<int, kPanel>());

}  // namespace

MlpForward::MlpForward(const std::vector<Layer>& layers, Hidden activation) : activation_(activation) {
  require(!layers.empty(), "mlp: no layers, expected at least one");
  inputs_ = layers.front().inputs;
  outputs_ = layers.back().outputs;
  for (const auto& layer : layers) {
    Packed packed;
    packed.inputs = layer.inputs;
    packed.vectors = (layer.outputs + kWidth - 1) / kWidth;
    const int64_t padded = packed.vectors * kWidth;
    widest_ = std::max(widest_, padded);
    packed.bias.assign(static_cast<size_t>(padded), 0.0f);
    std::copy_n(layer.bias, layer.outputs, packed.bias.begin());
    packed.weight.reserve(static_cast<size_t>(padded * layer.inputs));
    for (int64_t first = 0; first < packed.vectors; first += kPanel) {
      const int64_t rows = std::min<int64_t>(kPanel, packed.vectors - first) * kWidth;
      for (int64_t k = 0; k < layer.inputs; ++k) {
        for (int64_t row = first * kWidth; row < first * kWidth + rows; ++row) {
          packed.weight.push_back(row < layer.outputs ? layer.weight[row * layer.inputs + k] : 0.0f);
        }
      }
    }
    layers_.push_back(std::move(packed));
  }
}

MlpForward::Workspace MlpForward::workspace(int64_t max_columns) const {
  const auto entries = static_cast<size_t>(widest_ * max_columns);
  return {Buffer(entries), Buffer(entries), max_columns};
}

MlpForward::Output MlpForward::operator()(const Eigen::Ref<const Eigen::MatrixXf>& x,
                                          Workspace& workspace) const {
  require(x.rows() == inputs_ && x.cols() <= workspace.columns, "mlp: observations [", x.rows(), ", ",
          x.cols(), "], expected [", inputs_, ", at most ", workspace.columns, "]");
  const int64_t columns = x.cols();
  const float* input = x.data();
  int64_t input_stride = x.outerStride();
  for (size_t l = 0; l < layers_.size(); ++l) {
    const Packed& layer = layers_[l];
    const int64_t padded = layer.vectors * kWidth;
    const bool hidden = l + 1 < layers_.size();
    float* output = l % 2 == 0 ? workspace.even.data() : workspace.odd.data();
    const LayerPass pass{layer.inputs, input,  input_stride,
                         output,       padded, hidden && activation_ == Hidden::kRelu};
    // A panel of weights stays in the first-level cache for all columns.
    for (int64_t first = 0; first < layer.vectors; first += kPanel) {
      const int64_t row = first * kWidth;
      const auto& by_columns =
          kTiles[static_cast<size_t>(std::min<int64_t>(kPanel, layer.vectors - first) - 1)];
      for (int64_t column = 0; column < columns; column += kTile) {
        const auto count = static_cast<size_t>(std::min<int64_t>(kTile, columns - column));
        by_columns[count - 1](pass, layer.weight.data() + row * layer.inputs, layer.bias.data() + row, row,
                              column);
      }
    }
    if (hidden && activation_ == Hidden::kTanh) {
      // Whole aligned vectors: no scalar tail, which would round otherwise than the vector code.
      Eigen::Map<Eigen::ArrayXf, Eigen::AlignedMax> h(output, padded * columns);
      h = h.tanh();
    }
    input = output;
    input_stride = padded;
  }
  return Output(input, outputs_, columns, Eigen::OuterStride<>(input_stride));
}

}  // namespace innerloop
