#include "meta/algorithms/joint.h"

#include "datasets/dataset.h"
#include "meta/algorithms/all_classes.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

Parts joint_parts(const NoSettings&, const MethodContext&) { return {}; }

}  // namespace

Algorithm joint() {
  Algorithm row = gradient_algorithm(
      {.name = "joint",
       .paper = "Finn et al. 2017, sections 5.1 and 5.3",
       .summary =
           "no inner steps: one policy, or network, for the mixture of tasks, the papers' 'pretrained' "
           "baseline",
       .prescribes = {{"inner.steps", "0"}}},
      kNoKeys, joint_parts);
  row.method = [regression = row.method](const Texts& own,
                                         const MethodContext& context) -> std::unique_ptr<Method> {
    if (!context.dataset->spec().classification) return regression(own, context);
    return std::make_unique<FineTuned>(context, Parts{},
                                       [](const Params& shapes) { return shapes.zeros_like(); });
  };
  return row;
}

}  // namespace innerloop
