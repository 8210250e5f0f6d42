#include "sampling/sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "envs/training_reward.h"

namespace innerloop {

// What one thread keeps: environments, made as blocks need them, and room for one block.
struct Sampler::Worker {
  struct Streams {
    Stream environment, action;
  };

  std::vector<std::unique_ptr<Environment>> environments;
  std::vector<Streams> streams;
  Eigen::MatrixXf observations, actions;        // [entries, kBlock], column a: the a-th that still runs
  const ActionSampler* workspace_of = nullptr;  // whose workspace it is
  std::unique_ptr<ActionSampler::Workspace> workspace;
  std::vector<EpisodeFailure> failures;  // of this call
};

Sampler::Sampler(std::function<std::unique_ptr<Environment>()> factory, ThreadPool& pool)
    : factory_(std::move(factory)), pool_(pool) {
  for (int i = 0; i < pool.size(); ++i) workers_.push_back(std::make_unique<Worker>());
  workers_.front()->environments.push_back(factory_());  // its specification is everyone's
  const auto& s = spec();
  require(s.observation_size >= 1 && s.action_entries() >= 1 && s.horizon >= 1, "sampler: environment ",
          s.name, " has observations of ", s.observation_size, ", actions of ", s.action_entries(),
          " numbers and horizon ", s.horizon, ", expected at least 1 of each");
  for (auto& worker : workers_) {
    worker->streams.reserve(kBlock);
    worker->observations.resize(s.observation_size, kBlock);
    worker->actions.resize(s.action_entries(), kBlock);
  }
}

Sampler::~Sampler() = default;

const EnvironmentSpec& Sampler::spec() const { return workers_.front()->environments.front()->spec(); }

Trajectories Sampler::sample(const std::vector<Eigen::VectorXd>& tasks,
                             const std::vector<const ActionSampler*>& policies, int64_t per_task,
                             const SampleKey& key) {
  const auto& s = spec();
  require(!tasks.empty() && per_task >= 1, "sampler: ", tasks.size(), " tasks and ", per_task,
          " trajectories per task asked, expected at least 1 of each");
  require(policies.size() == 1 || policies.size() == tasks.size(), "sampler: ", policies.size(),
          " policies for ", tasks.size(), " tasks, expected one for all or one each");
  for (size_t t = 0; t < tasks.size(); ++t) {
    require(tasks[t].size() == s.task_size(), "sampler: task ", key.first_task + t, " has ", tasks[t].size(),
            " numbers, expected ", s.task_size(), " (", join(s.task_parameters), ")");
  }
  for (const auto* policy : policies) {
    require(
        policy->observation_size() == s.observation_size && policy->action_entries() == s.action_entries(),
        "sampler: the policy takes observations of ", policy->observation_size(), " and gives actions of ",
        policy->action_entries(), " numbers, but environment ", s.name, " has ", s.observation_size, " and ",
        s.action_entries());
  }
  for (auto& worker : workers_) {
    worker->workspace_of = nullptr;  // an address may serve another policy by now
    worker->failures.clear();
  }

  Trajectories out(static_cast<int64_t>(tasks.size()), per_task, s.horizon, s.observation_size,
                   s.action_entries(), training_reward(*workers_.front()->environments.front()) != nullptr);
  const auto acting = static_cast<int64_t>(policies.size());
  const int64_t each = out.tasks() * per_task / acting;  // trajectories of a policy
  const int64_t blocks = (each + kBlock - 1) / kBlock;
  pool_.run(acting * blocks, [&](int64_t job, int worker) {
    const int64_t policy = job / blocks, first = job % blocks * kBlock;
    run_block(*workers_[static_cast<size_t>(worker)], tasks, *policies[static_cast<size_t>(policy)],
              policy * each + first, std::min(kBlock, each - first), key, out);
  });
  std::vector<EpisodeFailure> failures;
  for (const auto& worker : workers_) {
    failures.insert(failures.end(), worker->failures.begin(), worker->failures.end());
  }
  out.set_failures(std::move(failures));
  return out;
}

void Sampler::run_block(Worker& worker, const std::vector<Eigen::VectorXd>& tasks,
                        const ActionSampler& policy, int64_t first, int64_t count, const SampleKey& key,
                        Trajectories& out) {
  // Of the trajectory in hand: its task, its number there and the step, for the message of whatever fails;
  // step -1 is the reset.
  int64_t t = 0, failing = 0, step = -1;
  const auto task_index = [&] { return key.first_task + static_cast<uint64_t>(t); };
  const auto context = [&] {
    const std::string moment = step < 0 ? "at reset" : concat("step ", step);
    return concat("environment ", spec().name, ", task ", task_index(), ", trajectory ", failing, ", ",
                  moment, ": ");
  };
  const auto require_finite = [&](bool finite, const char* what, const auto& found) {
    if (!finite) throw Error(concat(what, " is not finite (", found, ")"));
  };
  try {
    if (worker.workspace_of != &policy) {
      worker.workspace = policy.workspace(kBlock);
      worker.workspace_of = &policy;
    }
    policy.begin(*worker.workspace);
    auto& memory = worker.workspace->memory;
    struct Running {
      int64_t slot;  // of environment and streams
      int64_t task, trajectory;
      Environment* environment;
      float *observations, *actions, *rewards;  // this trajectory's storage in `out`
      const TrainingReward* training;           // null: `rewards` serve both
      float* training_rewards;
      uint8_t* successes;
      bool success;
    };
    std::array<Running, kBlock> running;
    std::array<Stream*, kBlock> action_streams{};
    const int64_t observation_size = out.observation_size(), action_entries = out.action_entries();

    worker.streams.clear();
    for (int64_t i = 0; i < count; ++i) {
      t = (first + i) / out.per_task();
      failing = (first + i) % out.per_task();
      const auto slot = static_cast<size_t>(i);
      if (slot == worker.environments.size()) {
        auto companion = slot == 0 ? nullptr : worker.environments.front()->companion();
        worker.environments.push_back(companion != nullptr ? std::move(companion) : factory_());
      }
      const StreamKey base{
          .seed = key.seed,
          .purpose = key.evaluation ? Purpose::kEvaluationEnvironment : Purpose::kEnvironment,
          .iteration = key.iteration,
          .task = task_index(),
          .trajectory = static_cast<uint64_t>(failing),
          .step = key.step};
      StreamKey acting = base;
      acting.purpose = key.evaluation ? Purpose::kEvaluationAction : Purpose::kAction;
      worker.streams.push_back({Stream(base), Stream(acting)});
      auto* environment = worker.environments[slot].get();
      environment->set_task(tasks[static_cast<size_t>(t)]);
      environment->reset(worker.streams[slot].environment, worker.observations.col(i));
      require_finite(worker.observations.col(i).allFinite(), "observation",
                     worker.observations.col(i).transpose());
      const auto* training = training_reward(*environment);
      running[slot] = {i,
                       t,
                       failing,
                       environment,
                       out.observation_buffer(t, failing).data(),
                       out.action_buffer(t, failing).data(),
                       out.reward_buffer(t, failing).data(),
                       training,
                       training == nullptr ? nullptr : out.training_reward_buffer(t, failing).data(),
                       out.success_buffer(t, failing).data(),
                       false};
    }

    int64_t active = count;
    for (step = 0; step < out.horizon() && active > 0; ++step) {
      t = running[0].task;
      failing = running[0].trajectory;
      for (int64_t a = 0; a < active; ++a) {
        action_streams[static_cast<size_t>(a)] =
            &worker.streams[static_cast<size_t>(running[static_cast<size_t>(a)].slot)].action;
      }
      policy.act(worker.observations.leftCols(active), action_streams.data(), *worker.workspace,
                 worker.actions.leftCols(active));
      int64_t kept = 0;  // columns of those that go on, in order
      for (int64_t a = 0; a < active; ++a) {
        Running& one = running[static_cast<size_t>(a)];
        t = one.task;
        failing = one.trajectory;
        const auto observation = worker.observations.col(a);
        const auto action = worker.actions.col(a);
        require_finite(action.allFinite(), "action", action.transpose());
        std::copy_n(observation.data(), observation_size, one.observations + step * observation_size);
        std::copy_n(action.data(), action_entries, one.actions + step * action_entries);
        // Writes column `kept` <= a, which is read already.
        const auto next = worker.observations.col(kept);
        const StepResult result =
            one.environment->step(action, worker.streams[static_cast<size_t>(one.slot)].environment, next);
        const auto reward = static_cast<float>(result.reward);
        require_finite(std::isfinite(reward), "reward", result.reward);
        require_finite(next.allFinite(), "observation", next.transpose());
        one.rewards[step] = reward;
        if (one.training != nullptr) {
          const double found = one.training->training_reward();
          require_finite(std::isfinite(static_cast<float>(found)), "training reward", found);
          one.training_rewards[step] = static_cast<float>(found);
        }
        one.successes[step] = result.success ? 1 : 0;
        one.success = one.success || result.success;
        if (result.failed) {
          worker.failures.push_back({task_index(), key.step, failing, step, one.environment->failure()});
        }
        if (result.terminated || step + 1 == out.horizon()) {
          out.finish(t, failing, step + 1, one.success);
        } else {
          if (memory.rows() > 0 && kept != a) memory.col(kept) = memory.col(a);
          running[static_cast<size_t>(kept++)] = one;
        }
      }
      active = kept;
    }
  } catch (const std::exception& error) {
    throw Error(context() + error.what());
  }
}

}  // namespace innerloop
