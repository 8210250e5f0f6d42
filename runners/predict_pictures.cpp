// `innerloop predict` on pictures: labels for those that the training never saw.
#include <algorithm>
#include <iostream>

#include "base/error.h"
#include "base/files.h"
#include "base/settings.h"
#include "runners/experiment/prediction_sheet.h"
#include "runners/experiment/predictions.h"
#include "runners/prediction_request.h"

namespace innerloop {
namespace {

constexpr size_t kLinesBesideFile = 20;  // of predictions on the terminal where a file has them all
constexpr size_t kLinesAlone = 1000;
constexpr const char* kDarkInk = "dark ink";
constexpr const char* kLightInk = "light ink";

// Dark or light ink of drawn characters, "" of other pictures: as --ink says, or else as the support set's
// paper.
std::string ink_of(const CommandLine& line, const PictureRules& rules, const SupportFolder& support) {
  const std::string wanted = line.value("ink", "auto");
  require_usage(wanted == "auto" || wanted == "dark" || wanted == "light", "--ink is '", shortened(wanted),
                "', expected auto, dark or light");
  if (!rules.ink) {
    require_usage(!line.has("ink"),
                  "predict: --ink is for characters in ink (omniglot, strokes); this was trained ",
                  "on other pictures, which are taken as they are");
    return "";
  }
  if (wanted != "auto") return wanted == "dark" ? kDarkInk : kLightInk;
  const auto light =
      static_cast<size_t>(std::count_if(support.files.begin(), support.files.end(), light_paper));
  require(light == 0 || light == support.files.size(), "of the support pictures ", light,
          " look like dark ink on light paper and ", support.files.size() - light,
          " like light ink on dark ground; make them alike, or say which it is: --ink dark or --ink light");
  return light > 0 ? kDarkInk : kLightInk;
}

std::string shots_text(const SupportFolder& support) {
  const auto [fewest, most] = std::minmax_element(support.shots.begin(), support.shots.end());
  return *fewest == *most ? concat(*fewest, *fewest == 1 ? " picture each" : " pictures each")
                          : concat("from ", *fewest, " to ", *most, " pictures each");
}

double threshold_of(const CommandLine& line) {
  if (!line.has("threshold")) return 0;
  double threshold = 0;
  require_usage(keys::read_number(line.value("threshold"), keys::kZeroToOne, threshold), "--threshold is '",
                shortened(line.value("threshold")), "', expected a number from 0 to 1");
  return threshold;
}

std::vector<std::filesystem::path> paths_of(const std::vector<QueryFile>& queries) {
  std::vector<std::filesystem::path> out;
  for (const auto& query : queries) out.push_back(query.file);
  return out;
}

void report_pictures(const PredictionRequest& request, const std::vector<std::string>& classes,
                     const std::vector<Prediction>& predictions, double threshold, PredictionSheet sheet) {
  const CommandLine& line = request.line;
  print_predictions(std::cout, predictions, classes, line.has("out") ? kLinesBesideFile : kLinesAlone);
  print_certainty(std::cout, predictions, threshold);
  print_confusions(std::cout, predictions, classes);
  if (request.predictor.queries_count_together()) {
    std::cout
        << "note: the network normalises by the statistics of the pictures that it predicts together "
           "(network.batch_norm = batch):\n      what is said of a picture depends on the others; give those "
           "that belong together in one call\n";
  }
  if (line.has("out")) {
    write_file_atomically(line.value("out"), predictions_csv(predictions, classes));
    tell_written(line.value("out"));
  }
  if (!line.has("picture")) return;
  sheet.title =
      concat("Predictions for ", predictions.size(), predictions.size() == 1 ? " picture" : " pictures");
  sheet.subtitle = concat(request.predictor.description(), ", adapted by ", request.predictor.adaptation());
  sheet.classes = classes;
  sheet.predictions = predictions;
  write_sheet(sheet, line.value("picture"));
  tell_written(line.value("picture"));
}

}  // namespace

void predict_pictures(const PredictionRequest& request, const SupportFolder& support) {
  const CommandLine& line = request.line;
  Predictor& predictor = request.predictor;
  const double threshold = threshold_of(line);
  const PictureRules rules = picture_rules(predictor.config().supervised.dataset);
  const auto& input = predictor.spec().input;
  const std::string ink = request.adapted ? request.adapted->pictures : ink_of(line, rules, support);
  const auto& classes = request.adapted ? request.adapted->classes : support.classes;
  Queries queries;
  if (line.has("query")) queries = find_queries(request.queries(), classes, std::cin);

  std::cout << predictor.description() << '\n';
  PredictionSheet sheet{.rules = rules};
  if (!request.adapted) {
    sheet.support = read_pictures(support.files, rules, input, ink == kDarkInk);
    sheet.labels = torch::tensor(support.labels, torch::kInt64).unsqueeze(0);
    predictor.adapt(sheet.support, sheet.labels);
  }
  std::cout << classes.size() << " classes"
            << (request.adapted ? ", adapted before by " : concat(", ", shots_text(support), ", adapted by "))
            << predictor.adaptation() << "; " << input[1] << " x " << input[2]
            << (input[0] == 1 ? " grey" : " RGB") << (ink.empty() ? "" : ", " + ink) << '\n';
  if (support.ignored > 0) std::cout << support.ignored << " other files in the support folder ignored\n";
  if (queries.ignored > 0) std::cout << queries.ignored << " other files in the query folders ignored\n";
  std::cout << std::flush;

  if (!queries.files.empty()) {
    sheet.queries = read_pictures(paths_of(queries.files), rules, input, ink == kDarkInk);
    const auto scores = predictor.outputs(sheet.queries).after;
    report_pictures(request, classes, predictions_of(scores, queries.files, threshold), threshold, sheet);
  }
  request.save(classes, ink);
}

}  // namespace innerloop
