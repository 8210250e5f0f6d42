// One classifier of all training classes by cosines (Wang, Wang, Zhou, Ji, Gong, Zhou, Li and Liu, "CosFace",
// CVPR 2018, eq. 4): with unit-norm embeddings f and templates W_j, cos_j = f . W_j,
//
//   L = mean of -log [ e^{s (cos_y - m)} / (e^{s (cos_y - m)} + sum_{j != y} e^{s cos_j}) ]
//
// margin m = 0 is the plain classifier (NormFace). Templates are learned and left behind after training.
// Without domains a training task is images of any training class, as many as dataset.ways x (shots +
// queries).
#pragma once

#include "meta/algorithm.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

Algorithm cosface();

// y [T, N, E] and templates [T, classes, E] of any length, labels [T, N] -> [T].
torch::Tensor cosface_loss(const torch::Tensor& y, const torch::Tensor& labels,
                           const torch::Tensor& templates, double scale, double margin);

}  // namespace innerloop
