// `innerloop predict` on points: the curve of a regression through those that are known.
#include <iostream>

#include "base/error.h"
#include "base/files.h"
#include "runners/drawing/plot.h"
#include "runners/experiment/point_files.h"
#include "runners/prediction_request.h"

namespace innerloop {
namespace {

std::vector<double> numbers_of(const torch::Tensor& values) {
  const auto flat = values.flatten().to(torch::kFloat64).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

void plot_points(const PredictionRequest& request, const Points& support, const Points& query,
                 const Predictor::Outputs& outputs, const std::string& file) {
  require_usage(std::filesystem::path(file).extension() == ".png", "--picture ", file,
                ": curves are drawn as PNG; expected a name that ends in .png");
  require_usage(query.x.size(2) == 1 && outputs.after.size(2) == 1,
                "predict: --picture draws one input and one ", "output, here are ", query.x.size(2), " and ",
                outputs.after.size(2));
  const auto order = query.x.flatten().argsort();
  const auto curve = [&](const std::string& label, const torch::Tensor& y, Curve::Style style) {
    return Curve{.label = label,
                 .x = numbers_of(query.x.flatten().index_select(0, order)),
                 .y = numbers_of(y.flatten().index_select(0, order)),
                 .style = style};
  };
  Plot plot{.title = "Predictions for " + std::to_string(query.x.size(1)) + " points",
            .subtitle = request.predictor.description(),
            .x_label = "x",
            .y_label = "y",
            .curves = {}};
  if (query.y.defined()) plot.curves.push_back(curve("as given", query.y, Curve::Style::kFaint));
  if (outputs.before.defined())
    plot.curves.push_back(curve("before adaptation", outputs.before, Curve::Style::kDashes));
  plot.curves.push_back(curve("after " + request.predictor.adaptation(), outputs.after, Curve::Style::kLine));
  if (support.x.defined()) {
    plot.curves.push_back({.label = "support points",
                           .x = numbers_of(support.x),
                           .y = numbers_of(support.y),
                           .style = Curve::Style::kPoints});
  }
  write_plot(plot, file);
  tell_written(file);
}

}  // namespace

void predict_points(const PredictionRequest& request) {
  const CommandLine& line = request.line;
  Predictor& predictor = request.predictor;
  const int64_t inputs = predictor.spec().input.at(0), outputs = predictor.spec().outputs;
  for (const char* option : {"threshold", "ink"}) {
    require_usage(!line.has(option), "predict: --", option, " is for classes; ", predictor.spec().name,
                  " is a regression");
  }
  Points support;
  if (!request.adapted) {
    support = read_points(line.value("support"), inputs, outputs, /*targets=*/true);
    predictor.adapt(support.x, support.y);
  }
  std::cout << predictor.description() << '\n';
  if (support.x.defined()) std::cout << support.x.size(1) << " support points, ";
  std::cout << "adapted " << (request.adapted ? "before " : "") << "by " << predictor.adaptation()
            << std::endl;
  if (line.has("query")) {
    const auto words = request.queries();
    require_usage(words.size() == 1, "predict: --query names ", words.size(),
                  " files, expected one CSV file of x");
    const Points query = read_points(words.front(), inputs, outputs, /*targets=*/false);
    const auto found = predictor.outputs(query.x);
    const std::string csv = points_csv(query.x, found.after);
    if (line.has("out")) {
      write_file_atomically(line.value("out"), csv);
    } else {
      std::cout << csv;
    }
    if (query.y.defined()) {
      const auto error = [&](const torch::Tensor& y) { return (y - query.y).square().mean().item<double>(); };
      std::cout << "mean squared error to the y of " << words.front() << ": " << error(found.after);
      if (found.before.defined()) std::cout << ", before adaptation " << error(found.before);
      std::cout << '\n';
    }
    if (line.has("out")) tell_written(line.value("out"));
    if (line.has("picture")) plot_points(request, support, query, found, line.value("picture"));
  }
  request.save({}, "");
}

}  // namespace innerloop
