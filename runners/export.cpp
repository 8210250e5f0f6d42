// `innerloop export`: what was learned, in files that other programs read.
#include <algorithm>
#include <iostream>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/memory.h"
#include "meta/algorithms/registry.h"
#include "meta/executor.h"
#include "runners/commands.h"
#include "runners/experiment/adapted_entries.h"
#include "runners/experiment/evaluation_npz.h"
#include "runners/experiment/onnx_export.h"
#include "runners/experiment/run_directory.h"
#include "runners/experiment/safetensors.h"

namespace innerloop {
namespace {

enum class Format { kOnnx, kSafetensors, kNpz };
const Spellings<Format>& formats() {
  static const Spellings<Format> known{
      {"onnx", Format::kOnnx}, {"safetensors", Format::kSafetensors}, {"npz", Format::kNpz}};
  return known;
}

struct Request {
  Format format;
  std::filesystem::path out;
  std::optional<std::filesystem::path> adapted;
};

// By --format, or by the end of the file's name.
Request read_request(const CommandLine& line) {
  require_usage(line.has("run"), "export: --run is missing, expected a run directory or @NAME");
  require_usage(line.has("out"),
                "export: --out is missing, expected the file to write: model.onnx, "
                "parameters.safetensors or evaluation.npz");
  const std::filesystem::path out = line.value("out");
  const std::string end = out.extension().string();
  const std::string name = line.value("format", end.empty() ? "" : end.substr(1));
  if (!line.has("format")) {
    const auto known = names_of(formats());
    require_usage(std::find(known.begin(), known.end(), name) != known.end(), "export: --out ", out.string(),
                  " does not say the format by its end, and --format is missing; expected ", join(known));
  }
  const Request request{
      find_named("format", formats(), name).value, out,
      line.has("adapted") ? std::optional<std::filesystem::path>(line.value("adapted")) : std::nullopt};
  require_usage(request.format != Format::kNpz || !request.adapted,
                "export: npz holds an evaluation, which adapts anew to every task; --adapted belongs to onnx "
                "and safetensors");
  return request;
}

// What is exported beside the numbers of an evaluation: the entries, and what is said of them.
struct Exported {
  Params params;      // [1, ...]
  Params statistics;  // of an adaptation, which normalise; else none
  About about;
};

// `start`, or what the request has in its place; `statistics` have names and shapes of the network's.
Exported adapted_or(const Request& request, const TrainedRun& run, Params start, const Params& statistics,
                    About about) {
  if (!request.adapted) {
    about["parameters"] = "initialisation: what was meta-learned, before a task is seen";
    return {std::move(start), {}, std::move(about)};
  }
  auto file = read_adapted_entries(*request.adapted, start, statistics,
                                   concat("'", run.directory.root().string(), "'"));
  about["parameters"] = concat("adapted to one task: ", request.adapted->filename().string());
  for (const auto& [key, value] : file.metadata) {
    if (key != "config") about["adapted." + key] = value;
  }
  const auto classes = file.metadata.find("classes");
  if (classes != file.metadata.end() && classes->second != "[]") about["labels"] = classes->second;
  return {std::move(file.params), std::move(file.statistics), std::move(about)};
}

constexpr char kRunning[] = "running.";  // the averages of batch normalisation in a checkpoint

// Plain names, and the shapes of one task, without the leading 1.
std::string parameters_file(const Exported& exported) {
  return format_safetensors(
      {exported.about, exported.params.joined(exported.statistics.prefixed("statistics."))
                           .map([](const torch::Tensor& value) { return value[0]; })});
}

void wrote(const std::filesystem::path& file, const std::string& what) {
  std::cout << "wrote " << file.string() << ": " << what << std::endl;
}

void write_model(const Request& request, const std::string& bytes, const About& about) {
  write_file_atomically(request.out, bytes);
  wrote(request.out, concat("ONNX, ", bytes.size(), " bytes, ", about.at("parameters")));
}

void write_parameters(const Request& request, const Exported& exported) {
  write_file_atomically(request.out, parameters_file(exported));
  wrote(request.out, concat("safetensors, ", exported.params.size(), " tensors, ", exported.params.numel(),
                            " numbers, ", exported.about.at("parameters")));
}

void export_policy(const Request& request, const TrainedRun& run, ThreadPool& pool) {
  const auto learner = restore_learner(run, pool);
  About about = about_run(run);
  about.merge(about_observations(learner->environment(), run.config.learner.environment));
  if (request.format == Format::kNpz) {
    const auto& evaluation = run.config.evaluation;
    const auto& step_is = find_algorithm(run.config.algorithm()).step;
    auto result = learner->evaluate(evaluation, /*keep_trajectories=*/true, [&](int64_t step) {
      std::cerr << "  sampled after " << step << " of " << evaluation.steps << " " << step_is << "s\n";
    });
    about.merge(about_evaluation(run.config));
    write_policy_npz(request.out, learner->environment(), std::move(result), about);
    wrote(request.out, concat("NPZ, ", evaluation.tasks, " held-out tasks, ", evaluation.trajectories,
                              " trajectories after each of 0 to ", evaluation.steps, " ", step_is, "s, seed ",
                              evaluation.seed));
    return;
  }
  if (request.format == Format::kSafetensors && !request.adapted)
    return write_parameters(request, adapted_or(request, run, run.checkpoint.meta, {}, about));
  const auto exported = adapted_or(request, run, exported_start(*learner, run.config), {}, about);
  if (request.format == Format::kSafetensors) return write_parameters(request, exported);
  write_model(request, policy_onnx(*learner, run.config, exported.params, exported.about), exported.about);
}

void export_network(const Request& request, const TrainedRun& run, ThreadPool& pool) {
  SupervisedMetaLearner learner(run.config.supervised, find_algorithm(run.config.algorithm()), pool);
  require_same_data(concat("export: '", run.directory.root().string(), "'"),
                    {run.checkpoint.data, run.data_path},
                    {learner.dataset().digest(), data_path(run.config)});
  const auto& evaluation = run.config.supervised_evaluation;
  About about = about_run(run);
  about.merge(about_samples(learner, run.config));
  if (request.format == Format::kNpz) {
    const auto selected = use_selected(learner, run.config, run.directory);
    const auto outcomes = learner.evaluate_in_full(evaluation, [&](int64_t done) {
      std::cerr << "  evaluated " << done << " of " << evaluation.tasks << " test tasks\n";
    });
    about.merge(about_evaluation(run.config));
    write_supervised_npz(request.out, learner, run.config, outcomes, about);
    wrote(request.out, concat("NPZ, ", evaluation_text(learner, run.config), ", after 0 to ",
                              evaluation.steps, " gradient steps; ", selected.description));
    return;
  }
  learner.use(run.checkpoint.meta, run.checkpoint.method);
  if (request.format == Format::kSafetensors && !request.adapted) {
    const Params running = run.checkpoint.method.part(kRunning).prefixed(kRunning);
    return write_parameters(request,
                            adapted_or(request, run, run.checkpoint.meta.joined(running), {}, about));
  }
  const auto exported =
      adapted_or(request, run, exported_start(learner, run.config), learner.network().statistics(), about);
  if (request.format == Format::kSafetensors) return write_parameters(request, exported);
  require_one_pass(learner, run.config, request.adapted.has_value());
  write_model(request,
              network_onnx(learner, run.config, exported.params, exported.statistics, exported.about),
              exported.about);
}

}  // namespace

CommandDescription export_description() {
  return {
      .name = "export",
      .summary = "Writes what was learned, or an evaluation of it, as ONNX, safetensors or NPZ.",
      .details =
          "Reads DIR/config.ini and DIR/checkpoints/last.safetensors (best.safetensors if it validated).\n"
          "Formats, told by the end of FILE or by --format:\n"
          "\n"
          "  onnx         one pass of the network or of the policy, as the run's tasks meet it: with batch\n"
          "               normalisation in the run's mode, logits and probabilities of classes, the value "
          "of\n"
          "               a regression, the mean of an action; of metric methods (prototypical, ...) "
          "features\n"
          "  safetensors  the parameters by their plain names, without the leading task dimension\n"
          "  npz          `innerloop adapt` as arrays: accuracy, error or return of every task after every\n"
          "               step, classes and predictions; of policies also all trajectories\n"
          "\n"
          "Parameters are those before a task is seen, or with --adapted those that `predict --save` or "
          "`act\n"
          "--save` kept after adaptation. What the numbers mean (input size, inversion, scaling, "
          "statistics,\n"
          "order of classes, run, version) stands in the file's metadata. An algorithm that predicts by "
          "more\n"
          "than one pass of its network has no ONNX model; the error says so. docs/using.md has the names "
          "and\n"
          "shapes, examples/python reads each format.\n"
          "examples:\n"
          "  innerloop export --run @navigation_2d --out policy.onnx\n"
          "  innerloop export --run runs/omniglot_5way_1shot-seed1 --out parameters.safetensors\n"
          "  innerloop export --run @navigation_2d --tasks 5 --out evaluation.npz",
      .options = {{"run", "DIR",
                   "the run directory that `innerloop train` made, or @NAME: `innerloop list runs`"},
                  {"out", "FILE", "the file to write"},
                  {"format", "NAME", "onnx, safetensors or npz  [the end of FILE]", {}, names_of(formats())},
                  {"adapted", "FILE.safetensors", "onnx and safetensors: adapted parameters instead"},
                  {"tasks", "N", "npz: held-out tasks", "evaluation.tasks"},
                  {"steps", "K", "npz: gradient steps on each", "evaluation.steps"},
                  {"trajectories", "N", "npz, policies: sampled per task and step",
                   "evaluation.trajectories"},
                  {"ways", "N", "npz, data sets: classes of a task", "evaluation.ways"},
                  {"shots", "N", "npz, data sets: support samples per class", "evaluation.shots"},
                  {"queries", "N", "npz, data sets: query samples per class", "evaluation.queries"},
                  {"dataset.path", "PATH", "where the data set lies now", "dataset.path"},
                  {"seed", "N", "npz: of the held-out tasks and their trajectories", "evaluation.seed"},
                  {"threads", "N", "worker threads, 0 = one per core", "threads"},
                  {"memory", "GIB", "that may be used, 0 = what the machine has", "memory"}},
      .sections = {"evaluation", "inner"},
      .word = "run"};
}

int export_run(const std::vector<std::string>& arguments) {
  const CommandLine line = parse_command_line(export_description(), arguments);
  if (line.help) {
    print_help(std::cout, export_description(), line);
    return 0;
  }
  const Request request = read_request(line);
  const TrainedRun run = open_run(line.value("run"), line.settings);
  limit_memory(run.config.meta().memory);
  ThreadPool pool(thread_count(run.config), &Executor::prepare_thread);
  (run.config.side == Side::kPolicy ? export_policy : export_network)(request, run, pool);
  return 0;
}

}  // namespace innerloop
