// Claims about TensorBoard's event files: by a reader of our own always, by TensorBoard's where it is
// installed.
#include "runners/experiment/event_files.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "base/error.h"
#include "runners/experiment/event_message.h"
#include "runners/experiment/run_progress.h"
#include "tests/catch.h"
#include "tests/runners/experiment/event_reader.h"
#include "tests/runners/python.h"
#include "tests/runners/scratch_folder.h"

using namespace innerloop;

namespace {

using Steps = std::vector<int64_t>;
constexpr size_t kLimit = 1 << 24;

ProgressNews loss_of(double value) { return {.scalars = {{"train/loss", value}}}; }

// Steps of the events that have the scalar, in the order of reading.
Steps steps_with(const std::vector<ReadEvent>& events, const std::string& tag) {
  Steps steps;
  for (const auto& event : events) {
    if (event.scalars.count(tag) != 0) steps.push_back(event.step);
  }
  return steps;
}

std::string some_png(int width, int height) {
  std::vector<unsigned char> bytes;
  cv::imencode(".png", cv::Mat(height, width, CV_8UC3, cv::Scalar(10, 20, 30)), bytes);
  return {bytes.begin(), bytes.end()};
}

void write_steps(const std::filesystem::path& folder, int64_t done, int64_t last) {
  EventFiles files(folder);
  files.open(done);
  for (int64_t step = done + 1; step <= last; ++step) files.append(step, loss_of(static_cast<double>(step)));
}

// Histogram, picture and scalars of three steps, as a resumed training leaves them: steps 2 and 3 of the
// first process were not saved, and its last record is cut.
void write_example(const std::filesystem::path& folder) {
  write_steps(folder, 0, 3);
  const auto first = folder / "events.out.tfevents.000001";
  std::filesystem::resize_file(first, std::filesystem::file_size(first) - 5);
  EventFiles files(folder);
  files.open(1);
  for (int64_t step = 2; step <= 4; ++step) {
    ProgressNews news = loss_of(0.1 * static_cast<double>(step));
    news.scalars.push_back({"train/nothing", std::numeric_limits<double>::quiet_NaN()});
    news.per_task = {{"return_per_task/after_1_step", {-3, 1, 1, 5}},
                     {"return_per_task/after_0_steps", {2, 2}}};
    if (step == 4) news.pictures = {{"film/adaptation", some_png(7, 3)}};
    files.append(step, news);
  }
}

}  // namespace

TEST_CASE("checksums of records are CRC-32C, masked", "[tensorboard]") {
  const auto unmasked = [](std::string_view data) {
    const uint32_t rotated = masked_crc32c(data) - 0xa282ead8u;
    return rotated << 15 | rotated >> 17;
  };
  CHECK(unmasked("123456789") == 0xE3069283u);  // the check value of CRC-32C (RFC 3720, appendix B.4 below)
  CHECK(unmasked(std::string(32, '\0')) == 0x8A9136AAu);
  CHECK(unmasked(std::string(32, '\xff')) == 0x62A8AB43u);
}

TEST_CASE("an event file holds what was told, by step and tag", "[tensorboard]") {
  const ScratchFolder folder;
  write_example(folder.path());
  CHECK(folder.files() ==
        std::vector<std::string>{"events.out.tfevents.000001", "events.out.tfevents.000002"});
  const auto events = read_events_of_file(folder / "events.out.tfevents.000002");
  REQUIRE(events.size() == 5);
  CHECK(events[0].file_version == "brain.Event:2");
  CHECK(events[0].wall_time > 1.7e9);
  CHECK(events[1].session_status == 1);
  CHECK(events[1].step == 2);
  CHECK(events[4].step == 4);
  CHECK(events[4].scalars.at("train/loss") == 0.4f);
  CHECK(std::isnan(events[4].scalars.at("train/nothing")));
  const auto& histogram = events[4].histograms.at("return_per_task/after_1_step");
  CHECK(histogram.min == -3);
  CHECK(histogram.max == 5);
  CHECK(histogram.number == 4);
  CHECK(histogram.sum == 4);
  CHECK(histogram.sum_squares == 36);
  REQUIRE(histogram.counts.size() == 30);
  REQUIRE(histogram.limits.size() == 30);
  CHECK(histogram.limits.back() == 5);
  CHECK(std::is_sorted(histogram.limits.begin(), histogram.limits.end()));
  CHECK(histogram.counts.front() == 1);
  CHECK(histogram.counts[15] == 2);  // 1 is the middle of -3 and 5
  CHECK(histogram.counts.back() == 1);
  const auto& even = events[4].histograms.at("return_per_task/after_0_steps");
  CHECK(even.limits == std::vector<double>{2});
  CHECK(even.counts == std::vector<double>{2});
  const auto& picture = events[4].pictures.at("film/adaptation");
  CHECK(picture.width == 7);
  CHECK(picture.height == 3);
  CHECK(picture.colorspace == 3);
  CHECK(picture.png == some_png(7, 3));
}

TEST_CASE("values that are not finite have no place in a histogram, and a picture is a PNG",
          "[tensorboard]") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const auto event =
      read_event(format_summary_event(1, 2, {.per_task = {{"a", {nan, inf}}, {"b", {nan, 3, -inf, 4}}}}));
  CHECK(event.histograms.count("a") == 0);
  CHECK(event.histograms.at("b").number == 2);
  CHECK(event.histograms.at("b").max == 4);
  for (const auto* png : {"", "GIF89a............................", "\x89PNG\r\n\x1a\n"}) {
    CHECK_THROWS_WITH(format_summary_event(1, 2, {.pictures = {{"film", png}}}),
                      "the picture 'film' is no PNG file");
  }
}

TEST_CASE("the step of an event is its second field where that is a varint", "[tensorboard]") {
  CHECK(step_of_event(format_summary_event(1, 123456789012, loss_of(1))) == 123456789012);
  CHECK(step_of_event("") == 0);
  CHECK(step_of_event(std::string("\x11\x05\0\0\0\0\0\0\0", 9)) == 0);  // 64 fixed bits: not TensorBoard's
  CHECK_THROWS_AS(step_of_event("\x10"), Error);
  CHECK_THROWS_AS(step_of_event("\x2a\x7f"), Error);
}

TEST_CASE("a resumed training leaves every step in its event files once", "[tensorboard]") {
  const ScratchFolder folder;
  write_steps(folder.path(), 0, 10);
  write_steps(folder.path(), 6, 8);  // killed at 10, the checkpoint was of 6
  write_steps(folder.path(), 6, 6);  // killed at 8 and again at once
  write_steps(folder.path(), 6, 12);
  const auto events = read_events(folder.path());
  CHECK(steps_with(events, "train/loss") == Steps{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  Steps starts;
  for (const auto& event : events) {
    if (event.session_status == 1) starts.push_back(event.step);
  }
  CHECK(starts == Steps{1, 7});  // those of the two that saved nothing are gone with their steps
}

TEST_CASE("an event file cut at any byte is read up to its last whole record, and goes on", "[tensorboard]") {
  const ScratchFolder folder;
  write_steps(folder / "whole", 0, 3);
  const std::string whole = read_file(folder / "whole" / "events.out.tfevents.000001", kLimit);
  std::vector<size_t> ends;
  {
    std::istringstream in(whole);
    RecordReader reader(in);
    for (std::string record; reader.next(record);) ends.push_back(reader.end());
  }
  REQUIRE(ends.size() == 5);
  REQUIRE(ends.back() == whole.size());
  for (size_t length = 0; length < whole.size(); ++length) {
    const auto cut = folder / "cut";
    std::filesystem::create_directories(cut);
    write_file_atomically(cut / "events.out.tfevents.000001", whole.substr(0, length));
    write_steps(cut, 2, 3);
    const auto steps = steps_with(read_events(cut), "train/loss");
    const auto kept = std::filesystem::file_size(cut / "events.out.tfevents.000001");
    CAPTURE(length, kept);
    CHECK(steps == (length >= ends[3] ? Steps{1, 2, 3} : length >= ends[2] ? Steps{1, 3} : Steps{3}));
    CHECK(kept == (length < ends[0]    ? 0
                   : length >= ends[3] ? ends[3]
                                       : *(std::upper_bound(ends.begin(), ends.end(), length) - 1)));
    std::filesystem::remove_all(cut);
  }
}

TEST_CASE("a changed byte ends what is read of an event file", "[tensorboard]") {
  const ScratchFolder folder;
  write_steps(folder / "a", 0, 2);
  const std::string whole = read_file(folder / "a" / "events.out.tfevents.000001", kLimit);
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    std::istringstream in(damaged);
    RecordReader reader(in);
    std::string record;
    while (reader.next(record)) {
    }
    CAPTURE(at);
    CHECK(reader.end() <= at);
  }
}

TEST_CASE("progress.csv is the same with and without event files, which say its numbers", "[tensorboard]") {
  const ScratchFolder folder;
  const std::vector<ProgressColumn> columns{{"samples", "train/samples"}, {"loss", "train/loss"}};
  for (const bool tensorboard : {false, true}) {
    const RunDirectory directory(folder / (tensorboard ? "with" : "without"));
    std::filesystem::create_directories(directory.root());
    RunProgress progress(directory, columns, tensorboard);
    progress.append(1, {.numbers = {int64_t{0}, 0.0}});  // not opened: as of a process that does not write
    CHECK(progress.open(0) == 0);
    progress.append(100, {.numbers = {int64_t{100000}, 0.1}});
    progress.append(200, {.numbers = {int64_t{1000000}, 1e5}, .per_task = {{"return", {1, 2}}}});
    CHECK_THROWS_WITH(progress.append(300, {.numbers = {1.0}}), contains("has 1 numbers, expected 2"));
    progress.sync();
    CHECK(read_file(directory.progress(), kLimit) ==
          "iteration,samples,loss\n100,100000,0.1\n200,1000000,1e+05\n");
    CHECK(std::filesystem::exists(directory.tensorboard()) == tensorboard);
    if (!tensorboard) continue;
    const auto events = read_events(directory.tensorboard());
    CHECK(steps_with(events, "train/loss") == Steps{100, 200});
    CHECK(events.back().scalars.at("train/samples") == 1000000);
    CHECK(events.back().histograms.at("return").number == 2);
  }
}

TEST_CASE("TensorBoard itself reads the event files", "[tensorboard]") {
  const auto python = python_with("tensorboard");
  if (!python) {
    WARN("not compared with TensorBoard: python3 (or $INNERLOOP_PYTHON) has no package tensorboard");
    return;
  }
  const ScratchFolder folder;
  std::filesystem::create_directories(folder / "run");
  write_example(folder / "run");
  // A process that was killed while it wrote: the last record is not whole.
  const auto last = folder / "run" / "events.out.tfevents.000002";
  const std::string torn = format_record(format_summary_event(1, 5, loss_of(5)));
  std::ofstream(last, std::ios::app | std::ios::binary) << torn.substr(0, torn.size() - 3);
  const auto found = nlohmann::json::parse(run_python(*python, folder.path(), R"(
import json
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
run = EventAccumulator('run', size_guidance={'scalars': 0, 'histograms': 0, 'images': 0}).Reload()
histogram = run.Histograms('return_per_task/after_1_step')[-1].histogram_value
image = run.Images('film/adaptation')[0]
tags = run.Tags()
print(json.dumps({
    'scalars': sorted(tags['scalars']), 'histograms': sorted(tags['histograms']), 'images': tags['images'],
    'loss': [[e.step, e.value] for e in run.Scalars('train/loss')],
    'histogram': [histogram.min, histogram.max, histogram.num, histogram.sum, histogram.sum_squares],
    'buckets': [len(histogram.bucket_limit), sum(histogram.bucket)],
    'image': [image.step, image.width, image.height, len(image.encoded_image_string)]}))
)"));
  CHECK(found["scalars"] == nlohmann::json{"train/loss", "train/nothing"});
  CHECK(found["histograms"] ==
        nlohmann::json{"return_per_task/after_0_steps", "return_per_task/after_1_step"});
  CHECK(found["images"] == nlohmann::json{"film/adaptation"});
  CHECK(found["loss"] == nlohmann::json{{1, 1.0}, {2, double{0.2f}}, {3, double{0.3f}}, {4, double{0.4f}}});
  CHECK(found["histogram"] == nlohmann::json{-3.0, 5.0, 4.0, 4.0, 36.0});
  CHECK(found["buckets"] == nlohmann::json{30, 4.0});
  CHECK(found["image"] == nlohmann::json{4, 7, 3, some_png(7, 3).size()});
}
