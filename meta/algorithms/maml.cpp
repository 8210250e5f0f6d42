#include "meta/algorithms/maml.h"

#include "base/error.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

Parts maml_parts(const NoSettings&, const MethodContext& context) {
  require_usage(context.inner.steps >= 1,
                "inner.steps: 0 found, expected 1 or more: training without inner steps is algorithm joint");
  return {};
}

}  // namespace

Algorithm maml() {
  return gradient_algorithm({.name = "maml",
                             .paper = "Finn et al. 2017, Alg. 2 and 3",
                             .summary = "model-agnostic meta-learning, with second derivatives"},
                            kNoKeys, maml_parts);
}

Algorithm fomaml() {
  return gradient_algorithm({.name = "fomaml",
                             .paper = "Finn et al. 2017, section 5.2",
                             .summary = "first-order MAML: second derivatives dropped",
                             .prescribes = {{"inner.first_order", "true"}},
                             .exact = false},
                            kNoKeys, maml_parts);
}

}  // namespace innerloop
