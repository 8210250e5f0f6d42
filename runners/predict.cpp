// `innerloop predict`: what was trained, on a user's own data: adapted to a few examples, it labels new
// pictures or continues a curve.
#include <iostream>

#include "base/error.h"
#include "base/memory.h"
#include "datasets/names.h"
#include "meta/executor.h"
#include "runners/commands.h"
#include "runners/experiment/prediction_sheet.h"
#include "runners/prediction_request.h"

namespace innerloop {

std::vector<std::string> PredictionRequest::queries() const {
  const auto found = line.words.find("query");
  return found == line.words.end() ? std::vector<std::string>{} : found->second;
}

void PredictionRequest::save(const std::vector<std::string>& classes, const std::string& pictures) const {
  if (!line.has("save")) return;
  save_adapted(line.value("save"), predictor.file(classes, pictures));
  tell_written(line.value("save"));
}

void tell_written(const std::string& file) { std::cout << "wrote " << file << std::endl; }

namespace {

void check_predict_options(const CommandLine& line) {
  require_usage(line.has("run") || line.has("adapted"),
                "predict: --run is missing, expected the directory that "
                "`innerloop train` made; or --adapted, a file that --save of this command made");
  require_usage(line.has("adapted") != line.has("support"), "predict: ",
                line.has("adapted")
                    ? "--adapted and --support are both given; a saved adaptation needs no support set"
                    : "--support is missing, expected a folder with one folder of pictures for each "
                      "class (of regression: a CSV file of x and y)");
  require_usage(line.has("query") || line.has("save"),
                "predict: --query is missing, expected pictures, folders of "
                "them, or - for a list on standard input (of regression: a CSV file of x)");
  for (const char* option : {"out", "picture"}) {
    require_usage(line.has("query") || !line.has(option), "predict: --", option, " needs --query");
  }
  if (line.has("picture")) require_picture_name(line.value("picture"));
  if (!line.has("adapted")) return;
  require_usage(!line.has("save"), "predict: --save copies what --adapted holds; copy that file");
  require_usage(!line.has("ink"),
                "predict: --ink belongs to the support set, which --adapted has seen already");
  for (const auto& setting : line.settings) {
    const bool free = setting.key == "threads" || setting.key == "memory";
    require_usage(free, "predict: ", setting.where,
                  " changes the adaptation, and --adapted is one that was made");
  }
}

int predict_with_run(const CommandLine& line) {
  const TrainedRun run = open_run(line.value("run"), line.settings);
  require_usage(run.config.side == Side::kSupervised, "predict: '", run.directory.root().string(),
                "' is a run of policies on ", run.config.tasks(), "; innerloop act --run ", line.value("run"),
                " adapts one to a task");
  limit_memory(run.config.meta().memory);
  ThreadPool pool(thread_count(run.config), &Executor::prepare_thread);
  const bool pictures = holds_images(run.config.supervised.dataset.name);
  SupportFolder support;
  if (pictures) support = read_support_folder(line.value("support"));
  const auto make = [&] {
    try {
      return Predictor(run, static_cast<int64_t>(support.classes.size()), pool);
    } catch (const UsageError& error) {
      if (!pictures) throw;
      throw UsageError(concat("--support ", printable(line.value("support")), " holds ",
                              support.classes.size(), " classes (", some_of(support.classes),
                              "): ", error.what()));
    }
  };
  Predictor predictor = make();
  const PredictionRequest request{line, predictor, std::nullopt};
  pictures ? predict_pictures(request, support) : predict_points(request);
  return 0;
}

int predict_with_file(const CommandLine& line) {
  const std::filesystem::path file = line.value("adapted");
  const AdaptedFile adapted = load_adapted(file);
  const ExperimentConfig config = config_of(adapted, file, line.settings);
  if (line.has("run")) {
    const auto difference =
        first_difference(adapted.config, training_text(open_run(line.value("run")).config));
    require(!difference, "--adapted ", file.string(), " is not of this run: it has ",
            difference ? difference->key : "", " = ", difference ? difference->left : "", ", --run ",
            line.value("run"), " has ", difference ? difference->right : "");
  }
  limit_memory(config.meta().memory);
  ThreadPool pool(thread_count(config), &Executor::prepare_thread);
  Predictor predictor(adapted, config, file, pool);
  const PredictionRequest request{line, predictor, adapted};
  predictor.spec().classification ? predict_pictures(request, {}) : predict_points(request);
  return 0;
}

}  // namespace

CommandDescription predict_description() {
  return {
      .name = "predict",
      .summary = "Adapts what was trained to a few examples of your own and labels new pictures.",
      .details =
          "The support folder holds one folder of pictures for each class, named by it, as many classes as "
          "the\n"
          "algorithm allows and as many pictures of each as there are. Pictures are made what the run's own\n"
          "images are: size, colours, numbers; of omniglot and strokes, ink becomes 1 and paper 0. Prints "
          "and\n"
          "writes the class and the probability of every class; where queries lie in folders that have the "
          "name\n"
          "of a class, also accuracy and a table of confusions.\n"
          "  innerloop predict --run runs/strokes --support few/ --query new/ --out labels.csv --picture "
          "sheet.png\n"
          "  find new/ -name '*.png' | innerloop predict --run runs/strokes --support few/ --query -\n"
          "Of a regression (sine) the support set is a CSV file of x and y, the queries one of x.\n"
          "--save keeps the adaptation in a safetensors file, which --adapted takes in the place of run and\n"
          "support set. Where a run normalises by the statistics of the batch (network.batch_norm = batch), "
          "a\n"
          "prediction depends on the other queries of the call; the output says so.",
      .options =
          {{"run", "DIR", "the run directory that `innerloop train` made"},
           {"support", "DIR", "the few examples: DIR/CLASS/*.png; of a regression a CSV file"},
           {"query", "PATH...", "pictures, folders of them, or - for a list on standard input", "", {}, true},
           {"adapted", "FILE", "a saved adaptation, instead of --run and --support"},
           {"steps", "K", "gradient steps on the support set", "evaluation.steps"},
           {"out", "FILE.csv", "writes file, predicted, confidence and a column for each class"},
           {"save", "FILE.safetensors", "writes the adaptation, to be used by --adapted"},
           {"picture", "FILE.png", "writes a sheet of the queries and what they were taken for"},
           {"threshold", "P", "a query less sure than this is none of these, 0 if not given"},
           {"ink",
            "auto|dark|light",
            "of drawn characters: darker or lighter than the paper, auto = as the support set shows",
            "",
            {"auto", "dark", "light"}},
           {"ensemble", "N", "so many of the best predict together", "evaluation.ensemble"},
           {"dataset.path", "PATH", "where the data set lies now, for runs that need it", "dataset.path"},
           {"seed", "N", "of what is random in an adaptation", "evaluation.seed"},
           {"threads", "N", "worker threads, 0 = one per core", "threads"},
           {"memory", "GIB", "that may be used, 0 = what the machine has", "memory"}},
      .sections = {"inner"},
      .side = Side::kSupervised,
      .word = "run"};
}

int predict(const std::vector<std::string>& arguments) {
  const CommandLine line = parse_command_line(predict_description(), arguments);
  if (line.help) {
    print_help(std::cout, predict_description(), line);
    return 0;
  }
  check_predict_options(line);
  return line.has("adapted") ? predict_with_file(line) : predict_with_run(line);
}

}  // namespace innerloop
