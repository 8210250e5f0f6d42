#include "meta/algorithms/boil.h"

#include "base/error.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

Parts boil_parts(const NoSettings&, const MethodContext& context) {
  require_usage(context.inner.steps >= 1,
                "inner.steps: 0 found, expected 1 or more: the body is adapted by inner steps");
  return {};
}

}  // namespace

Algorithm boil() {
  return gradient_algorithm({.name = "boil",
                             .paper = "Oh et al. 2021, section 3",
                             .summary = "all but the last layer adapts",
                             .prescribes = {{"inner.adapt", "body"}}},
                            kNoKeys, boil_parts);
}

}  // namespace innerloop
