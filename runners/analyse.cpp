// `innerloop analyse`: what adaptation changes in a network that was trained on a data set, and what it
// depends on.
#include <algorithm>
#include <iostream>
#include <utility>

#include "base/error.h"
#include "base/memory.h"
#include "base/named_description.h"
#include "meta/algorithms/registry.h"
#include "meta/executor.h"
#include "runners/command_line.h"
#include "runners/commands.h"
#include "runners/experiment/analysis.h"
#include "runners/experiment/run_directory.h"
#include "runners/experiment/shell.h"

namespace innerloop {
namespace {

constexpr int64_t kUsualTasks = 100, kUsualSteps = 20, kUsualSplits = 5;
constexpr int64_t kMostOrders = 100'000, kMostPairs = 100'000'000;
constexpr size_t kMostSizes = 6;  // that a picture tells apart
constexpr keys::Interval kPenalty{0, 1e6, true, false, "a number above 0 and at most 1000000"};

bool given(const CommandLine& line, const std::string& key) {
  return std::any_of(line.settings.begin(), line.settings.end(),
                     [&](const Setting& setting) { return setting.key == key; });
}

AnalysisSettings read_settings_of_study(const CommandLine& line) {
  AnalysisSettings out;
  out.study = find_named("study", kStudies, line.value("study", kStudies.front().name)).value;
  const auto belongs = [&](const char* option, Study study) {
    require_usage(!line.has(option) || out.study == study, "analyse: --", option,
                  " does nothing in the study ", line.value("study", kStudies.front().name),
                  "; it belongs to --study ", kStudies[static_cast<size_t>(study)].name);
    return line.has(option);
  };
  if (belongs("permutations", Study::kPermutations))
    out.permutations = parse_integer("permutations", line.value("permutations"), 1, kMostOrders);
  if (belongs("pairs", Study::kVerification))
    out.pairs = parse_integer("pairs", line.value("pairs"), 1, kMostPairs);
  if (belongs("step-sizes", Study::kSteps)) {
    const std::string text = line.value("step-sizes");
    const bool read = keys::read_numbers(text, /*positive=*/true, out.multiples);
    require_usage(read && !out.multiples.empty() && out.multiples.size() <= kMostSizes, "--step-sizes is '",
                  shortened(text), "', expected 1 to ", kMostSizes,
                  " positive numbers separated by commas: multiples of the trained step size");
  }
  if (belongs("l2", Study::kLinearProbe)) {
    const bool read = keys::read_number(line.value("l2"), kPenalty, out.l2);
    require_usage(read, "--l2 is '", shortened(line.value("l2")), "', expected ", kPenalty.text);
  }
  if (out.study == Study::kLinearProbe) {
    for (const auto& [option, key] : {std::pair{"ways", "evaluation.ways"},
                                      {"steps", "evaluation.steps"},
                                      {"evaluation.replacement", "evaluation.replacement"}}) {
      require_usage(!given(line, key), "analyse: --", option,
                    " does nothing in the study linear_probe, which is of all test classes and takes no "
                    "gradient steps");
    }
  }
  return out;
}

// What a study is asked for where nothing is said: its tasks are adapted to many times over.
void set_usual(SupervisedEvaluationConfig& evaluation, const CommandLine& line, Study study) {
  evaluation.ensemble = 1;  // one network is looked into
  const bool probes = study == Study::kLinearProbe;
  if (!given(line, "evaluation.tasks"))
    evaluation.tasks = probes ? kUsualSplits : std::min(evaluation.tasks, kUsualTasks);
  if (probes) evaluation.steps = 0, evaluation.replacement = true;
  if (probes && !given(line, "evaluation.shots")) evaluation.shots = 0;
  if (probes && !given(line, "evaluation.queries")) evaluation.queries = 0;
  if (study == Study::kSteps && !given(line, "evaluation.steps"))
    evaluation.steps = std::max(evaluation.steps, kUsualSteps);
}

void require_data_set(const TrainedRun& run) {
  const std::string path = shell_word(run.directory.root().string());
  require_usage(run.config.side == Side::kSupervised, "analyse: '", run.directory.root().string(),
                "' is a run of ", side_name(run.config.side), " in ", run.config.tasks(),
                "; the studies are of networks trained on a data set. innerloop adapt --run ", path,
                " measures a policy's return after each step, innerloop record --run ", path, " films it");
}

}  // namespace

CommandDescription analyse_description() {
  return {
      .name = "analyse",
      .summary =
          "Studies how what was trained on a data set adapts: which layers, label orders and steps matter.",
      .details =
          "Reads DIR/config.ini and DIR/checkpoints/last.safetensors (best.safetensors if it validated) and\n"
          "measures on test tasks, those of `adapt` with the same seed. Studies:\n"
          "\n"
          "  representation  Raghu et al. 2020: accuracy (or error) when layers 1, 1-2, ... stay at the\n"
          "                  initialisation while the rest adapts; how alike each layer's representation of "
          "the\n"
          "                  query samples is before and after adaptation (linear CKA, mean CCA after SVD)\n"
          "  permutations    Ye and Chao 2022: every task with its classes labelled in all orders (up to 5 "
          "ways,\n"
          "                  else 120 orders): best, mean and worst. The best is chosen by test labels: an "
          "oracle\n"
          "  steps           accuracy (or error) by number and size of inner steps, beyond those of "
          "training;\n"
          "                  measured on test tasks, so its best cell is not a result of selection\n"
          "  verification    of every test class one image is the gallery, another the probe: rank-1\n"
          "                  identification, true accepts at given rates of false accepts, ROC; within each\n"
          "                  domain where the data set has domains. Nothing adapts\n"
          "  linear_probe    a linear classifier of all test classes on the held features before a task is "
          "seen,\n"
          "                  trained on half of their images and tested on the other, in several splits; for "
          "any\n"
          "                  algorithm of a data set with classes\n"
          "\n"
          "Prints tables with 95 % confidence intervals over tasks (verification: over classes). Writes\n"
          "DIR/analysis.json and DIR/analysis.png (DIR/verification.json, .png and .svg); every study is "
          "also\n"
          "kept under DIR/evaluations, named by what determines it:\n"
          "  analysis_representation_tasks=100_steps=10_seed=1_after=60000.json\n"
          "A data set that was moved since is named by --dataset.path. Algorithms without gradient steps\n"
          "(prototypical) know the studies permutations, verification and linear_probe alone.\n"
          "examples:\n"
          "  innerloop analyse --run runs/omniglot_5way_1shot-seed1\n"
          "  innerloop analyse --run runs/omniglot_5way_1shot-seed1 --study permutations --tasks 50\n"
          "  innerloop analyse --run runs/sine_5shot-seed1 --study steps --steps 40 --step-sizes 0.5,1,2,4\n"
          "  innerloop analyse --run runs/styled_strokes_mfr-seed1 --study verification",
      .options =
          {{"run", "DIR",
            "the run directory that `innerloop train` or `bench` made, or @NAME: `innerloop list runs`"},
           {"out", "DIR", "where results go: the run directory, or runs/@NAME, if not given"},
           {"study",
            "NAME",
            "representation, permutations, steps, verification or linear_probe  [representation]",
            {},
            names_of(kStudies)},
           {"tasks", "N",
            "test tasks  [100, or evaluation.tasks of the run if it is less]; splits of linear_probe  [5]",
            "evaluation.tasks"},
           {"steps", "K",
            "gradient steps on each  [evaluation.steps of the run; in the study of steps at least 20]",
            "evaluation.steps"},
           {"permutations", "N",
            "orders of a task's classes, the one drawn and others at random  [see above]"},
           {"step-sizes", "LIST", "study of steps: multiples of the trained step size  [0.5,1,2]"},
           {"pairs", "N",
            "study of verification: pairs of different classes, the most of a domain  [1000000]"},
           {"l2", "X", "linear_probe: weight of the penalty on squared weights  [0.001]"},
           {"ways", "N", "classes of a task", "evaluation.ways"},
           {"shots", "N", "support samples per class; images of linear_probe to train on  [half]",
            "evaluation.shots"},
           {"queries", "N", "query samples per class; images of linear_probe to test on  [half]",
            "evaluation.queries"},
           {"dataset.ways", "N", "the same as --ways", "evaluation.ways"},
           {"dataset.shots", "N", "the same as --shots", "evaluation.shots"},
           {"dataset.queries", "N", "the same as --queries", "evaluation.queries"},
           {"dataset.path", "PATH", "where the data set lies now", "dataset.path"},
           {"seed", "N", "of the test tasks", "evaluation.seed"},
           {"threads", "N", "worker threads, 0 = one per core", "threads"},
           {"memory", "GIB", "that may be used, 0 = what the machine has", "memory"}},
      .sections = {"evaluation", "inner"},
      .side = Side::kSupervised,
      .word = "run"};
}

int analyse(const std::vector<std::string>& arguments) {
  const CommandLine line = parse_command_line(analyse_description(), arguments);
  if (line.help) {
    print_help(std::cout, analyse_description(), line);
    return 0;
  }
  require_usage(line.has("run"),
                "analyse: --run is missing, expected the directory that `innerloop train` made");
  const AnalysisSettings settings = read_settings_of_study(line);
  TrainedRun run = open_run(line.value("run"), line.settings);
  run.directory = find_run(line.value("run"), line.value("out"));
  require_data_set(run);
  set_usual(run.config.supervised_evaluation, line, settings.study);
  limit_memory(run.config.meta().memory);
  ThreadPool pool(thread_count(run.config), &Executor::prepare_thread);
  SupervisedMetaLearner learner(run.config.supervised, find_algorithm(run.config.algorithm()), pool);
  require_same_data(concat("analyse: '", run.directory.root().string(), "'"),
                    {run.checkpoint.data, run.data_path},
                    {learner.dataset().digest(), data_path(run.config)});
  report_analysis(learner, run.config, run.directory, settings);
  return 0;
}

}  // namespace innerloop
