#include "networks/head_derivatives.h"

#include "base/error.h"

namespace innerloop {

using torch::Tensor;

HeadDerivatives::HeadDerivatives(const Head& head, const Tensor& output, const Params& own) {
  const at::AutoGradMode with_graph(true);
  const auto leaf = output.detach().requires_grad_();
  const auto own_leaves = own.as_leaves();
  const auto value = head(leaf, own_leaves);
  require(value.defined() && value.dim() == 1 && value.size(0) == output.size(0), "head: the loss is ",
          value.defined() ? concat(value.sizes()) : "undefined", ", expected [", output.size(0), "]");
  loss_ = value.detach();
  leaves_.push_back(leaf);
  for (const auto& entry : own_leaves) leaves_.push_back(entry.value);
  if (value.requires_grad()) {
    gradient_graph_ =
        torch::autograd::grad({value.sum()}, leaves_, {}, /*retain_graph=*/true, /*create_graph=*/true,
                              /*allow_unused=*/true);
  }
  gradient_graph_.resize(leaves_.size());
  gradient_ = or_zeros(gradient_graph_);
}

std::vector<Tensor> HeadDerivatives::second(const std::vector<Tensor>& tangents) const {
  if (++products_ == 1) return through_autograd(tangents);
  if (products_ == 2) keep_second_derivatives();
  return leaves_[0].scalar_type() == torch::kFloat32 ? from_kept<float>(tangents)
                                                     : from_kept<double>(tangents);
}

std::vector<Tensor> HeadDerivatives::through_autograd(const std::vector<Tensor>& tangents) const {
  const at::AutoGradMode with_graph(true);
  std::vector<Tensor> curved, along;
  for (size_t i = 0; i < gradient_graph_.size(); ++i) {
    if (!gradient_graph_[i].defined() || !gradient_graph_[i].requires_grad())
      continue;  // no second derivative
    curved.push_back(gradient_graph_[i]);
    along.push_back(tangents[i]);
  }
  std::vector<Tensor> product(leaves_.size());
  if (!curved.empty()) {
    product = torch::autograd::grad(curved, leaves_, along, /*retain_graph=*/true, /*create_graph=*/false,
                                    /*allow_unused=*/true);
  }
  return or_zeros(product);
}

// One product with each unit direction: a sample's output enters its own term of the loss only, so the
// direction "output j of every sample" gives column j of every sample at once.
void HeadDerivatives::keep_second_derivatives() const {
  const at::NoGradGuard no_graph;
  const Tensor& y = gradient_[0];
  const int64_t tasks = y.size(0), outputs = y.size(2);
  int64_t own_size = 0;
  for (size_t e = 1; e < gradient_.size(); ++e) own_size += gradient_[e][0].numel();
  rows_ = torch::empty({tasks, y.size(1), outputs, outputs + own_size}, y.options());
  own_ = torch::empty({tasks, own_size, own_size}, y.options());

  std::vector<Tensor> unit;
  for (const auto& g : gradient_) unit.push_back(torch::zeros(g.sizes(), g.options()));
  for (int64_t j = 0; j < outputs; ++j) {
    unit[0].select(2, j).fill_(1);
    rows_.select(3, j).copy_(through_autograd(unit)[0]);
    unit[0].select(2, j).zero_();
  }
  int64_t column = 0;
  for (size_t e = 1; e < unit.size(); ++e) {
    const auto flat = unit[e].view({tasks, -1});
    for (int64_t r = 0; r < flat.size(1); ++r, ++column) {
      flat.select(1, r).fill_(1);
      const auto product = through_autograd(unit);
      flat.select(1, r).zero_();
      rows_.select(3, outputs + column).copy_(product[0]);
      int64_t row = 0;
      for (size_t f = 1; f < product.size(); ++f) {
        const auto part = product[f].reshape({tasks, -1});
        own_.narrow(1, row, part.size(1)).select(2, column).copy_(part);
        row += part.size(1);
      }
    }
  }
}

template <class T>
std::vector<Tensor> HeadDerivatives::from_kept(const std::vector<Tensor>& tangents) const {
  const auto y = tangents[0].contiguous();
  const int64_t tasks = rows_.size(0), samples = rows_.size(1), outputs = rows_.size(2),
                width = rows_.size(3);
  const int64_t own_size = width - outputs;
  std::vector<Tensor> product;
  for (const auto& g : gradient_) product.push_back(torch::empty(g.sizes(), g.options()));
  std::vector<T> direction(static_cast<size_t>(own_size));
  std::vector<double> own_sum(static_cast<size_t>(own_size));
  const T *tangent = y.data_ptr<T>(), *row = rows_.data_ptr<T>(), *own_row = own_.data_ptr<T>();
  T* out = product[0].data_ptr<T>();
  for (int64_t t = 0; t < tasks; ++t) {
    T* to = direction.data();
    for (size_t e = 1; e < tangents.size(); ++e) {
      const auto entry = tangents[e][t].contiguous();
      to = std::copy_n(entry.data_ptr<T>(), entry.numel(), to);
    }
    std::fill(own_sum.begin(), own_sum.end(), 0.0);
    for (int64_t n = 0; n < samples; ++n, tangent += outputs) {
      for (int64_t i = 0; i < outputs; ++i, row += width) {
        T sum = 0;
        for (int64_t j = 0; j < outputs; ++j) sum += row[j] * tangent[j];
        for (int64_t r = 0; r < own_size; ++r) {
          sum += row[outputs + r] * direction[static_cast<size_t>(r)];
          own_sum[static_cast<size_t>(r)] +=
              static_cast<double>(row[outputs + r]) * static_cast<double>(tangent[i]);
        }
        *out++ = sum;
      }
    }
    for (int64_t r = 0; r < own_size; ++r) {
      for (int64_t q = 0; q < own_size; ++q) {
        own_sum[static_cast<size_t>(r)] +=
            static_cast<double>(*own_row++) * static_cast<double>(direction[static_cast<size_t>(q)]);
      }
    }
    size_t r = 0;
    for (size_t e = 1; e < product.size(); ++e) {
      auto entry = product[e][t];
      T* values = entry.data_ptr<T>();
      for (int64_t q = 0; q < entry.numel(); ++q) values[q] = static_cast<T>(own_sum[r++]);
    }
  }
  return product;
}

std::vector<Tensor> HeadDerivatives::or_zeros(const std::vector<Tensor>& values) const {
  std::vector<Tensor> out;
  for (size_t i = 0; i < values.size(); ++i) {
    out.push_back(values[i].defined() ? values[i].detach() : torch::zeros_like(leaves_[i].detach()));
  }
  return out;
}

}  // namespace innerloop
