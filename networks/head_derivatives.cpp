#include "networks/head_derivatives.h"

#include "base/error.h"
#include "networks/tensors/derivatives.h"

namespace innerloop {

using torch::Tensor;

HeadDerivatives::HeadDerivatives(const Head& head, const Tensor& output, const Params& own)
    : separable_(head.separable()), own_(own.as_leaves()) {
  const at::AutoGradMode with_graph(true);
  leaves_ = joined({output.detach().requires_grad_()}, own_.tensors());
  const auto value = head(leaves_[0], own_);
  require(value.defined() && value.dim() == 1 && value.size(0) == output.size(0), "head: the loss is ",
          value.defined() ? concat(value.sizes()) : "undefined", ", expected [", output.size(0), "]");
  loss_ = value.detach();
  const Tensor sum = value.sum();
  gradient_graph_ = gradients({sum}, leaves_, {torch::ones_like(sum.detach())}, /*create_graph=*/true);
  for (const auto& g : gradient_graph_) slopes_.push_back(g.detach());
  gradient_ = parts(slopes_);
}

HeadParts HeadDerivatives::second(const HeadParts& tangent) {
  const auto tangents = joined({tangent.output}, tangent.own.tensors());
  if (++products_ == 1 || !separable_) return parts(through_autograd(tangents));
  if (products_ == 2) keep_second_derivatives();
  return parts(leaves_[0].scalar_type() == torch::kFloat32 ? from_kept<float>(tangents)
                                                           : from_kept<double>(tangents));
}

HeadParts HeadDerivatives::parts(std::vector<Tensor> list) const {
  HeadParts out{std::move(list[0]), {}};
  list.erase(list.begin());
  if (!own_.empty()) out.own = own_.with(std::move(list));
  return out;
}

std::vector<Tensor> HeadDerivatives::through_autograd(const std::vector<Tensor>& tangents) const {
  const at::AutoGradMode with_graph(true);
  auto product = gradients(gradient_graph_, leaves_, tangents);
  for (auto& value : product) value = value.detach();
  return product;
}

// One product with each unit direction: a sample's output enters its own term of the loss only, so the
// direction "output j of every sample" gives column j of every sample at once.
void HeadDerivatives::keep_second_derivatives() {
  const at::NoGradGuard no_graph;
  const Tensor& y = slopes_[0];
  const int64_t tasks = y.size(0), outputs = y.size(2);
  int64_t own_size = 0;
  for (size_t e = 1; e < slopes_.size(); ++e) own_size += slopes_[e][0].numel();
  rows_ = torch::empty({tasks, y.size(1), outputs, outputs + own_size}, y.options());
  curvature_ = torch::empty({tasks, own_size, own_size}, y.options());

  std::vector<Tensor> unit;
  for (const auto& g : slopes_) unit.push_back(torch::zeros(g.sizes(), g.options()));
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
        curvature_.narrow(1, row, part.size(1)).select(2, column).copy_(part);
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
  for (const auto& g : slopes_) product.push_back(torch::empty(g.sizes(), g.options()));
  std::vector<T> direction(static_cast<size_t>(own_size));
  std::vector<double> own_sum(static_cast<size_t>(own_size));
  const T *tangent = y.data_ptr<T>(), *row = rows_.data_ptr<T>(), *own_row = curvature_.data_ptr<T>();
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

}  // namespace innerloop
