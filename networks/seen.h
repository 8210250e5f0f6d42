// Tensors seen before, recognised as the same objects that nobody has written to since.
#pragma once

#include <vector>

#include "networks/tensors/tensor.h"

namespace innerloop {

class Seen {
 public:
  bool matches(at::TensorList tensors) const {
    if (tensors.size() != tensors_.size()) return false;
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (tensors[i].is_inference() || !tensors[i].is_same(tensors_[i])) return false;
      if (version(tensors[i]) != versions_[i]) return false;
    }
    return true;
  }
  void remember(at::TensorList tensors) {
    tensors_.assign(tensors.begin(), tensors.end());
    versions_.clear();
    for (const auto& t : tensors) versions_.push_back(t.is_inference() ? -1 : version(t));
  }

 private:
  static int64_t version(const torch::Tensor& t) { return static_cast<int64_t>(t._version()); }

  std::vector<torch::Tensor> tensors_;
  std::vector<int64_t> versions_;
};

}  // namespace innerloop
