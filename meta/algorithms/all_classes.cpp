#include "meta/algorithms/all_classes.h"

#include "datasets/dataset.h"

namespace innerloop {
namespace {

// Training has no inner steps: what adapts is a choice of fine-tuning.
MethodContext of_all_classes(MethodContext context) {
  context.inner.adapt = "all";
  context.outputs = context.dataset->classes(Split::kTrain);
  return context;
}

}  // namespace

AllClasses::AllClasses(const MethodContext& context)
    : samples_(context.shape.ways * context.shape.queries), training_(Parts{}, of_all_classes(context)) {}

Episodes AllClasses::draw(const TaskSource& source, const Moment& now, int64_t) const {
  return source.labelled(now.iteration, now.first_task, samples_);
}

FineTuned::FineTuned(const MethodContext& context, Parts adapting, NewHead head)
    : AllClasses(context), adapting_(std::move(adapting), context), head_(std::move(head)) {}

Params FineTuned::initialisation(const Params& meta) const {
  const Network& network = held_out_network();
  Stream any(StreamKey{.purpose = Purpose::kInitialParameters});  // shapes alone matter
  const Params shapes = network.initial(any), head = head_(shapes.select(network.head_names()));
  std::vector<torch::Tensor> values;
  for (const auto& entry : shapes) {
    values.push_back(head.contains(entry.name) ? head.at(entry.name).to(meta.dtype()) : meta.at(entry.name));
  }
  return meta.with(std::move(values));
}

}  // namespace innerloop
