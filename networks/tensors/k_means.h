// Clusters of points. Sums are taken in float64, whatever the points' type, some rows at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// Of every point [n, D], the nearest centre of [m, D], the first of several: n places.
std::vector<int64_t> nearest_centres(const torch::Tensor& points, const torch::Tensor& centres);

// m centres [m, D] of points [n, D]: seeds by k-means++ (Arthur and Vassilvitskii 2007), then Lloyd's
// algorithm; of several runs the one with the least sum of squared distances. A centre that loses all points
// stays where it was. Error if there are fewer points than centres.
torch::Tensor k_means(const torch::Tensor& points, int64_t centres, int64_t restarts, Stream& stream);

}  // namespace innerloop
