// `innerloop adapt`: how well what was trained adapts to held-out tasks (policies: the evaluation of
// maml_rl's test_maml_*.py: fresh trajectories at every step, plain gradient steps, later steps half as
// long).
#include <algorithm>
#include <iomanip>
#include <iostream>

#include "base/error.h"
#include "base/memory.h"
#include "envs/registry.h"
#include "meta/algorithms/registry.h"
#include "runners/commands.h"
#include "runners/drawing/panel.h"
#include "runners/drawing/plot.h"
#include "runners/experiment/evaluation_files.h"
#include "runners/experiment/evaluation_json.h"
#include "runners/experiment/launch.h"
#include "runners/experiment/progress_plot.h"
#include "runners/experiment/published.h"
#include "runners/experiment/random_policy.h"
#include "runners/experiment/run_directory.h"
#include "runners/experiment/supervised_evaluation.h"

namespace innerloop {
namespace {

std::string step_sizes_text(const PolicyEvaluationConfig& evaluation, double step_size,
                            const std::string& step) {
  if (step == "episode") return concat("trials of ", evaluation.steps + 1, " episodes");
  const auto sizes = evaluation_step_sizes(evaluation, step_size);
  if (!sizes) return "learned step sizes";
  if (sizes->empty()) return "no gradient steps";
  std::vector<std::string> words;
  for (const double size : *sizes) words.push_back(concat(size));
  return (words.size() == 1 ? "step size " : "step sizes ") + join(words, " ");
}

std::string protocol_text(const ExperimentConfig& config, double step_size) {
  const auto& evaluation = config.evaluation;
  return concat(evaluation.tasks, " held-out task", evaluation.tasks == 1 ? "" : "s", ", ",
                evaluation.trajectories, " trajectories per step, ",
                step_sizes_text(evaluation, step_size, find_algorithm(config.algorithm()).step), ", seed ",
                evaluation.seed);
}

// `step_is`: "gradient step" or "episode". `published`: by step, in a last column.
void print_table(std::ostream& out, const std::string& step_is, const std::vector<StepStatistics>& steps,
                 const std::vector<PublishedCell>& published = {}) {
  const auto number = [](const std::optional<double>& value, const char* prefix = "") {
    if (!value) return std::string("-");
    std::ostringstream text;
    text << prefix << std::fixed << std::setprecision(2) << *value;
    return text.str();
  };
  const bool success = steps.front().success_rate.has_value();
  out << std::setw(14) << std::left << step_is + "s" << std::right
      << "       return     95 % CI   std over tasks" << (success ? "   success" : "")
      << (published.empty() ? "" : "   published") << '\n';
  for (const auto& step : steps) {
    out << std::setw(14) << step.step << std::setw(13) << number(step.return_mean) << std::setw(12)
        << number(step.return_ci95, "+-") << std::setw(17) << number(step.return_std);
    if (success) {
      out << std::setw(8) << std::fixed << std::setprecision(1) << 100 * *step.success_rate << " %";
    }
    for (const auto& cell : published) {
      if (cell.step == step.step) out << std::setw(12) << number(cell.value);
    }
    out << '\n';
  }
}

void print_source(std::ostream& out, const ExperimentConfig& config, const PublishedCell& cell,
                  int64_t meta_iterations) {
  out << "published: " << cell.source << ", " << published_protocol(cell) << '\n';
  out << differences_text(protocol_differences(config, cell, meta_iterations));
}

// Where the tasks are finitely many, the mean over all of them may hide two modes.
void print_by_task(std::ostream& out, const std::string& step_is, const std::vector<TaskGroup>& groups) {
  for (const auto& group : groups) {
    out << group.name << ": " << group.tasks << (group.tasks == 1 ? " task" : " tasks") << '\n';
    print_table(out, step_is, group.steps);
  }
}

Curve returns_curve(const std::string& label, const std::vector<StepStatistics>& steps) {
  Curve curve{.label = label, .x = {}, .y = {}};
  for (const auto& step : steps) {
    curve.x.push_back(static_cast<double>(step.step));
    curve.y.push_back(step.return_mean);
    if (step.return_ci95) curve.band.push_back(*step.return_ci95);
  }
  return curve;
}

void plot_adaptation(const ExperimentConfig& config, const Environment& environment, double step_size,
                     const PolicyEvaluation& result, double random, const std::filesystem::path& png) {
  Plot plot{.title = concat("Adaptation to new tasks: ", environment.spec().name, ", ", config.algorithm()),
            .subtitle = protocol_text(config, step_size),
            .x_label = result.of_trials ? "episodes before" : "gradient steps",
            .y_label = "undiscounted return, mean over tasks",
            .whole_x = true,
            .curves = {}};
  const auto groups = by_task(result, environment);
  if (groups.size() > 1) {
    for (const auto& group : groups)
      plot.curves.push_back(
          returns_curve(true_minus(group.name) + concat(" (", group.tasks, ")"), group.steps));
  } else {
    plot.curves.push_back(returns_curve(config.algorithm(), statistics(result, environment.spec())));
  }
  if (!plot.curves.front().band.empty()) plot.subtitle += "; bars: 95 % CI";
  const double last = plot.curves.front().x.back();
  plot.curves.push_back({.label = "random actions",
                         .x = {0, std::max(last, 1.0)},
                         .y = {random, random},
                         .style = Curve::Style::kReference});
  write_plot(plot, png);
}

}  // namespace

CommandDescription adapt_description() {
  return {
      .name = "adapt",
      .summary =
          "Adapts what was trained to held-out tasks and measures return, accuracy or error after each step.",
      .details =
          "Reads DIR/config.ini and DIR/checkpoints/last.safetensors (best.safetensors if it validated).\n"
          "Prints mean, 95 % confidence interval and standard deviation over tasks (where tasks are\n"
          "finitely many, also of each apart), what random actions return and what was published; of "
          "classes, those of the "
          "lowest\n"
          "accuracy. Writes DIR/adapt.json, DIR/adapt.png and, from DIR/progress.csv, DIR/progress.png. "
          "Every\n"
          "evaluation is also kept under DIR/evaluations, named by what determines it:\n"
          "  adapt_tasks=40_steps=3_seed=1_after=500.json\n"
          "A data set that was moved since is named by --dataset.path; its content must be that of "
          "training.\n"
          "Other ways than in training are possible where no head is learned for each class (prototypical,\n"
          "unicorn_maml, joint).",
      .options = {{"run", "DIR",
                   "the run directory that `innerloop train` made, or @NAME: `innerloop list runs`"},
                  {"out", "DIR", "where results go: the run directory, or runs/@NAME, if not given"},
                  {"tasks", "N", "held-out tasks", "evaluation.tasks"},
                  {"steps", "K", "gradient steps on each", "evaluation.steps"},
                  {"trajectories", "N", "policies: sampled per task and step", "evaluation.trajectories"},
                  {"ways", "N", "data sets: classes of a task", "evaluation.ways"},
                  {"shots", "N", "data sets: support samples per class", "evaluation.shots"},
                  {"queries", "N", "data sets: query samples per class", "evaluation.queries"},
                  {"dataset.ways", "N", "the same as --ways", "evaluation.ways"},
                  {"dataset.shots", "N", "the same as --shots", "evaluation.shots"},
                  {"dataset.queries", "N", "the same as --queries", "evaluation.queries"},
                  {"ensemble", "N", "data sets: so many of the best predict together", "evaluation.ensemble"},
                  {"dataset.path", "PATH", "where the data set lies now", "dataset.path"},
                  {"seed", "N", "of the held-out tasks and their trajectories", "evaluation.seed"},
                  {"threads", "N", "worker threads, 0 = one per core", "threads"},
                  {"memory", "GIB", "that may be used, 0 = what the machine has", "memory"}},
      .sections = {"evaluation", "inner"},
      .word = "run"};
}

int adapt(const std::vector<std::string>& arguments) {
  const CommandLine line = parse_command_line(adapt_description(), arguments);
  if (line.help) {
    print_help(std::cout, adapt_description(), line);
    return 0;
  }
  require_usage(line.has("run"),
                "adapt: --run is missing, expected the directory that `innerloop train` made");
  TrainedRun run = open_run(line.value("run"), line.settings);
  run.directory = find_run(line.value("run"), line.value("out"));
  const auto& evaluation = run.config.evaluation;
  limit_memory(run.config.meta().memory);
  ThreadPool pool = make_pool(run.config);
  require_same_everywhere(pool.processes(), "the checkpoint of the run", format_checkpoint(run.checkpoint));
  if (run.config.side == Side::kSupervised) {
    SupervisedMetaLearner learner(run.config.supervised, find_algorithm(run.config.algorithm()), pool);
    require_same_data(concat("adapt: '", run.directory.root().string(), "'"),
                      {run.checkpoint.data, run.data_path},
                      {learner.dataset().digest(), data_path(run.config)});
    report_supervised(learner, run.config, run.directory, "adapt", pool.processes());
    return 0;
  }
  const auto learner = restore_learner(run, pool);
  const auto& environment = learner->environment();
  const auto& step_is = find_algorithm(run.config.algorithm()).step;

  std::cout << environment.name << ", " << run.config.algorithm() << " after " << run.checkpoint.iteration
            << " meta-iterations\n"
            << protocol_text(run.config, learner->step_size()) << '\n';
  const PolicyEvaluation result = learner->evaluate(evaluation, false, [&](int64_t step) {
    std::cerr << "  sampled after " << step << " of " << evaluation.steps << " " << step_is << "s\n";
  });
  if (!pool.processes().first()) return 0;
  const auto published = find_published_returns(run.config);
  print_table(std::cout, step_is, statistics(result, environment), published);
  const auto played = make_environment(run.config.learner.environment);
  print_by_task(std::cout, step_is, by_task(result, *played));
  const double random = random_return(run.config.learner.environment, result, evaluation.seed);
  std::cout << "random actions" << std::setw(13) << std::fixed << std::setprecision(2) << random << '\n';
  if (!published.empty()) print_source(std::cout, run.config, published.front(), run.checkpoint.iteration);

  const auto& root = run.directory.results();
  const Overrides overrides = find_overrides(run.config, run.checkpoint.config);
  keep_evaluation(run.directory, "adapt",
                  evaluation_name("adapt", run.config, overrides, run.checkpoint.iteration),
                  evaluation_json(run.config, *played, learner->step_size(), run.checkpoint.iteration, result,
                                  random, overrides));
  plot_adaptation(run.config, *played, learner->step_size(), result, random, root / "adapt.png");
  std::cout << "wrote " << (root / "adapt.png").string() << std::endl;
  if (draw_progress(run.config, run.directory))
    std::cout << "wrote " << (root / "progress.png").string() << std::endl;
  return 0;
}

}  // namespace innerloop
