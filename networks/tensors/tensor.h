// torch::Tensor and the functions on tensors that this project calls, from LibTorch's headers of one
// operation each: <torch/torch.h> costs every file several times as much to compile. An operation that is
// missing here is one more line; code that wants all of LibTorch includes <torch/torch.h> as well, both name
// the same things.
#pragma once

// ATen's own switch, else the operators on tensors bring every operation.
#ifndef AT_PER_OPERATOR_HEADERS
#define AT_PER_OPERATOR_HEADERS
#define INNERLOOP_PER_OPERATOR_HEADERS
#endif
#include <ATen/TensorOperators.h>
#include <ATen/core/Formatting.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#ifdef INNERLOOP_PER_OPERATOR_HEADERS
#undef AT_PER_OPERATOR_HEADERS
#undef INNERLOOP_PER_OPERATOR_HEADERS
#endif

namespace innerloop::torch_names {

constexpr auto kUInt8 = at::kByte;
constexpr auto kInt64 = at::kLong;
constexpr auto kFloat32 = at::kFloat;
constexpr auto kFloat64 = at::kDouble;

}  // namespace innerloop::torch_names

// As LibTorch does it: what `torch` does not declare itself is looked up in the namespaces named here. Where
// <torch/torch.h> is included too, its own declarations come first and nothing is ambiguous.
namespace torch {
using namespace at;
using namespace innerloop::torch_names;
}  // namespace torch
