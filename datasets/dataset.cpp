#include "datasets/dataset.h"

#include "base/error.h"
#include "datasets/checks.h"

namespace innerloop {
namespace {

int64_t input_numbers(const DatasetSpec& spec) {
  int64_t numbers = 1;
  for (const int64_t size : spec.input) numbers *= size;
  return numbers;
}

}  // namespace

std::string split_name(Split split) {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kValidation:
      return "validation";
    case Split::kTest:
      return "test";
  }
  throw Error(concat("no split has the number ", static_cast<int>(split)));
}

void require_shape(const DatasetSpec& spec, const EpisodeShape& shape) {
  require_usage(shape.shots >= 1, spec.name, ": shots is ", shape.shots, ", expected at least 1");
  require_usage(shape.queries >= 1, spec.name, ": queries is ", shape.queries, ", expected at least 1");
  if (spec.classification) {
    require_usage(shape.ways >= 2, spec.name, ": ways is ", shape.ways, ", expected at least 2 classes");
  } else {
    require_usage(shape.ways == 1, spec.name, ": ways is ", shape.ways, ", expected 1 (regression)");
  }
}

void require_slice(const DatasetSpec& spec, const EpisodeShape& shape, const Episodes& episodes, int64_t t) {
  const int64_t inputs = input_numbers(spec);
  const int64_t targets = spec.classification ? 1 : spec.outputs;
  const auto type = episodes.support_x.scalar_type();
  const auto target_type = spec.classification ? torch::kInt64 : type;
  require(type == torch::kFloat32 || type == torch::kFloat64, spec.name,
          ": inputs of an episode are float32 or float64");
  require(t >= 0 && t < episodes.support_x.size(0), spec.name, ": there is no task ", t,
          " in these episodes");
  const auto holds = [&](const torch::Tensor& tensor, torch::ScalarType expected, int64_t samples,
                         int64_t numbers) {
    return tensor.scalar_type() == expected && tensor.is_contiguous() &&
           tensor.numel() == episodes.support_x.size(0) * samples * numbers;
  };
  require(holds(episodes.support_x, type, shape.ways * shape.shots, inputs) &&
              holds(episodes.query_x, type, shape.ways * shape.queries, inputs) &&
              holds(episodes.support_y, target_type, shape.ways * shape.shots, targets) &&
              holds(episodes.query_y, target_type, shape.ways * shape.queries, targets),
          spec.name, ": these episodes were made for another shape than ", shape.ways, " ways, ", shape.shots,
          " shots, ", shape.queries, " queries");
}

Episodes make_episodes(const DatasetSpec& spec, const EpisodeShape& shape, int64_t tasks,
                       torch::ScalarType dtype) {
  require_shape(spec, shape);
  require(tasks >= 1, spec.name, ": ", tasks, " tasks asked for, expected at least 1");
  require(dtype == torch::kFloat32 || dtype == torch::kFloat64, spec.name,
          ": inputs of an episode are float32 or float64");
  const auto inputs = [&](int64_t samples) {
    std::vector<int64_t> sizes{tasks, samples};
    sizes.insert(sizes.end(), spec.input.begin(), spec.input.end());
    return torch::empty(sizes, dtype);
  };
  const auto targets = [&](int64_t samples) {
    return spec.classification ? torch::empty({tasks, samples}, torch::kInt64)
                               : torch::empty({tasks, samples, spec.outputs}, dtype);
  };
  const int64_t support = shape.ways * shape.shots, query = shape.ways * shape.queries;
  return {inputs(support), inputs(query), targets(support), targets(query)};
}

std::vector<std::string> Dataset::class_names(Split split) const {
  std::vector<std::string> names;
  for (int64_t i = 0; i < classes(split); ++i) names.push_back(concat("class ", i));
  return names;
}

std::vector<TaskSamples> Dataset::disjoint_tasks(Split, const EpisodeShape&, int64_t, Stream&) const {
  throw UsageError(concat("evaluation.replacement = false: the data set '", spec().name,
                          "' makes its samples as tasks ask for them; only one of stored images can give "
                          "tasks that share none"));
}

void Dataset::draw_samples(Split, const EpisodeShape&, const TaskSamples&, Episodes&, int64_t) const {
  throw Error(concat(spec().name, ": this data set does not store its samples"));
}

Labelled Dataset::draw_labelled(Split, int64_t, Stream&, torch::ScalarType) const {
  throw Error(concat(spec().name, ": this data set has no classes"));
}

}  // namespace innerloop
