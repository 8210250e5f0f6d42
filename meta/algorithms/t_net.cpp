#include "meta/algorithms/t_net.h"

#include "base/error.h"
#include "meta/gradient_algorithm.h"
#include "networks/tensors/products.h"

namespace innerloop {
namespace {

using torch::Tensor;

constexpr const char* kPrefix = "transform.";

// T w for w [T, out, in], [T, out] or a convolution's kernels [T, size, size, in, out].
Tensor transformed(const Tensor& t, const Tensor& w) {
  if (w.dim() == 3) return product(t, w);
  if (w.dim() == 2) return t.matmul(w.unsqueeze(2)).squeeze(2);
  return product_nt(w.flatten(1, 3), t).view(w.sizes());
}

// The cotangents of w and of T from that of T w.
Tensor to_weight(const Tensor& t, const Tensor& c) {
  if (c.dim() == 3) return product_tn(t, c);
  if (c.dim() == 2) return t.transpose(1, 2).matmul(c.unsqueeze(2)).squeeze(2);
  return product(c.flatten(1, 3), t).view(c.sizes());
}

Tensor to_transform(const Tensor& c, const Tensor& w) {
  if (w.dim() == 3) return product_nt(c, w);
  if (w.dim() == 2) return c.unsqueeze(2).matmul(w.unsqueeze(1));
  return product_tn(c.flatten(1, 3), w.flatten(1, 3));
}

bool is_transform(const std::string& name) { return name.rfind(kPrefix, 0) == 0; }

// The transform of an entry in `p`, or null.
const Tensor* transform_of(const Params& p, const std::string& name, const Tensor& value) {
  const auto layer = layer_of(name, value);
  if (layer.name.empty()) return nullptr;
  return &p.at(kPrefix + layer.name);
}

class TransformedLayers : public ParameterMap {
 public:
  Params operator()(const Params& p, const At&) const override {
    std::vector<Params::Entry> out;
    for (const auto& entry : p) {
      if (is_transform(entry.name)) continue;
      const Tensor* t = transform_of(p, entry.name, entry.value);
      out.push_back({entry.name, t == nullptr ? entry.value : transformed(*t, entry.value)});
    }
    return Params(std::move(out));
  }

  Params pullback(const Params& p, const At&, const Params& c) const override {
    return pulled(p, p, c, true);
  }

  Params pushforward(const Params& p, const At&, const Params& d) const override {
    std::vector<Params::Entry> out;
    for (const auto& entry : p) {
      if (is_transform(entry.name)) continue;
      const Tensor& along = d.at(entry.name);
      const Tensor* t = transform_of(p, entry.name, entry.value);
      if (t == nullptr) {
        out.push_back({entry.name, along});
      } else {
        const Tensor* dt = transform_of(d, entry.name, entry.value);
        out.push_back({entry.name, transformed(*t, along) + transformed(*dt, entry.value)});
      }
    }
    return Params(std::move(out));
  }

  // J is linear in p, so its derivative along d is J at d; entries without a transform pass as they are.
  Params pullback_tangent(const Params& p, const At&, const Params& d, const Params& c) const override {
    return pulled(p, d, c, false);
  }

 private:
  // J^T c with the factors `at`; `passing`: of the entries without a transform c itself, else zero.
  static Params pulled(const Params& p, const Params& at, const Params& c, bool passing) {
    std::vector<Tensor> out;
    for (const auto& entry : p) {
      if (is_transform(entry.name)) {
        out.push_back(of_transform(at, entry.name.substr(std::string(kPrefix).size()), c));
        continue;
      }
      const Tensor* t = transform_of(at, entry.name, entry.value);
      if (t != nullptr) {
        out.push_back(to_weight(*t, c.at(entry.name)));
      } else {
        out.push_back(passing ? c.at(entry.name) : torch::zeros_like(entry.value));
      }
    }
    return p.with(std::move(out));
  }

  static Tensor of_transform(const Params& at, const std::string& layer, const Params& c) {
    Tensor sum;
    for (const char* part : {".weight", ".bias"}) {
      const std::string name = layer + part;
      if (!at.contains(name)) continue;
      const Tensor term = to_transform(c.at(name), at.at(name));
      sum = sum.defined() ? sum + term : term;
    }
    return sum;
  }
};

Parts t_net_parts(const NoSettings&, const MethodContext& context) {
  require_usage(context.inner.steps >= 1,
                "inner.steps: 0 found, expected 1 or more: a transform is learned through inner steps");
  return {.network = transformed_layers(),
          .meta = [](const Params& network, Stream&) { return with_transforms(network); }};
}

}  // namespace

LayerOf layer_of(const std::string& entry, const Tensor& value) {
  const auto dot = entry.rfind('.');
  if (dot == std::string::npos || entry.rfind("norm", 0) == 0 || is_transform(entry)) return {};
  return {entry.substr(0, dot), value.dim() == 5 ? value.size(4) : value.size(1)};
}

Params with_transforms(const Params& network) {
  std::vector<Params::Entry> transforms;
  for (const auto& entry : network) {
    const auto layer = layer_of(entry.name, entry.value);
    if (layer.name.empty() || entry.value.dim() < 3) continue;  // once a layer, at its weight
    const Tensor zeros = torch::zeros({1, layer.outputs, layer.outputs}, entry.value.options());
    zeros.diagonal(0, 1, 2).fill_(1);
    transforms.push_back({kPrefix + layer.name, zeros});
  }
  return network.joined(Params(std::move(transforms)));
}

std::shared_ptr<const ParameterMap> transformed_layers() { return std::make_shared<TransformedLayers>(); }

Algorithm t_net() {
  return gradient_algorithm({.name = "t_net",
                             .paper = "Lee and Choi 2018, section 4.1",
                             .summary = "MAML with a learned linear transform behind every layer"},
                            kNoKeys, t_net_parts);
}

}  // namespace innerloop
