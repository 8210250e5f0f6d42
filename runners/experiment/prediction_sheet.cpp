#include "runners/experiment/prediction_sheet.h"

#include <algorithm>
#include <cstdio>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "base/files.h"
#include "runners/drawing/colours.h"
#include "runners/drawing/panel.h"
#include "runners/experiment/sample_picture.h"

namespace innerloop {
namespace {

// Pixels.
constexpr int kCellPicture = 112, kCellWidth = 132, kCellText = 42, kTruthLine = 16, kHeading = 34;
constexpr int kColumns = 10;
constexpr size_t kMostQueries = 120, kMostClasses = 40;
constexpr double kNameSize = 15, kFigureSize = 13, kHeadingSize = 17;

// BGR.
const cv::Scalar kRightInk(64, 130, 24), kWrongInk(48, 48, 196), kPlainInk(55, 41, 31),
    kPaleInk(128, 114, 102);

struct Cell {
  cv::Mat picture;
  std::string name, figure;
  cv::Scalar colour = kPlainInk;
  std::string truth = {};  // where the name is another
};

// A sample [channels, height, width] as it was before normalisation, at most kCellPicture pixels a side.
cv::Mat shown_sample(const torch::Tensor& x, const PictureRules& rules) {
  const auto of_channels = [&](const std::vector<double>& numbers) {
    return torch::tensor(numbers, torch::kFloat32).view({-1, 1, 1});
  };
  cv::Mat picture =
      sample_picture(x * of_channels(rules.std) + of_channels(rules.mean), kCellPicture * 3 / 4);
  const double shrink = static_cast<double>(kCellPicture) / std::max(picture.rows, picture.cols);
  if (shrink < 1) cv::resize(picture, picture, {}, shrink, shrink, cv::INTER_AREA);
  return picture;
}

cv::Mat grid(const std::vector<Cell>& cells, const std::string& heading, const Font& book, const Font& bold) {
  const int rows = (static_cast<int>(cells.size()) + kColumns - 1) / kColumns;
  int tallest = 0;
  for (const auto& cell : cells) tallest = std::max(tallest, cell.picture.rows);
  const auto mistaken = [](const Cell& cell) { return !cell.truth.empty(); };
  const bool mistakes = std::any_of(cells.begin(), cells.end(), mistaken);
  const int height = tallest + kCellText + (mistakes ? kTruthLine : 0);
  cv::Mat out(kHeading + rows * height, kColumns * kCellWidth, CV_8UC3, kPanelPaper);
  draw_text(out, bold, heading, {0, kHeading - 12.0}, Align::kLeft, kHeadingSize, kPlainInk);
  for (size_t i = 0; i < cells.size(); ++i) {
    const auto& cell = cells[i];
    const int x = static_cast<int>(i % kColumns) * kCellWidth;
    const int top = kHeading + static_cast<int>(i / kColumns) * height;
    cell.picture.copyTo(out(cv::Rect(x, top, cell.picture.cols, cell.picture.rows)));
    const double below = top + cell.picture.rows, room = kCellWidth - 8;
    draw_text(out, bold, fitting_end(bold, cell.name, kNameSize, room), {static_cast<double>(x), below + 17},
              Align::kLeft, kNameSize, cell.colour);
    const auto line = [&](const std::string& text, double y) {
      draw_text(out, book, fitting_end(book, text, kFigureSize, room), {static_cast<double>(x), y},
                Align::kLeft, kFigureSize, kPaleInk);
    };
    line(cell.figure, below + 33);
    line(cell.truth, below + 33 + kTruthLine);
  }
  return out;
}

Cell query_cell(const Prediction& one, const PredictionSheet& sheet, const torch::Tensor& x) {
  char percent[16];
  std::snprintf(percent, sizeof percent, "%.0f %%", 100 * one.confidence());
  Cell cell{shown_sample(x, sheet.rules), predicted_name(one, sheet.classes), percent};
  if (!one.query.truth) return cell;
  cell.colour = one.right() ? kRightInk : kWrongInk;
  if (!one.right()) cell.truth = "is " + sheet.classes.at(static_cast<size_t>(*one.query.truth));
  return cell;
}

}  // namespace

void require_picture_name(const std::filesystem::path& file) {
  require_usage(file.extension() == ".png" || file.extension() == ".jpg", "--picture ", file.string(),
                ": expected a name that ends in .png or .jpg");
}

void write_sheet(const PredictionSheet& sheet, const std::filesystem::path& file) {
  require_picture_name(file);
  const Font book(Font::Weight::kBook), bold(Font::Weight::kBold);
  std::vector<cv::Mat> parts;
  if (sheet.support.defined()) {
    std::vector<Cell> cells;
    const auto labels = sheet.labels[0];
    for (size_t c = 0; c < std::min(sheet.classes.size(), kMostClasses); ++c) {
      const auto of_class = labels.eq(static_cast<int64_t>(c));
      const int64_t shots = of_class.sum().item<int64_t>(),
                    first = of_class.to(torch::kInt64).argmax().item<int64_t>();
      cells.push_back({shown_sample(sheet.support[0][first], sheet.rules), sheet.classes[c],
                       concat(shots, shots == 1 ? " shot" : " shots")});
    }
    const auto more = sheet.classes.size() - cells.size();
    parts.push_back(grid(cells,
                         concat("Support set", more > 0 ? concat(", the first ", kMostClasses, " of ",
                                                                 sheet.classes.size(), " classes")
                                                        : ""),
                         book, bold));
  }
  std::vector<Cell> cells;
  const size_t count = std::min(sheet.predictions.size(), kMostQueries);
  for (size_t i = 0; i < count; ++i)
    cells.push_back(query_cell(sheet.predictions[i], sheet, sheet.queries[0][static_cast<int64_t>(i)]));
  const std::string of =
      count < sheet.predictions.size() ? concat(", the first ", count, " of ", sheet.predictions.size()) : "";
  parts.push_back(grid(cells, "Queries and what they were taken for" + of, book, bold));
  const auto page =
      PanelPainter().panel(in_rows(parts, 1), {.title = sheet.title, .subtitle = sheet.subtitle});
  PendingFile pending(file);
  require(cv::imwrite(pending.path().string(), page), "cannot write ", file.string());
  pending.commit();
}

}  // namespace innerloop
