#include "networks/tensors/elementwise.h"

#include <ATen/EmptyTensor.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"

namespace innerloop {
namespace {

using torch::Tensor;

// The entries of a tensor as [slices] rows of `numbers`, `stride` apart (0: one row for all).
struct Rows {
  int64_t slices = 0, numbers = 0, stride = 0;
  bool dense() const { return slices <= 1 || stride == numbers; }
};

bool recorded(const Tensor& x) { return x.requires_grad() && at::GradMode::is_enabled(); }

// Whether the loops take x: its dtype and the layout of its slices.
bool as_rows(const Tensor& x, Rows& rows) {
  const auto dtype = x.scalar_type();
  if (dtype != torch::kFloat32 && dtype != torch::kFloat64) return false;
  if (!x.device().is_cpu() || x.layout() != at::kStrided || x.is_neg() || recorded(x)) return false;
  const auto sizes = x.sizes(), strides = x.strides();
  if (sizes.empty() || sizes[0] < 1) return false;
  int64_t expected = 1;
  for (size_t i = sizes.size(); i-- > 1;) {
    if (sizes[i] != 1 && strides[i] != expected) return false;
    expected *= sizes[i];
  }
  rows = {sizes[0], expected, strides[0]};
  return rows.slices == 1 || strides[0] == 0 || strides[0] == expected;
}

// f(T{}) for the element type.
template <class F>
void typed(torch::ScalarType dtype, const F& f) {
  if (dtype == torch::kFloat32) {
    f(float{});
  } else {
    f(double{});
  }
}

template <class T>
T* data(const Tensor& x) {
  return static_cast<T*>(x.data_ptr());
}

}  // namespace

Tensor empty_tensor(at::IntArrayRef sizes, torch::ScalarType dtype) {
  return Tensor(at::detail::empty_cpu(sizes, dtype));
}

Tensor combination(double a, const Tensor& x, double b, const Tensor& y) {
  Rows in_x, in_y;
  if (x.scalar_type() != y.scalar_type() || x.sizes() != y.sizes() || !as_rows(x, in_x) ||
      !as_rows(y, in_y)) {
    if (a == 1 && b == 1) return x + y;
    if (a == 1) return x - (-b) * y;
    return a * x + b * y;
  }
  Tensor out = empty_tensor(x.sizes(), x.scalar_type());
  typed(x.scalar_type(), [&]<class T>(T) {
    const T by_x = static_cast<T>(a), by_y = static_cast<T>(b);
    const bool whole = in_x.dense() && in_y.dense();
    const int64_t count = whole ? in_x.slices * in_x.numbers : in_x.numbers;
    for (int64_t t = 0; t < (whole ? 1 : in_x.slices); ++t) {
      const T* p = data<T>(x) + t * in_x.stride;
      const T* q = data<T>(y) + t * in_y.stride;
      T* to = data<T>(out) + t * count;
      for (int64_t i = 0; i < count; ++i) to[i] = by_x * p[i] + by_y * q[i];
    }
  });
  return out;
}

Params combination(double a, const Params& x, double b, const Params& y) {
  return zip(x, y, [a, b](const Tensor& p, const Tensor& q) { return combination(a, p, b, q); });
}

Tensor scaled(double scale, const Tensor& x) {
  Rows rows;
  if (!as_rows(x, rows)) return x * scale;
  Tensor out = empty_tensor(x.sizes(), x.scalar_type());
  typed(x.scalar_type(), [&]<class T>(T) {
    const T by = static_cast<T>(scale);
    for (int64_t t = 0; t < rows.slices; ++t) {
      const T* from = data<T>(x) + t * rows.stride;
      T* to = data<T>(out) + t * rows.numbers;
      for (int64_t i = 0; i < rows.numbers; ++i) to[i] = by * from[i];
    }
  });
  return out;
}

RmsStep rms_step(const Tensor& x, const Tensor& g, const Tensor& v, double decay, double rate, double least,
                 double epsilon) {
  Rows rows[3];
  const auto dtype = x.scalar_type();
  if (g.scalar_type() != dtype || v.scalar_type() != dtype || g.sizes() != x.sizes() ||
      v.sizes() != x.sizes() || !as_rows(x, rows[0]) || !as_rows(g, rows[1]) || !as_rows(v, rows[2])) {
    const Tensor next = decay * v + (1 - decay) * g.square();
    return {x - rate * (g / (next.clamp_min(least).sqrt() + epsilon)), next};
  }
  RmsStep out{empty_tensor(x.sizes(), dtype), empty_tensor(x.sizes(), dtype)};
  typed(dtype, [&]<class T>(T) {
    const T d = static_cast<T>(decay), rest = static_cast<T>(1 - decay), a = static_cast<T>(rate);
    const T low = static_cast<T>(least), e = static_cast<T>(epsilon);
    for (int64_t t = 0; t < rows[0].slices; ++t) {
      const T* from = data<T>(x) + t * rows[0].stride;
      const T* gradient = data<T>(g) + t * rows[1].stride;
      const T* before = data<T>(v) + t * rows[2].stride;
      T* to = data<T>(out.x) + t * rows[0].numbers;
      T* next = data<T>(out.v) + t * rows[0].numbers;
      for (int64_t i = 0; i < rows[0].numbers; ++i) {
        next[i] = d * before[i] + rest * gradient[i] * gradient[i];
        to[i] = from[i] - a * gradient[i] / (std::sqrt(std::max(next[i], low)) + e);
      }
    }
  });
  return out;
}

Tensor copied(const Tensor& x) {
  const at::NoGradGuard no_graph;
  Rows rows;
  if (!as_rows(x, rows)) return x.detach().clone(at::MemoryFormat::Contiguous);
  Tensor out = empty_tensor(x.sizes(), x.scalar_type());
  typed(x.scalar_type(), [&]<class T>(T) {
    for (int64_t t = 0; t < rows.slices; ++t) {
      std::copy_n(data<T>(x) + t * rows.stride, rows.numbers, data<T>(out) + t * rows.numbers);
    }
  });
  return out;
}

Tensor zeros_as(const Tensor& x) {
  Rows rows;
  const at::NoGradGuard no_graph;
  if (!as_rows(x, rows)) return torch::zeros(x.sizes(), x.options());
  Tensor out = empty_tensor(x.sizes(), x.scalar_type());
  typed(x.scalar_type(), [&]<class T>(T) { std::fill_n(data<T>(out), out.numel(), T(0)); });
  return out;
}

Tensor sum_tasks(const Tensor& x) {
  if (x.size(0) == 1) return x;
  Rows rows;
  if (!as_rows(x, rows)) return x.sum(0, /*keepdim=*/true);
  at::DimVector sizes(x.sizes());
  sizes[0] = 1;
  Tensor out = empty_tensor(sizes, x.scalar_type());
  typed(x.scalar_type(), [&]<class T>(T) {
    T* to = data<T>(out);
    std::copy_n(data<T>(x), rows.numbers, to);
    for (int64_t t = 1; t < rows.slices; ++t) {
      const T* from = data<T>(x) + t * rows.stride;
      for (int64_t i = 0; i < rows.numbers; ++i) to[i] += from[i];
    }
  });
  return out;
}

Tensor repeated(const Tensor& x, int64_t tasks) {
  if (x.size(0) == tasks) return x;
  at::DimVector sizes(x.sizes()), strides(x.strides());
  sizes[0] = tasks;
  if (recorded(x) || x.size(0) != 1 || x.is_inference()) return x.expand(sizes);
  strides[0] = 0;
  auto impl = x.unsafeGetTensorImpl()->shallow_copy_and_detach(x.unsafeGetTensorImpl()->version_counter(),
                                                               /*allow_tensor_metadata_change=*/true);
  impl->set_sizes_and_strides(sizes, strides);
  return Tensor(std::move(impl));
}

bool finite(const Tensor& x) {
  const at::NoGradGuard no_graph;
  Rows rows;
  if (!as_rows(x, rows)) return torch::isfinite(x).all().item<bool>();
  bool all = true;
  typed(x.scalar_type(), [&]<class T>(T) {
    using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
    const Bits exponent = std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
    for (int64_t t = 0; t < (rows.stride == 0 ? 1 : rows.slices); ++t) {
      const T* from = data<T>(x) + t * rows.stride;
      Bits bad = 0;
      for (int64_t i = 0; i < rows.numbers; ++i) {
        bad |= static_cast<Bits>((std::bit_cast<Bits>(from[i]) & exponent) == exponent);
      }
      all = all && bad == 0;
    }
  });
  return all;
}

double sum_in_double(const Tensor& x) {
  double sum = 0;
  const bool done = with_type(x, [&]<class T>(const T* from) {
    for (int64_t i = 0; i < x.numel(); ++i) sum += static_cast<double>(from[i]);
  });
  return done ? sum : x.sum(torch::kFloat64).item<double>();
}

}  // namespace innerloop
