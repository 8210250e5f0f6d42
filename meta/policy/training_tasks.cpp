#include "meta/policy/training_tasks.h"

#include "base/error.h"
#include "base/random.h"

namespace innerloop {

std::vector<Eigen::VectorXd> training_tasks(const PolicyMetaConfig& config, const Environment& environment,
                                            int64_t iteration) {
  const int64_t count = config.meta_batch_size;
  std::vector<Eigen::VectorXd> tasks;
  if (config.sampler.balanced_tasks) {
    const auto each = environment.finite_tasks();
    const auto kinds = static_cast<int64_t>(each.size());
    require_usage(kinds > 0, "sampler.balanced_tasks: true found, but the tasks of environment ",
                  config.environment.name, " are not finitely many");
    require_usage(kinds <= count, "meta.batch_size: ", count, " found, expected ", kinds,
                  " or more, one for each task (sampler.balanced_tasks)");
    for (int64_t t = 0; t < count / kinds * kinds; ++t) tasks.push_back(each[static_cast<size_t>(t % kinds)]);
  }
  for (auto t = static_cast<int64_t>(tasks.size()); t < count; ++t) {
    Stream stream(
        StreamKey{config.seed, Purpose::kTask, static_cast<uint64_t>(iteration), static_cast<uint64_t>(t)});
    tasks.push_back(environment.sample_task(stream));
  }
  return tasks;
}

}  // namespace innerloop
