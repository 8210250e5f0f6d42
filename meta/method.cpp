#include "meta/method.h"

#include "base/error.h"

namespace innerloop {

Stream TaskSource::stream(int64_t iteration, int64_t task) const {
  return Stream(
      StreamKey{seed_, Purpose::kTask, static_cast<uint64_t>(iteration), static_cast<uint64_t>(task)});
}

Episodes TaskSource::tasks(int64_t iteration, int64_t first, int64_t count) const {
  Episodes episodes = make_episodes(dataset_.spec(), shape_, count);
  for (int64_t t = 0; t < count; ++t) {
    Stream draws = stream(iteration, first + t);
    dataset_.draw(Split::kTrain, shape_, draws, episodes, t);
  }
  return episodes;
}

Episodes TaskSource::labelled(int64_t iteration, int64_t task, int64_t samples) const {
  Stream draws = stream(iteration, task);
  const auto batch = dataset_.draw_labelled(Split::kTrain, samples, draws);
  return {.support_x = batch.x, .query_x = batch.x, .support_y = batch.y, .query_y = batch.y};
}

Episodes Method::draw(const TaskSource& source, const Moment& now, int64_t count) const {
  return source.tasks(now.iteration, now.first_task, count);
}

Trace Method::trace(const Params& meta, const EpisodeTask& tasks, const Course& course,
                    const Moment& now) const {
  Trace out{predict(meta, tasks, course.steps, now), {}, {}};
  require_usage(
      out.outputs.size() == 1,
      "this algorithm takes gradient steps of its own, which cannot be held or scaled or looked into");
  out.before = out.after = initialisation(meta).expanded(tasks.size());
  return out;
}

}  // namespace innerloop
