#include "networks/tensors/derivatives.h"

#include <torch/csrc/autograd/autograd.h>

#include "base/error.h"

namespace innerloop {
namespace {

using torch::Tensor;

Tensors detached(Tensors values) {
  for (auto& value : values) value = value.detach();
  return values;
}

}  // namespace

Tensors as_leaves(const Tensors& values) {
  Tensors leaves;
  for (const auto& value : values) leaves.push_back(value.detach().requires_grad_());
  return leaves;
}

Tensors joined(const Tensors& a, const Tensors& b) {
  Tensors out = a;
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

Tensors gradients(const Tensors& outputs, const Tensors& inputs, const Tensors& cotangents,
                  bool create_graph) {
  require(outputs.size() == cotangents.size(), "gradients: ", cotangents.size(), " cotangents for ",
          outputs.size(), " outputs");
  Tensors curved, along;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].defined() || !outputs[i].requires_grad() || !cotangents[i].defined()) continue;
    curved.push_back(outputs[i]);
    along.push_back(cotangents[i].expand_as(outputs[i]));
  }
  Tensors found(inputs.size());
  if (!curved.empty() && !inputs.empty()) {
    found = torch::autograd::grad(curved, inputs, along, /*retain_graph=*/true, create_graph,
                                  /*allow_unused=*/true);
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!found[i].defined()) found[i] = torch::zeros_like(inputs[i].detach());
  }
  return found;
}

Tensors vjp(const TensorFunction& f, const Tensors& at, const Tensors& cotangents) {
  const at::AutoGradMode with_graph(true);
  const Tensors leaves = as_leaves(at);
  return detached(gradients(f(leaves), leaves, cotangents));
}

Tensors jvp(const TensorFunction& f, const Tensors& at, const Tensors& directions) {
  const at::AutoGradMode with_graph(true);
  const Tensors leaves = as_leaves(at), values = f(leaves);
  Tensors zeros;
  for (const auto& value : values) zeros.push_back(torch::zeros_like(value.detach()));
  const Tensors c = as_leaves(zeros);
  const Tensors pulled = gradients(values, leaves, c, /*create_graph=*/true);
  return detached(gradients(pulled, c, directions));
}

Tensors vjp_tangent(const TensorFunction& f, const Tensors& at, const Tensors& cotangents,
                    const Tensors& directions) {
  const at::AutoGradMode with_graph(true);
  const Tensors leaves = as_leaves(at);
  const Tensors pulled = gradients(f(leaves), leaves, cotangents, /*create_graph=*/true);
  Tensor inner;
  for (size_t i = 0; i < pulled.size(); ++i) {
    if (!pulled[i].requires_grad() || !directions[i].defined()) continue;
    const Tensor term = (pulled[i] * directions[i].detach()).sum();
    inner = inner.defined() ? inner + term : term;
  }
  if (!inner.defined()) return gradients({}, leaves, {});
  return detached(gradients({inner}, leaves, {torch::ones_like(inner.detach())}));
}

}  // namespace innerloop
