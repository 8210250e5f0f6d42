// How alike a trained method holds two samples to be, for verification: a method says it itself where it
// learns a similarity or an embedding of its own (PairSimilarity, as a second base); of any other it is the
// cosine of its network's features at the initialisation.
#pragma once

#include "meta/method.h"
#include "networks/network.h"

namespace innerloop {

class PairSimilarity {
 public:
  virtual ~PairSimilarity() = default;

  // What is compared, x [1, N, input...] -> [1, N, E]; `pass` has the statistics that normalise, if not the
  // batch's own. meta [1, ...].
  virtual torch::Tensor embedding(const Params& meta, const torch::Tensor& x, const Pass& pass) const = 0;

  // [1, N, E] and [1, M, E] -> [1, N, M], larger where two samples are more alike. By default their cosine.
  virtual torch::Tensor similarity(const Params& meta, const torch::Tensor& a, const torch::Tensor& b) const;
};

// x / |x| along the last dimension; a row of zeros stays one, with a finite derivative.
torch::Tensor unit_rows(const torch::Tensor& x);

// The method's own if it is a PairSimilarity, else as above. Outside any graph.
torch::Tensor embedding_of(const Method& method, const Params& meta, const torch::Tensor& x,
                           const Pass& pass);
torch::Tensor similarity_of(const Method& method, const Params& meta, const torch::Tensor& a,
                            const torch::Tensor& b);

}  // namespace innerloop
