// Regression tasks as slices of episodes, sample after sample.
#pragma once

#include "datasets/dataset.h"

namespace innerloop {

// Fills slice t, which require_slice has seen: shots, then queries, each sample by draw(x, y, query), which
// writes spec.input[0] and one number in the slice's type (float or double).
template <class Draw>
void fill_regression_slice(const DatasetSpec& spec, const EpisodeShape& shape, Episodes& episodes, int64_t t,
                           const Draw& draw) {
  const int64_t inputs = spec.input[0];
  const auto each = [&](auto* x, auto* y, int64_t samples, bool query) {
    x += t * samples * inputs;
    y += t * samples;
    for (int64_t i = 0; i < samples; ++i, x += inputs) draw(x, y + i, query);
  };
  const auto fill = [&](torch::Tensor& x, torch::Tensor& y, int64_t samples, bool query) {
    if (x.scalar_type() == torch::kFloat32) {
      each(x.data_ptr<float>(), y.data_ptr<float>(), samples, query);
    } else {
      each(x.data_ptr<double>(), y.data_ptr<double>(), samples, query);
    }
  };
  fill(episodes.support_x, episodes.support_y, shape.shots, false);
  fill(episodes.query_x, episodes.query_y, shape.queries, true);
}

}  // namespace innerloop
