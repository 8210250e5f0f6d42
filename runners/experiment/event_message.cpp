#include "runners/experiment/event_message.h"

#include <algorithm>
#include <cmath>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "base/error.h"

namespace innerloop {
namespace {

constexpr size_t kBuckets = 30;

// Numbers of fields, as the .proto files have them.
enum EventField { kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7 };
enum SummaryField { kValue = 1 };
enum ValueField { kTag = 1, kSimpleValue = 2, kImage = 4, kHistogram = 5 };
enum ImageField { kHeight = 1, kWidth = 2, kColorspace = 3, kEncoded = 4 };
enum HistogramField { kMin = 1, kMax = 2, kNumber = 3, kSum = 4, kSumSquares = 5, kLimits = 6, kCounts = 7 };
enum SessionLogField { kStatus = 1 };
constexpr int kSessionStart = 1, kRgb = 3;

std::string event(double wall_time, int64_t step, protozero::pbf_tag_type field, const std::string& content) {
  std::string bytes;
  protozero::pbf_writer out(bytes);
  out.add_double(kWallTime, wall_time);
  out.add_int64(kStep, step);
  out.add_bytes(field, content);
  return bytes;
}

void add_histogram(protozero::pbf_writer& summary, const TaskValues& task_values) {
  std::vector<double> values = task_values.values;
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double min = *low, width = (*high - min) / static_cast<double>(kBuckets);
  const size_t buckets = width > 0 ? kBuckets : 1;
  std::vector<double> limits, counts(buckets, 0);
  for (size_t i = 1; i < buckets; ++i) limits.push_back(min + width * static_cast<double>(i));
  limits.push_back(*high);
  double sum = 0, squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
    // A value on a limit belongs to the bucket that begins there; the largest to the last.
    const auto place = std::upper_bound(limits.begin(), limits.end() - 1, value) - limits.begin();
    ++counts[static_cast<size_t>(place)];
  }
  protozero::pbf_writer value(summary, kValue);
  value.add_string(kTag, task_values.tag);
  protozero::pbf_writer out(value, kHistogram);
  out.add_double(kMin, min);
  out.add_double(kMax, *high);
  out.add_double(kNumber, static_cast<double>(values.size()));
  out.add_double(kSum, sum);
  out.add_double(kSumSquares, squares);
  out.add_packed_double(kLimits, limits.begin(), limits.end());
  out.add_packed_double(kCounts, counts.begin(), counts.end());
}

// A number of the header chunk IHDR, which follows the signature: big-endian.
int32_t png_size(const std::string& png, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(png[at + i]);
  return static_cast<int32_t>(value);
}

void add_picture(protozero::pbf_writer& summary, const ProgressNews::Picture& picture) {
  require(picture.png.size() > 24 && picture.png.starts_with("\x89PNG\r\n\x1a\n"), "the picture '",
          picture.tag, "' is no PNG file");
  protozero::pbf_writer value(summary, kValue);
  value.add_string(kTag, picture.tag);
  protozero::pbf_writer out(value, kImage);
  out.add_int32(kHeight, png_size(picture.png, 20));
  out.add_int32(kWidth, png_size(picture.png, 16));
  out.add_int32(kColorspace, kRgb);
  out.add_bytes(kEncoded, picture.png);
}

}  // namespace

std::string format_version_event(double wall_time) {
  return event(wall_time, 0, kFileVersion, "brain.Event:2");
}

std::string format_start_event(double wall_time, int64_t step) {
  std::string log;
  protozero::pbf_writer(log).add_enum(kStatus, kSessionStart);
  return event(wall_time, step, kSessionLog, log);
}

std::string format_summary_event(double wall_time, int64_t step, const ProgressNews& news) {
  std::string summary;
  protozero::pbf_writer out(summary);
  for (const auto& scalar : news.scalars) {
    protozero::pbf_writer value(out, kValue);
    value.add_string(kTag, scalar.tag);
    value.add_float(kSimpleValue, static_cast<float>(scalar.value));
  }
  for (const auto& values : news.per_task) add_histogram(out, values);
  for (const auto& picture : news.pictures) add_picture(out, picture);
  return event(wall_time, step, kSummary, summary);
}

int64_t step_of_event(std::string_view event) {
  try {
    int64_t step = 0;
    protozero::pbf_reader in(event.data(), event.size());
    while (in.next()) {
      if (in.tag_and_type() == protozero::tag_and_type(kStep, protozero::pbf_wire_type::varint)) {
        step = in.get_int64();
      } else {
        in.skip();
      }
    }
    return step;
  } catch (const protozero::exception& error) {
    throw Error(concat("no event of TensorBoard: ", error.what()));
  }
}

}  // namespace innerloop
