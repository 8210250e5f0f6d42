// Tasks each inner step of which sees a part of the support set; the query set is whole.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "meta/episode_task.h"

namespace innerloop {

// The samples (places in the support set) that step `step` of task `task` of the chunk sees: as many for
// every task. Empty: all of it.
using SupportChoice = std::function<std::vector<int64_t>(int64_t task, int64_t step)>;

// `tasks` must outlive the result.
std::unique_ptr<Task> support_batches(const EpisodeTask& tasks, SupportChoice choice);

}  // namespace innerloop
