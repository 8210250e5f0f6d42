// A reader of TensorBoard's event files that shares nothing with the writer but the record format and
// protozero.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <vector>

#include "runners/experiment/record_file.h"

namespace innerloop {

struct ReadHistogram {
  double min = 0, max = 0, number = 0, sum = 0, sum_squares = 0;
  std::vector<double> limits, counts;
};

struct ReadPicture {
  int width = 0, height = 0, colorspace = 0;
  std::string png;
};

struct ReadEvent {
  double wall_time = 0;
  int64_t step = 0;
  std::string file_version;
  int session_status = 0;
  std::map<std::string, float> scalars;
  std::map<std::string, ReadHistogram> histograms;
  std::map<std::string, ReadPicture> pictures;
};

inline ReadHistogram read_histogram(protozero::pbf_reader in) {
  ReadHistogram out;
  const auto list = [&](std::vector<double>& values) {
    for (const double value : in.get_packed_double()) values.push_back(value);
  };
  while (in.next()) {
    switch (in.tag()) {
      case 1:
        out.min = in.get_double();
        break;
      case 2:
        out.max = in.get_double();
        break;
      case 3:
        out.number = in.get_double();
        break;
      case 4:
        out.sum = in.get_double();
        break;
      case 5:
        out.sum_squares = in.get_double();
        break;
      case 6:
        list(out.limits);
        break;
      case 7:
        list(out.counts);
        break;
      default:
        in.skip();
    }
  }
  return out;
}

inline ReadPicture read_picture(protozero::pbf_reader in) {
  ReadPicture out;
  while (in.next()) {
    switch (in.tag()) {
      case 1:
        out.height = in.get_int32();
        break;
      case 2:
        out.width = in.get_int32();
        break;
      case 3:
        out.colorspace = in.get_int32();
        break;
      case 4:
        out.png = in.get_string();
        break;
      default:
        in.skip();
    }
  }
  return out;
}

inline void read_value(protozero::pbf_reader in, ReadEvent& event) {
  std::string tag;
  while (in.next()) {
    switch (in.tag()) {
      case 1:
        tag = in.get_string();
        break;
      case 2:
        event.scalars[tag] = in.get_float();
        break;
      case 4:
        event.pictures[tag] = read_picture(in.get_message());
        break;
      case 5:
        event.histograms[tag] = read_histogram(in.get_message());
        break;
      default:
        in.skip();
    }
  }
}

inline ReadEvent read_event(const std::string& bytes) {
  ReadEvent event;
  protozero::pbf_reader in(bytes);
  while (in.next()) {
    switch (in.tag()) {
      case 1:
        event.wall_time = in.get_double();
        break;
      case 2:
        event.step = in.get_int64();
        break;
      case 3:
        event.file_version = in.get_string();
        break;
      case 5: {
        protozero::pbf_reader summary = in.get_message();
        while (summary.next(1)) read_value(summary.get_message(), event);
        break;
      }
      case 7: {
        protozero::pbf_reader log = in.get_message();
        while (log.next(1)) event.session_status = log.get_enum();
        break;
      }
      default:
        in.skip();
    }
  }
  return event;
}

// The whole records of one file.
inline std::vector<ReadEvent> read_events_of_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  RecordReader reader(in);
  std::vector<ReadEvent> events;
  for (std::string record; reader.next(record);) events.push_back(read_event(record));
  return events;
}

// Of all files of a folder, in the order of their names, which is TensorBoard's.
inline std::vector<ReadEvent> read_events(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<ReadEvent> events;
  for (const auto& file : files) {
    for (auto& event : read_events_of_file(file)) events.push_back(std::move(event));
  }
  return events;
}

}  // namespace innerloop
