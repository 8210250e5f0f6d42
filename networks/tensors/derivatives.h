// Autograd's derivatives of functions of lists of tensors, with zeros where nothing depends on an argument.
#pragma once

#include <functional>
#include <vector>

#include "networks/tensors/tensor.h"

namespace innerloop {

using Tensors = std::vector<torch::Tensor>;

// A function in differentiable LibTorch operations.
using TensorFunction = std::function<Tensors(const Tensors& at)>;

// sum_i cotangents[i] d outputs[i] / d inputs; outputs without a graph count as constants. The graph is kept.
// create_graph: the result can be differentiated again.
Tensors gradients(const Tensors& outputs, const Tensors& inputs, const Tensors& cotangents,
                  bool create_graph = false);

// J^T c at `at`, outside any graph.
Tensors vjp(const TensorFunction& f, const Tensors& at, const Tensors& cotangents);

// J d at `at`, outside any graph: J^T c is linear in c, so J d = d/dc <J^T c, d>.
Tensors jvp(const TensorFunction& f, const Tensors& at, const Tensors& directions);

// d/de [J(at + e d)^T c] at e = 0: the derivative of the pullback along d.
Tensors vjp_tangent(const TensorFunction& f, const Tensors& at, const Tensors& cotangents,
                    const Tensors& directions);

Tensors as_leaves(const Tensors& values);  // detached, requires_grad
Tensors joined(const Tensors& a, const Tensors& b);

}  // namespace innerloop
