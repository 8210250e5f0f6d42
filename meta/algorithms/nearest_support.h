// Classification by the most similar support sample.
#pragma once

#include <limits>

#include "networks/tensors/tensor.h"

namespace innerloop {

// similarity [T, queries, supports], support_y [T, supports] -> the largest of each class, [T, queries,
// ways]; -infinity for a class without supports.
inline torch::Tensor best_of_class(const torch::Tensor& similarity, const torch::Tensor& support_y,
                                   int64_t ways) {
  const torch::Tensor other = torch::one_hot(support_y, ways).eq(0).unsqueeze(1);  // [T, 1, supports, ways]
  return similarity.unsqueeze(3).masked_fill(other, -std::numeric_limits<double>::infinity()).amax(2);
}

}  // namespace innerloop
