// `innerloop record`: films and a figure of a trained policy adapting to held-out tasks.
#include <algorithm>
#include <iostream>

#include "base/error.h"
#include "base/memory.h"
#include "base/settings.h"
#include "meta/algorithms/registry.h"
#include "meta/executor.h"
#include "runners/commands.h"
#include "runners/drawing/films.h"
#include "runners/experiment/run_directory.h"

namespace innerloop {
namespace {

// 0, 1 and 3, and of a shorter evaluation what it has of them and its last step.
std::vector<int64_t> usual_steps(const PolicyEvaluationConfig& evaluation) {
  std::vector<int64_t> steps{0};
  for (const int64_t step : {1, 3}) steps.push_back(std::min<int64_t>(step, evaluation.steps));
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  return steps;
}

std::vector<int64_t> steps_to_film(const std::string& text, const PolicyEvaluationConfig& evaluation) {
  auto steps = parse_integers("steps", text, 0);
  std::sort(steps.begin(), steps.end());
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  require_usage(steps.back() <= evaluation.steps, "--steps ", text, ": the evaluation takes ",
                evaluation.steps, " gradient steps, so it has nothing to film after ", steps.back(),
                "; give --evaluation.steps ", steps.back(), " for more");
  return steps;
}

// 0 if it is not given.
int picture_side(const CommandLine& line, const std::string& name) {
  if (!line.has(name)) return 0;
  const int64_t side = parse_integer(name, line.value(name), 64, 4096);
  require_usage(side % 2 == 0, "--", name, " is ", side, ", expected an even number: films need even sides");
  return static_cast<int>(side);
}

double film_speed(const std::string& text) {
  double speed = 0;
  const bool fits = keys::read_number(text, {0.01, 100, false, false, ""}, speed);
  require_usage(fits, "--speed is '", text, "', expected a number from 0.01 to 100; 1 is real time");
  return speed;
}

}  // namespace

CommandDescription record_description() {
  return {
      .name = "record",
      .summary = "Films a trained policy on held-out tasks, before and after gradient steps.",
      .details =
          "Reads DIR/config.ini and DIR/checkpoints/last.safetensors. The tasks are the first ones of\n"
          "`innerloop adapt` with the same seed. Writes into DIR/videos one film per task and step\n"
          "(task_1_step_0.mp4, ...), adaptation.mp4 (the first task, all steps side by side) and\n"
          "trajectories.png (all tasks before and after). Films follow the first trajectory of each batch,\n"
          "whatever its return; the others are faint.\n"
          "An environment that has neither a scene nor a simulation to show is drawn as its observations,\n"
          "actions and rewards over time.\n"
          "MuJoCo environments need OpenGL, but neither a display nor a GPU: EGL devices (the one numbered\n"
          "MUJOCO_EGL_DEVICE_ID, if set), Mesa's EGL without a device and OSMesa are tried in this order, or "
          "only\n"
          "what INNERLOOP_GL names: egl, surfaceless or osmesa.",
      .options =
          {{"run", "DIR", "the run directory that `innerloop train` made, or @NAME: `innerloop list runs`"},
           {"out", "DIR", "where results go: the run directory, or runs/@NAME, if not given"},
           {"tasks", "N", "held-out tasks to film, 3 if not given"},
           {"steps", "K,K,...", "gradient steps, or episodes, after which to film, 0,1,3 if not given"},
           {"speed", "X", "of the films as a multiple of real time; 0.5 for MuJoCo, else 1, if not given"},
           {"fps", "N", "instead of a speed: pictures per second, one for each step"},
           {"width", "N", "pixels of a picture, even, 640 if not given (arenas: 540)"},
           {"height", "N", "its height, 480 if not given (arenas: of their own shape)"},
           {"quality", "N",
            "of the films, 0 (smallest files) to 100, 56 if not given (x264's constant rate factor 23)"},
           {"trajectories", "N", "trajectories sampled per task and step", "evaluation.trajectories"},
           {"seed", "N", "of the held-out tasks and their trajectories", "evaluation.seed"},
           {"threads", "N", "worker threads, 0 = one per core", "threads"},
           {"memory", "GIB", "that may be used, 0 = what the machine has", "memory"}},
      .sections = {"evaluation", "inner"},
      .word = "run"};
}

int record(const std::vector<std::string>& arguments) {
  const CommandLine line = parse_command_line(record_description(), arguments);
  if (line.help) {
    print_help(std::cout, record_description(), line);
    return 0;
  }
  require_usage(line.has("run"),
                "record: --run is missing, expected the directory that `innerloop train` made");
  TrainedRun run = open_run(line.value("run"), line.settings);
  run.directory = find_run(line.value("run"), line.value("out"));
  require_policy(run, "record");
  FilmConfig film_config{.environment = run.config.learner.environment,
                         .steps = line.has("steps")
                                      ? steps_to_film(line.value("steps"), run.config.evaluation)
                                      : usual_steps(run.config.evaluation),
                         .seed = run.config.evaluation.seed};
  if (line.has("fps")) film_config.fps = static_cast<double>(parse_integer("fps", line.value("fps"), 1, 240));
  if (line.has("speed")) {
    require_usage(!line.has("fps"),
                  "record: --speed and --fps both say how fast a film runs; give one of them");
    film_config.speed = film_speed(line.value("speed"));
  }
  film_config.width = picture_side(line, "width");
  film_config.height = picture_side(line, "height");
  if (line.has("quality"))
    film_config.quality = static_cast<int>(parse_integer("quality", line.value("quality"), 0, 100));
  PolicyEvaluationConfig evaluation = run.config.evaluation;
  evaluation.tasks = parse_integer("tasks", line.value("tasks", "3"), 1);
  evaluation.steps = film_config.steps.back();

  const Films films(film_config);  // refuses before the work

  limit_memory(run.config.meta().memory);
  ThreadPool pool(thread_count(run.config), &Executor::prepare_thread);
  const auto learner = restore_learner(run, pool);
  const auto folder = run.directory.results() / "videos";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  require(!error, "cannot make the folder '", folder.string(), "': ", error.message());
  std::cout << learner->environment().name << ", " << run.config.algorithm() << " after "
            << run.checkpoint.iteration << " meta-iterations: " << evaluation.tasks << " held-out task"
            << (evaluation.tasks == 1 ? "" : "s") << ", seed " << evaluation.seed
            << "; films follow trajectory " << kFilmed + 1 << " of " << evaluation.trajectories << std::endl;
  if (!films.renderer().empty()) std::cout << "drawn by " << films.renderer() << std::endl;
  const PolicyEvaluation result = learner->evaluate(evaluation, true, [&](int64_t step) {
    std::cerr << "  sampled after " << step << " of " << evaluation.steps << " "
              << find_algorithm(run.config.algorithm()).step << "s\n";
  });

  const auto wrote = [](const std::filesystem::path& file) {
    std::cout << "wrote " << file.string() << std::endl;
  };
  films.write_figure(result, folder / "trajectories.png");
  wrote(folder / "trajectories.png");
  films.write_adaptation(result, 0, folder / "adaptation.mp4");
  wrote(folder / "adaptation.mp4");
  films.write_each(result, folder, wrote);
  return 0;
}

}  // namespace innerloop
