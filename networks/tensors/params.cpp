#include "networks/tensors/params.h"

#include <cstring>
#include <set>

#include "base/error.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {
Params::Params(std::vector<Entry> entries) : entries_(std::move(entries)) {
  constexpr size_t kFew = 16;  // up to here comparing all pairs is faster than a set
  std::set<std::string> seen;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const auto& name = entries_[i].name;
    bool fresh = true;
    if (entries_.size() <= kFew) {
      for (size_t j = 0; j < i; ++j) fresh = fresh && entries_[j].name != name;
    } else {
      fresh = seen.insert(name).second;
    }
    require(fresh, "parameters: the name '", name, "' appears twice");
  }
}

const torch::Tensor& Params::at(const std::string& name) const {
  for (const auto& entry : entries_) {
    if (entry.name == name) return entry.value;
  }
  throw Error(unknown_name("parameter", name, names()));
}

bool Params::contains(const std::string& name) const {
  for (const auto& entry : entries_) {
    if (entry.name == name) return true;
  }
  return false;
}

std::vector<std::string> Params::names() const {
  std::vector<std::string> out;
  for (const auto& entry : entries_) out.push_back(entry.name);
  return out;
}

std::vector<torch::Tensor> Params::tensors() const {
  std::vector<torch::Tensor> out;
  for (const auto& entry : entries_) out.push_back(entry.value);
  return out;
}

int64_t Params::tasks() const {
  require(!entries_.empty(), "parameters: an empty list has no task dimension");
  return entries_.front().value.size(0);
}

int64_t Params::numel() const {
  int64_t count = 0;
  for (const auto& entry : entries_) count += entry.value.numel() / entry.value.size(0);
  return count;
}

torch::ScalarType Params::dtype() const {
  require(!entries_.empty(), "parameters: an empty list has no dtype");
  return entries_.front().value.scalar_type();
}

Params Params::with(std::vector<torch::Tensor> values) const {
  require(values.size() == entries_.size(), "parameters: ", values.size(), " values for ", entries_.size(),
          " names");
  Params out;
  out.entries_.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i) out.entries_.push_back({name(i), std::move(values[i])});
  return out;
}

Params Params::map(const std::function<torch::Tensor(const torch::Tensor&)>& f) const {
  Params out;
  out.entries_.reserve(size());
  for (const auto& entry : entries_) out.entries_.push_back({entry.name, f(entry.value)});
  return out;
}

Params Params::select(const std::vector<std::string>& names) const {
  bool all = names.size() == size();
  for (size_t i = 0; all && i < size(); ++i) all = names[i] == name(i);
  if (all) return *this;
  const std::set<std::string> wanted(names.begin(), names.end());
  for (const auto& name : names) at(name);
  std::vector<Entry> out;
  for (const auto& entry : entries_) {
    if (wanted.count(entry.name)) out.push_back(entry);
  }
  return Params(std::move(out));
}

Params Params::joined(const Params& other) const {
  if (other.empty()) return *this;
  auto out = entries_;
  out.insert(out.end(), other.entries_.begin(), other.entries_.end());
  return Params(std::move(out));
}

// A tensor that no graph leads to is its own detached view.
Params Params::first(size_t count) const {
  require(count <= size(), "parameters: the first ", count, " of ", size(), " entries asked");
  return Params({entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(count)});
}

Params Params::prefixed(const std::string& prefix) const {
  std::vector<Entry> out;
  for (const auto& entry : entries_) out.push_back({prefix + entry.name, entry.value});
  return Params(std::move(out));
}

Params Params::part(const std::string& prefix) const {
  std::vector<Entry> out;
  for (const auto& entry : entries_) {
    if (entry.name.rfind(prefix, 0) == 0) out.push_back({entry.name.substr(prefix.size()), entry.value});
  }
  return Params(std::move(out));
}

Params Params::without(const std::string& prefix) const {
  std::vector<Entry> out;
  for (const auto& entry : entries_) {
    if (entry.name.rfind(prefix, 0) != 0) out.push_back(entry);
  }
  return Params(std::move(out));
}

Params Params::detached() const {
  return map([](const torch::Tensor& t) { return t.requires_grad() ? t.detach() : t; });
}

Params Params::cloned() const { return map(copied); }

Params Params::as_leaves() const {
  return map([](const torch::Tensor& t) { return t.detach().requires_grad_(); });
}

Params Params::zeros_like() const { return map(zeros_as); }

Params Params::to(torch::ScalarType dtype) const {
  return map([dtype](const torch::Tensor& t) { return t.to(dtype); });
}

Params Params::expanded(int64_t tasks) const {
  return map([tasks](const torch::Tensor& t) { return repeated(t, tasks); });
}

Params Params::sum_over_tasks() const { return map(sum_tasks); }

Params Params::slice(int64_t task) const {
  return map([task](const torch::Tensor& t) { return t.narrow(0, task, 1); });
}

Params zip(const Params& a, const Params& b,
           const std::function<torch::Tensor(const torch::Tensor&, const torch::Tensor&)>& f) {
  if (!same_names(a, b)) {
    throw Error(concat("parameters: names differ: ", join(a.names()), " against ", join(b.names())));
  }
  std::vector<torch::Tensor> out;
  out.reserve(a.size());
  for (size_t i = 0; i < a.size(); ++i) out.push_back(f(a[i], b[i]));
  return a.with(std::move(out));
}

Params operator+(const Params& a, const Params& b) { return combination(1, a, 1, b); }

Params operator-(const Params& a, const Params& b) { return combination(1, a, -1, b); }

Params operator*(double scale, const Params& a) {
  return a.map([scale](const torch::Tensor& t) { return scaled(scale, t); });
}

bool same_names(const Params& a, const Params& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a.name(i) != b.name(i)) return false;
  }
  return true;
}

bool all_finite(const Params& params) {
  for (const auto& entry : params) {
    if (!finite(entry.value)) return false;
  }
  return true;
}

void check_fits(const Params& found, const Params& expected, const char* what) {
  if (!same_names(found, expected)) {
    throw Error(concat(what, ": entries ", join(found.names()), " found, expected ", join(expected.names())));
  }
  for (size_t i = 0; i < found.size(); ++i) {
    require(found[i].sizes() == expected[i].sizes() && found[i].scalar_type() == expected[i].scalar_type(),
            what, ": '", found.name(i), "' is ", found[i].scalar_type(), " ", found[i].sizes(), ", expected ",
            expected[i].scalar_type(), " ", expected[i].sizes());
  }
}

bool identical(const Params& a, const Params& b) {
  if (!same_names(a, b)) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].sizes() != b[i].sizes() || a[i].scalar_type() != b[i].scalar_type()) return false;
    const auto x = a[i].detach().contiguous(), y = b[i].detach().contiguous();
    if (x.numel() == 0) continue;
    if (std::memcmp(x.data_ptr(), y.data_ptr(), static_cast<size_t>(x.nbytes())) != 0) return false;
  }
  return true;
}

torch::Tensor flatten(const Params& params) {
  require(params.tasks() == 1, "flatten: parameters of ", params.tasks(), " tasks, expected 1");
  std::vector<torch::Tensor> parts;
  for (const auto& entry : params) parts.push_back(entry.value.reshape(-1));
  return torch::cat(parts);
}

Params unflatten(const torch::Tensor& vector, const Params& like) {
  require(vector.dim() == 1 && vector.numel() == like.numel(), "unflatten: a vector of ", vector.numel(),
          " entries, expected ", like.numel());
  int64_t offset = 0;
  return like.map([&](const torch::Tensor& t) {
    const auto part = vector.narrow(0, offset, t.numel()).view(t.sizes());
    offset += t.numel();
    return part;
  });
}

}  // namespace innerloop
