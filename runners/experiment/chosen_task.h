// A task of an environment as a user names it: "goal_x=0.3,goal_y=-0.2", or "random".
#pragma once

#include <Eigen/Core>
#include <string>

#include "envs/environment.h"

namespace innerloop {

// The task. "random": the first one that `innerloop adapt` draws with this seed. UsageError for a name that
// the specification has not (with the nearest and all known), for one that is missing or given twice, for a
// value that is no number, and for a task that the environment refuses.
Eigen::VectorXd chosen_task(const EnvironmentConfig& config, const std::string& text, uint64_t seed);

// "goal_x=0.3,goal_y=-0.2", which reads back to the same bits.
std::string task_setting(const EnvironmentSpec& environment, const Eigen::VectorXd& task);

// What of the task lies outside of what tasks are drawn from, in words: "goal_x = 3 (tasks: -0.50 to 0.50)";
// "" if nothing does. Where tasks are finitely many, one that is none of them; else what no task of 1,000
// reaches.
std::string unusual_about(const EnvironmentConfig& config, const Eigen::VectorXd& task);

}  // namespace innerloop
