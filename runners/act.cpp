// `innerloop act`: a trained policy adapted to a task of the user's choosing, or one that was adapted before.
#include <cmath>
#include <iomanip>
#include <iostream>
#include <optional>

#include "base/error.h"
#include "base/memory.h"
#include "envs/registry.h"
#include "meta/algorithms/registry.h"
#include "meta/executor.h"
#include "runners/commands.h"
#include "runners/drawing/films.h"
#include "runners/experiment/adapted_file.h"
#include "runners/experiment/chosen_task.h"
#include "runners/experiment/run_directory.h"
#include "runners/experiment/statistics.h"

namespace innerloop {
namespace {

constexpr const char* kWithoutSteps = "joint";  // the algorithm whose policy acts as it is

// What acts: a run's learner, or an adapted policy that takes no further steps.
struct Actor {
  ExperimentConfig config;
  std::unique_ptr<PolicyLearner> learner;
  std::string description;
  int64_t iteration = 0;
  std::string task;  // that it was adapted to before
};

Actor actor_of_run(const TrainedRun& run, ThreadPool& pool) {
  return {run.config, restore_learner(run, pool),
          concat(run.config.learner.environment.name, ", ", run.config.algorithm(), " after ",
                 run.checkpoint.iteration, " meta-iterations"),
          run.checkpoint.iteration, ""};
}

Actor actor_of_file(const AdaptedFile& adapted, const ExperimentConfig& trained,
                    const std::filesystem::path& file, ThreadPool& pool) {
  require(adapted.kind == "policy", "'", file.string(),
          "' holds no policy but what was adapted to pictures or ",
          "points; innerloop predict --adapted takes it");
  Actor out{trained, nullptr,
            concat(trained.learner.environment.name, ", ", trained.algorithm(), " after ", adapted.iteration,
                   " meta-iterations, adapted by ", adapted.steps, " gradient steps to ", adapted.task),
            adapted.iteration, adapted.task};
  out.config.evaluation.steps = 0;
  auto config = trained.learner;
  config.algorithm = {};
  apply_algorithm(kWithoutSteps, config);
  config.inner.adapt = "all";
  out.learner = make_policy_learner(config, find_algorithm(kWithoutSteps), pool);
  try {
    out.learner->use(adapted.adapted, {});
  } catch (const Error& error) {
    throw Error(concat("'", file.string(), "' is damaged: ", error.what()));
  }
  return out;
}

// Over the trajectories of the one task.
void print_returns(std::ostream& out, const EnvironmentSpec& environment,
                   const PolicyEvaluation& evaluation) {
  const std::string steps = evaluation.of_trials ? "episodes" : "gradient steps";
  out << std::setw(14) << std::left << steps << std::right << "       return     95 % CI        std"
      << (environment.defines_success ? "   success" : "") << '\n';
  for (size_t k = 0; k < evaluation.trajectories.size(); ++k) {
    const auto& trajectories = evaluation.trajectories[k];
    std::vector<double> returns;
    for (int64_t n = 0; n < trajectories.per_task(); ++n)
      returns.push_back(trajectories.undiscounted_return(0, n));
    const auto found = mean_statistics(returns);
    require(std::isfinite(found.mean), "the return after ", k, " ", steps, " is ", found.mean);
    const auto number = [](const std::optional<double>& value, const char* prefix) {
      return value ? prefix + two_digits(*value) : std::string("-");
    };
    out << std::setw(14) << k << std::setw(13) << std::fixed << std::setprecision(2) << found.mean
        << std::setw(12) << number(found.ci95, "+-") << std::setw(11) << number(found.std, "");
    if (environment.defines_success)
      out << std::setw(8) << std::setprecision(1) << 100 * evaluation.tasks[0].successes[k] << " %";
    out << '\n';
  }
}

// Before, after the first step and after the last.
std::vector<int64_t> filmed_steps(int64_t steps) {
  std::vector<int64_t> out{0};
  if (steps > 0) out.push_back(1);
  if (steps > 1) out.push_back(steps);
  return out;
}

int act_with(Actor actor, const CommandLine& line) {
  const auto& environment_config = actor.config.learner.environment;
  auto evaluation = actor.config.evaluation;
  const std::string text = line.value("task", actor.task);
  const auto task = chosen_task(environment_config, text, evaluation.seed);
  evaluation.given = {task};
  const auto environment = make_environment(environment_config);
  std::optional<Films> films;  // refuses before the work
  if (line.has("film")) {
    films.emplace(FilmConfig{
        .environment = environment_config, .steps = filmed_steps(evaluation.steps), .seed = evaluation.seed});
  }
  std::cout << actor.description << "\ntask " << task_setting(environment->spec(), task) << " ("
            << environment->task_text(task) << "), " << evaluation.trajectories << " trajectories"
            << (evaluation.steps > 0 ? " per step" : "") << ", seed " << evaluation.seed << '\n';
  const std::string unusual = unusual_about(environment_config, task);
  if (!unusual.empty()) std::cout << "note: outside of the tasks that it was trained on: " << unusual << '\n';
  std::cout << std::flush;

  std::vector<Params> adapted;
  const auto result = actor.learner->evaluate(evaluation, /*keep_trajectories=*/true, {}, &adapted);
  print_returns(std::cout, environment->spec(), result);
  for (const auto& trajectories : result.trajectories) {
    for (const auto& failure : trajectories.failures()) std::cout << "note: " << failure.text() << '\n';
  }
  if (line.has("save")) {
    require(!adapted.empty(), "act: algorithm ", actor.config.algorithm(),
            " adapts by what it remembers, not by parameters: there is nothing to save");
    save_adapted(line.value("save"), {.kind = "policy",
                                      .config = training_text(actor.config),
                                      .iteration = actor.iteration,
                                      .steps = evaluation.steps,
                                      .seed = evaluation.seed,
                                      .task = task_setting(environment->spec(), task),
                                      .adapted = adapted.front()});
    std::cout << "wrote " << line.value("save") << std::endl;
  }
  if (films) {
    films->write_adaptation(result, 0, line.value("film"));
    std::cout << "wrote " << line.value("film") << std::endl;
  }
  return 0;
}

void check_act_options(const CommandLine& line) {
  require_usage(line.has("run") != line.has("adapted"), "act: ",
                line.has("run")
                    ? "--run and --adapted are both given; an adapted policy takes no further steps"
                    : "--run is missing, expected the directory that `innerloop train` made; or "
                      "--adapted, a file that --save of this command made");
  if (line.has("film")) {
    require_usage(std::filesystem::path(line.value("film")).extension() == ".mp4", "act: --film ",
                  line.value("film"), ": expected a name that ends in .mp4");
  }
  if (line.has("run")) return;
  require_usage(!line.has("save"), "act: --save copies what --adapted holds; copy that file");
  for (const auto& setting : line.settings) {
    const bool free = setting.key == "threads" || setting.key == "memory" ||
                      setting.key == "evaluation.seed" || setting.key == "evaluation.trajectories";
    require_usage(free, "act: ", setting.where,
                  " changes the adaptation, and --adapted is one that was made");
  }
}

}  // namespace

CommandDescription act_description() {
  return {
      .name = "act",
      .summary = "Adapts a trained policy to a task of your choosing, and films it.",
      .details =
          "Samples trajectories on the task, takes a gradient step, and so on, as `innerloop adapt` does on "
          "drawn\n"
          "tasks; prints the mean return before and after each step. A task is named by the parameters of "
          "the\n"
          "environment's specification, which the command names if none is given; one beyond those of the "
          "training is "
          "told.\n"
          "  innerloop act --run runs/navigation_2d-seed1 --task goal_x=0.3,goal_y=-0.2 --film goal.mp4\n"
          "  innerloop act --run runs/navigation_2d-seed1 --task random --seed 3 --save adapted.safetensors\n"
          "  innerloop act --adapted adapted.safetensors\n"
          "The film shows the first trajectory before the first step, after it and after the last; it needs "
          "what\n"
          "innerloop record needs.",
      .options = {{"run", "DIR", "the run directory that `innerloop train` made"},
                  {"task", "NAME=X,...", "the task, all its parameters; or random"},
                  {"steps", "K", "gradient steps on it", "evaluation.steps"},
                  {"adapted", "FILE",
                   "a policy that was adapted before, instead of --run; its task if none is given"},
                  {"save", "FILE.safetensors", "writes the adapted policy, to be used by --adapted"},
                  {"film", "FILE.mp4", "films it"},
                  {"trajectories", "N", "trajectories sampled per step", "evaluation.trajectories"},
                  {"seed", "N", "of the trajectories, and of a random task", "evaluation.seed"},
                  {"threads", "N", "worker threads, 0 = one per core", "threads"},
                  {"memory", "GIB", "that may be used, 0 = what the machine has", "memory"}},
      .sections = {"evaluation", "inner"},
      .without = {"evaluation.tasks"},
      .side = Side::kPolicy,
      .word = "run"};
}

int act(const std::vector<std::string>& arguments) {
  const CommandLine line = parse_command_line(act_description(), arguments);
  if (line.help) {
    print_help(std::cout, act_description(), line);
    return 0;
  }
  check_act_options(line);
  const auto with = [&](const ExperimentConfig& config, const auto& make) {
    limit_memory(config.meta().memory);
    ThreadPool pool(thread_count(config), &Executor::prepare_thread);
    return act_with(make(pool), line);
  };
  if (line.has("adapted")) {
    const std::filesystem::path file = line.value("adapted");
    const AdaptedFile adapted = load_adapted(file);
    const ExperimentConfig config = config_of(adapted, file, line.settings);
    return with(config, [&](ThreadPool& pool) { return actor_of_file(adapted, config, file, pool); });
  }
  const TrainedRun run = open_run(line.value("run"), line.settings);
  if (run.config.side != Side::kPolicy) {
    throw UsageError(concat("act: '", run.directory.root().string(), "' is a run of ",
                            side_name(run.config.side), " on ", run.config.tasks(),
                            ", which has no policy; innerloop predict --run ", line.value("run"),
                            " uses it"));
  }
  const auto environment = make_environment(run.config.learner.environment);
  require_usage(line.has("task"), "act: --task is missing, expected ",
                join(environment->spec().task_parameters, "=X,"), "=X, or random");
  return with(run.config, [&](ThreadPool& pool) { return actor_of_run(run, pool); });
}

}  // namespace innerloop
