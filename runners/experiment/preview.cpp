#include "runners/experiment/preview.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgcodecs.hpp>

#include "base/error.h"
#include "base/files.h"
#include "runners/drawing/panel.h"
#include "runners/experiment/sample_picture.h"

namespace innerloop {
namespace {

// Pixels.
constexpr int kSmallestCell = 56, kGap = 4, kMargin = 12;
constexpr double kWidestLabel = 260;
constexpr double kLabelSize = 17;

// BGR.
const cv::Scalar kPaper(252, 250, 249), kPale(128, 114, 102);

// The largest task that the data set has, up to 12 classes of 16 images.
EpisodeShape largest_shape(const Dataset& dataset) {
  EpisodeShape shape{
      .ways = std::min<int64_t>(12, dataset.classes(Split::kTrain)), .shots = 1, .queries = 15};
  for (; shape.queries > 1; --shape.queries) {
    try {
      dataset.check(Split::kTrain, shape);
      return shape;
    } catch (const UsageError&) {
    }
  }
  dataset.check(Split::kTrain, shape);
  return shape;
}

}  // namespace

void write_preview(const Dataset& dataset, const std::filesystem::path& file) {
  const auto& spec = dataset.spec();
  require_usage(spec.classification && spec.input.size() == 3, "list: --preview draws images, and ",
                spec.name, " has none");
  require_usage(file.extension() == ".png" || file.extension() == ".jpg", "list: --preview ", file.string(),
                ": expected a name that ends in .png or .jpg");
  const auto shape = largest_shape(dataset);
  auto task = make_episodes(spec, shape, 1);
  const StreamKey key{.seed = 1, .purpose = Purpose::kTask};
  Stream stream(key), again(key);
  dataset.draw(Split::kTrain, shape, stream, task, 0);

  const Font font;
  const auto names = dataset.class_names(Split::kTrain);
  std::vector<std::string> labels;
  for (const int64_t drawn : dataset.drawn_classes(Split::kTrain, shape, again))
    labels.push_back(fitting_end(font, names.at(static_cast<size_t>(drawn)), kLabelSize, kWidestLabel));
  for (int64_t row = static_cast<int64_t>(labels.size()); row < shape.ways; ++row)
    labels.push_back(concat(row));
  double widest = 0;
  for (const auto& label : labels) widest = std::max(widest, font.width(label, kLabelSize));
  const int left = static_cast<int>(std::ceil(widest)) + 2 * kMargin;
  cv::Mat sheet;
  for (int row = 0; row < shape.ways; ++row) {
    for (int column = 0; column <= shape.queries; ++column) {
      const auto cell = sample_picture(
          column == 0 ? task.support_x[0][row] : task.query_x[0][row * shape.queries + column - 1],
          kSmallestCell);
      const int height = cell.rows + kGap, width = cell.cols + kGap;
      if (sheet.empty()) {
        const auto columns = static_cast<int>(shape.queries + 1);
        sheet = cv::Mat(static_cast<int>(shape.ways) * height, left + columns * width, CV_8UC3, kPaper);
      }
      cell.copyTo(sheet(cv::Rect(left + column * width, row * height, cell.cols, cell.rows)));
      if (column > 0) continue;
      draw_text(sheet, font, labels[static_cast<size_t>(row)],
                {static_cast<double>(left - kMargin), row * height + cell.rows / 2.0 + 6}, Align::kRight,
                kLabelSize, kPale);
    }
  }
  const auto page = PanelPainter().panel(
      sheet, {.title = concat("One training task of ", spec.name), .subtitle = spec.protocol});
  PendingFile pending(file);
  require(cv::imwrite(pending.path().string(), page), "cannot write ", file.string());
  pending.commit();
}

}  // namespace innerloop
