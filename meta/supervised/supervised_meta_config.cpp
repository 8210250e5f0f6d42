#include "meta/supervised/supervised_meta_config.h"

#include "meta/episode_settings.h"

namespace innerloop {
namespace {

constexpr int64_t kMostTasks = 1'000'000, kMostSteps = 10'000, kMostSamples = 10'000;

}  // namespace

std::vector<Key> supervised_meta_keys() {
  using C = SupervisedMetaConfig;
  std::vector<Key> all;
  const auto add = [&](std::vector<Key> keys) { all.insert(all.end(), keys.begin(), keys.end()); };
  add(keys::within("dataset.", &C::dataset, dataset_keys()));
  add(keys::within("dataset.", &C::shape, shape_keys()));
  add({keys::whole(
      "dataset.most_shots", &C::most_shots, 0, kMostSamples,
      "each meta-iteration draws its shots from dataset.shots to this, of as many samples; 0 = does not")});
  add(keys::within("network.", &C::network, network_keys()));
  add({keys::choice("inner.loss_reduction", &C::loss_reduction, names_of(kLossReductions),
                    "mean, or ways times that (the MAML code's scale)")});
  return all;
}

std::vector<Key> supervised_evaluation_keys() {
  using C = SupervisedEvaluationConfig;
  std::vector<Key> all{
      keys::whole("tasks", &C::tasks, 1, kMostTasks, "held-out tasks"),
      keys::whole("steps", &C::steps, 0, kMostSteps, "gradient steps on each"),
      keys::whole("ways", &C::ways, 0, kMostSamples,
                  "classes of a task, 0 = as in training; others where no head is learned for each class"),
      keys::whole("shots", &C::shots, 0, kMostSamples, "support samples per class, 0 = as in training"),
      keys::whole("queries", &C::queries, 0, kMostSamples, "query samples per class, 0 = as in training"),
      keys::whole("ensemble", &C::ensemble, 1, 100,
                  "how many of the best on validation tasks predict together (validation.keep)"),
      keys::truth("replacement", &C::replacement,
                  "tasks may share samples; false: as many as share none, at most evaluation.tasks"),
      keys::seed("seed", &C::seed, "of the held-out tasks")};
  for (auto& key : all) key = keys::free(std::move(key));
  return all;
}

}  // namespace innerloop
