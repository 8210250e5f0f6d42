// `innerloop adapt`: how well what was trained adapts to held-out tasks (policies: the evaluation of
// maml_rl's test_maml_*.py: fresh trajectories at every step, plain gradient steps, later steps half as
// long).
#include <iomanip>
#include <iostream>

#include "base/error.h"
#include "runners/commands.h"
#include "runners/evaluation_json.h"
#include "runners/plot.h"
#include "runners/plot_progress.h"
#include "runners/run_directory.h"
#include "runners/supervised_evaluation.h"

namespace innerloop {
namespace {

std::string step_sizes_text(const ExperimentConfig& config) {
  const auto sizes = evaluation_step_sizes(config);
  if (!sizes) return "learned step sizes";
  if (sizes->empty()) return "no gradient steps";
  std::vector<std::string> words;
  for (const double size : *sizes) words.push_back(concat(size));
  return (words.size() == 1 ? "step size " : "step sizes ") + join(words, " ");
}

std::string protocol_text(const ExperimentConfig& config) {
  const auto& evaluation = config.evaluation;
  return concat(evaluation.tasks, " held-out task", evaluation.tasks == 1 ? "" : "s", ", ",
                evaluation.trajectories, " trajectories per step, ", step_sizes_text(config), ", seed ",
                evaluation.seed);
}

void print_table(std::ostream& out, const std::vector<StepStatistics>& steps) {
  const auto number = [](const std::optional<double>& value, const char* prefix = "") {
    if (!value) return std::string("-");
    std::ostringstream text;
    text << prefix << std::fixed << std::setprecision(2) << *value;
    return text.str();
  };
  const bool success = steps.front().success_rate.has_value();
  out << "gradient steps       return     95 % CI   std over tasks" << (success ? "   success" : "") << '\n';
  for (const auto& step : steps) {
    out << std::setw(14) << step.step << std::setw(13) << number(step.return_mean) << std::setw(12)
        << number(step.return_ci95, "+-") << std::setw(17) << number(step.return_std);
    if (success) {
      out << std::setw(8) << std::fixed << std::setprecision(1) << 100 * *step.success_rate << " %";
    }
    out << '\n';
  }
}

void plot_adaptation(const ExperimentConfig& config, const EnvironmentSpec& environment,
                     const std::vector<StepStatistics>& steps, const std::filesystem::path& png) {
  Curve curve{.label = config.algorithm, .x = {}, .y = {}};
  for (const auto& step : steps) {
    curve.x.push_back(static_cast<double>(step.step));
    curve.y.push_back(step.return_mean);
    if (step.return_ci95) curve.band.push_back(*step.return_ci95);
  }
  const std::string band = curve.band.empty() ? "" : "; shaded: 95 % CI";
  write_plot({.title = concat("Adaptation to new tasks: ", environment.name, ", ", config.algorithm),
              .subtitle = protocol_text(config) + band,
              .x_label = "gradient steps",
              .y_label = "undiscounted return, mean over tasks",
              .whole_x = true,
              .curves = {curve}},
             png);
}

}  // namespace

CommandDescription adapt_description() {
  return {
      .name = "adapt",
      .summary =
          "Adapts what was trained to held-out tasks and measures return, accuracy or error after each step.",
      .details =
          "Reads DIR/config.ini and DIR/checkpoints/last.ckpt (best.ckpt if it validated). Prints mean, 95 % "
          "confidence interval and\n"
          "standard deviation over tasks, and writes DIR/adapt.json, DIR/adapt.png and, from\n"
          "DIR/progress.csv, DIR/progress.png.",
      .options = {{"run", "DIR", "the run directory that `innerloop train` made"},
                  {"tasks", "N", "held-out tasks", "evaluation.tasks"},
                  {"steps", "K", "gradient steps on each", "evaluation.steps"},
                  {"trajectories", "N", "policies: sampled per task and step", "evaluation.trajectories"},
                  {"shots", "N", "data sets: support samples per class", "evaluation.shots"},
                  {"queries", "N", "data sets: query samples per class", "evaluation.queries"},
                  {"seed", "N", "of the held-out tasks and their trajectories", "evaluation.seed"},
                  {"threads", "N", "worker threads, 0 = one per core", "threads"}},
      .sections = {"evaluation", "inner"}};
}

int adapt(const std::vector<std::string>& arguments) {
  const CommandLine line = parse_command_line(adapt_description(), arguments);
  if (line.help) {
    print_help(std::cout, adapt_description());
    return 0;
  }
  require_usage(line.has("run"),
                "adapt: --run is missing, expected the directory that `innerloop train` made");
  const TrainedRun run = open_run(line.value("run"), line.settings);
  const auto& evaluation = run.config.evaluation;
  ThreadPool pool(thread_count(run.config), &Executor::prepare_thread);
  if (run.config.side == Side::kSupervised) {
    SupervisedMetaLearner learner(run.config.supervised, pool);
    report_supervised(learner, run.config, run.directory, "adapt");
    return 0;
  }
  const auto learner = restore_learner(run, pool);
  const auto& environment = learner->environment();

  std::cout << environment.name << ", " << run.config.algorithm << " after " << run.checkpoint.iteration
            << " meta-iterations\n"
            << protocol_text(run.config) << '\n';
  const Evaluation result = learner->evaluate(evaluation, false, [&](int64_t step) {
    std::cerr << "  sampled after " << step << " of " << evaluation.steps << " gradient steps\n";
  });
  const auto steps = statistics(result, environment);
  print_table(std::cout, steps);

  const auto& root = run.directory.root();
  write_file_atomically(root / "adapt.json",
                        evaluation_json(run.config, environment, run.checkpoint.iteration, result));
  std::cout << "wrote " << (root / "adapt.json").string() << std::endl;
  plot_adaptation(run.config, environment, steps, root / "adapt.png");
  std::cout << "wrote " << (root / "adapt.png").string() << std::endl;
  if (plot_progress(run.directory.progress(), root / "progress.png")) {
    std::cout << "wrote " << (root / "progress.png").string() << std::endl;
  }
  return 0;
}

}  // namespace innerloop
