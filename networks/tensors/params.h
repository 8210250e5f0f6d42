// Params: an ordered list of named tensors, a value. Networks hold structure, never weights.
//
// Every tensor has a leading task dimension T: [T, ...]. Meta-parameters have T = 1; adapted parameters have
// one slice per task. Tensors of a Params share one dtype.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "networks/tensors/tensor.h"

namespace innerloop {

class Params {
 public:
  struct Entry {
    std::string name;
    torch::Tensor value;
  };

  Params() = default;
  explicit Params(std::vector<Entry> entries);  // names must be distinct

  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  const std::string& name(size_t i) const { return entries_[i].name; }
  const torch::Tensor& operator[](size_t i) const { return entries_[i].value; }
  const torch::Tensor& at(const std::string& name) const;  // Error with the known names if absent
  bool contains(const std::string& name) const;
  std::vector<std::string> names() const;
  std::vector<torch::Tensor> tensors() const;
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

  int64_t tasks() const;  // T; Error if empty
  int64_t numel() const;  // entries of one task's slice
  torch::ScalarType dtype() const;

  Params with(std::vector<torch::Tensor> values) const;  // the same names
  Params map(const std::function<torch::Tensor(const torch::Tensor&)>& f) const;
  Params select(const std::vector<std::string>& names) const;  // in the order of `this`
  Params joined(const Params& other) const;                    // entries of both; names must be distinct
  Params first(size_t count) const;                            // the first entries
  Params prefixed(const std::string& prefix) const;            // every name begins with it
  Params part(const std::string& prefix) const;                // entries that begin with it, without it
  Params without(const std::string& prefix) const;             // the others

  Params detached() const;   // shares storage, outside any graph
  Params cloned() const;     // own storage, outside any graph
  Params as_leaves() const;  // detached, requires_grad
  Params zeros_like() const;
  Params to(torch::ScalarType dtype) const;
  Params expanded(int64_t tasks) const;  // [1, ...] seen as [T, ...], without copying
  Params sum_over_tasks() const;         // [T, ...] -> [1, ...]
  Params slice(int64_t task) const;      // [T, ...] -> [1, ...], a view

 private:
  std::vector<Entry> entries_;
};

// Entry by entry; both sides hold the same names in the same order.
Params zip(const Params& a, const Params& b,
           const std::function<torch::Tensor(const torch::Tensor&, const torch::Tensor&)>& f);
Params operator+(const Params& a, const Params& b);
Params operator-(const Params& a, const Params& b);
Params operator*(double scale, const Params& a);
bool same_names(const Params& a, const Params& b);  // in the same order
bool all_finite(const Params& params);
// Error saying `what` and the first entry whose name, shape or dtype differs.
void check_fits(const Params& found, const Params& expected, const char* what);
bool identical(const Params& a, const Params& b);  // same names, shapes, dtypes and bits

// Meta-parameters [1, ...] as one vector [P] in the order of the entries, and back.
torch::Tensor flatten(const Params& params);
Params unflatten(const torch::Tensor& vector, const Params& like);

}  // namespace innerloop
