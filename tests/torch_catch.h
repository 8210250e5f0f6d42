// The tensors of networks/tensors/tensor.h, what tests use of LibTorch beyond them, and Catch2, in one file
// that is precompiled. Torch's logging defines CHECK and its relatives, whose failure ends the process
// instead of failing the test: torch must come first, its macros must go, then Catch2 defines its own. A test
// that compares with torch::nn or torch::optim includes <torch/torch.h> as well, after this file; it takes 20
// seconds more to compile.
#pragma once

// clang-format off
#ifndef AT_PER_OPERATOR_HEADERS
#define AT_PER_OPERATOR_HEADERS
#define INNERLOOP_PER_OPERATOR_HEADERS
#endif
#include <ATen/Context.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/rot90.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sqrt.h>
#include <c10/util/Logging.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/generated/variable_factories.h>
#ifdef INNERLOOP_PER_OPERATOR_HEADERS
#undef AT_PER_OPERATOR_HEADERS
#undef INNERLOOP_PER_OPERATOR_HEADERS
#endif
#include "networks/tensors/tensor.h"
#undef CHECK
#undef CHECK_FALSE
#undef REQUIRE
#undef INFO
#undef WARN
#undef FAIL
#include "tests/catch.h"
// clang-format on
