#include "networks/mlp_passes.h"

#include "networks/kernels/mlp_panels.h"
#include "networks/kernels/mlp_small_batch.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {
namespace {

using torch::Tensor;
using Entries = MlpPasses::Entries;

template <class T>
T* data(const Tensor& t) {
  return static_cast<T*>(t.data_ptr());
}

// Whether every task's slice is contiguous.
bool has_plain_slices(const Tensor& t) {
  const auto sizes = t.sizes(), strides = t.strides();
  int64_t expected = 1;
  for (size_t i = sizes.size(); i-- > 1;) {
    if (sizes[i] != 1 && strides[i] != expected) return false;
    expected *= sizes[i];
  }
  return true;
}

// Entries as the kernels take them, tasks apart by a stride that is 0 where they share; what is not
// contiguous is copied for as long as this lives.
template <class T, class U>
class Layers {
 public:
  explicit Layers(const Entries& entries, bool copy = false) {
    held_.reserve(entries.size());
    for (const auto& entry : entries) {
      if (copy && entry.stride(0) == 0) {
        held_.push_back(copied(entry.narrow(0, 0, 1)).expand(entry.sizes()));
      } else if (copy || !has_plain_slices(entry)) {
        held_.push_back(copied(entry));
      } else {
        held_.push_back(entry);
      }
    }
    layers_.reserve(held_.size() / 2);
    for (size_t i = 0; i < held_.size(); i += 2) {
      const auto &weight = held_[i], &bias = held_[i + 1];
      layers_.push_back({data<T>(weight), data<T>(bias), weight.stride(0), bias.stride(0)});
    }
  }
  const TaskLayers<U>& operator()() const { return layers_; }
  LayerViews<U> of(int64_t task) const {
    LayerViews<U> views;
    for (const auto& layer : layers_) views.push_back({layer.weight_of(task), layer.bias_of(task)});
    return views;
  }

 private:
  Entries held_;
  TaskLayers<U> layers_;
};

template <class T, bool kTanh>
class PanelPasses final : public MlpPasses {
 public:
  PanelPasses(const std::vector<int64_t>& units, const Entries& weights, const Tensor& x, bool keep,
              Tensor& output) {
    const Layers<T, const T> layers(weights);
    for (int64_t t = 0; t < x.size(0); ++t) {
      MlpPanels<T, kTanh> one(units, layers.of(t), slice(x, t), x.size(1), keep, slice(output, t));
      if (keep) panels_.push_back(std::move(one));
    }
  }

  void pushforward(const Entries& direction, Tensor& output_tangent) override {
    const Layers<T, const T> along(direction);
    each([&](auto& one, int64_t t) { one.pushforward(along.of(t), slice(output_tangent, t)); });
  }
  bool pullback(const Tensor& cotangent, Entries& gradient) override {
    const Layers<T, T> to(gradient);
    each([&](auto& one, int64_t t) { one.pullback(slice(cotangent, t), to.of(t)); });
    return false;
  }
  void keep_cotangent(const Tensor& cotangent) override {
    each([&](auto& one, int64_t t) { one.keep_cotangent(slice(cotangent, t)); });
  }
  void pullback_tangent(const Entries& direction, const Tensor& cotangent_tangent,
                        Entries& gradient) const override {
    const Layers<T, const T> along(direction);
    const Layers<T, T> to(gradient);
    for (size_t i = 0; i < panels_.size(); ++i) {
      const auto t = static_cast<int64_t>(i);
      panels_[i].pullback_tangent(along.of(t), slice(cotangent_tangent, t), to.of(t));
    }
  }
  bool adds() const override { return true; }

 private:
  static T* slice(const Tensor& samples, int64_t task) {
    return data<T>(samples) + task * samples.size(1) * samples.size(2);
  }
  template <class Body>
  void each(const Body& body) {
    for (size_t i = 0; i < panels_.size(); ++i) body(panels_[i], static_cast<int64_t>(i));
  }

  std::vector<MlpPanels<T, kTanh>> panels_;  // of each task
};

template <class T, bool kTanh, int kRegisters>
class SmallBatchPasses final : public MlpPasses {
 public:
  SmallBatchPasses(const std::vector<int64_t>& units, const Entries& weights, const Tensor& x, bool borrow,
                   Tensor& output)
      : weights_(weights, !borrow),
        batch_(units, weights_(), data<T>(x), x.size(0), x.size(1), data<T>(output)) {}

  void pushforward(const Entries& direction, Tensor& output_tangent) override {
    batch_.pushforward(Layers<T, const T>(direction)(), data<T>(output_tangent));
  }
  bool pullback(const Tensor& cotangent, Entries& gradient) override {
    const Layers<T, T> to(gradient);
    batch_.pullback(data<T>(cotangent), &to());
    return true;
  }
  void keep_cotangent(const Tensor& cotangent) override { batch_.pullback(data<T>(cotangent), nullptr); }
  void pullback_tangent(const Entries& direction, const Tensor& cotangent_tangent,
                        Entries& gradient) const override {
    batch_.pullback_tangent(Layers<T, const T>(direction)(), data<T>(cotangent_tangent),
                            Layers<T, T>(gradient)());
  }
  bool adds() const override { return false; }

 private:
  Layers<T, const T> weights_;
  MlpSmallBatch<T, kTanh, kRegisters> batch_;
};

template <class T, bool kTanh>
std::unique_ptr<MlpPasses> make(const std::vector<int64_t>& units, const Entries& weights, const Tensor& x,
                                bool keep, bool borrow, Tensor& output) {
  std::unique_ptr<MlpPasses> passes;
  // float64, which checks gradients, does without the variant for one register.
  constexpr int kFewest = kFullTiles<T> ? 1 : 2;
  if (x.size(1) > 0 && x.size(1) <= MlpSmallBatch<T, kTanh, kFewest>::kMostSamples) {
    passes =
        std::make_unique<SmallBatchPasses<T, kTanh, kFewest>>(units, weights, x, borrow || !keep, output);
  } else if (x.size(1) > 0 && x.size(1) <= MlpSmallBatch<T, kTanh, 2>::kMostSamples) {
    passes = std::make_unique<SmallBatchPasses<T, kTanh, 2>>(units, weights, x, borrow || !keep, output);
  } else {
    passes = std::make_unique<PanelPasses<T, kTanh>>(units, weights, x, keep, output);
  }
  return keep ? std::move(passes) : nullptr;
}

}  // namespace

std::unique_ptr<MlpPasses> make_mlp_passes(const std::vector<int64_t>& units, bool tanh,
                                           const Entries& weights, const Tensor& x, bool keep, bool borrow,
                                           Tensor& output) {
  const bool single = x.scalar_type() == torch::kFloat32;
  const auto make_typed = single ? (tanh ? make<float, true> : make<float, false>)
                                 : (tanh ? make<double, true> : make<double, false>);
  return make_typed(units, weights, x, keep, borrow, output);
}

}  // namespace innerloop
