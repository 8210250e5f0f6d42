// Small archives and folders of images for the tests of this room.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace innerloop::testing {

namespace fs = std::filesystem;
using Bytes = std::vector<uint8_t>;
using Files = std::vector<std::pair<std::string, Bytes>>;  // path inside, content

// A folder of its own for one test, gone with its content at the end.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "innerloop_data_XXXXXX").string();
    require(mkdtemp(name.data()) != nullptr, "cannot make ", name);
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const fs::path& path() const { return path_; }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

// An environment variable set, or with "" taken away, until the end of the scope.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = getenv(name)) old_ = old, was_set_ = true;
    set(value, !value.empty());
  }
  ~Variable() { set(old_, was_set_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const std::string& value, bool present) {
    present ? setenv(name_, value.c_str(), 1) : unsetenv(name_);
  }
  const char* name_;
  std::string old_;
  bool was_set_ = false;
};

// A cache of its own and no data folder: what a test reads it has written itself.
struct Alone {
  Folder folder;
  Variable cache{"INNERLOOP_CACHE", (folder / "cache").string()}, data{"INNERLOOP_DATA", ""};
  fs::path operator/(const std::string& name) const { return folder / name; }

  std::vector<std::string> cached() const {  // names of all files in the cache, hidden ones too
    std::vector<std::string> names;
    if (fs::exists(folder / "cache")) {
      for (const auto& entry : fs::directory_iterator(folder / "cache"))
        names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
};

inline Bytes read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

inline void write_bytes(const fs::path& path, const Bytes& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  require(file.good(), "cannot write ", path);
}

inline Bytes text(const std::string& content) { return Bytes(content.begin(), content.end()); }

inline void write_folder(const fs::path& folder, const Files& files) {
  for (const auto& [path, bytes] : files) write_bytes(folder / path, bytes);
}

// `prepare` chooses format and compression.
inline void write_archive(const fs::path& path, const Files& files,
                          const std::function<void(archive*)>& prepare) {
  fs::create_directories(path.parent_path());
  archive* out = archive_write_new();
  prepare(out);
  require(archive_write_open_filename(out, path.c_str()) == ARCHIVE_OK, "cannot write ", path);
  for (const auto& [inside, bytes] : files) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, inside.c_str());
    archive_entry_set_size(entry, static_cast<int64_t>(bytes.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    const bool written = archive_write_header(out, entry) >= ARCHIVE_WARN &&
                         archive_write_data(out, bytes.data(), bytes.size()) >= 0;
    archive_entry_free(entry);
    require(written, "cannot write ", path);
  }
  require(archive_write_close(out) == ARCHIVE_OK, "cannot write ", path);
  archive_write_free(out);
}

inline void write_zip(const fs::path& path, const Files& files, bool compress = true) {
  write_archive(path, files, [&](archive* zip) {
    archive_write_set_format_zip(zip);
    compress ? archive_write_zip_set_compression_deflate(zip) : archive_write_zip_set_compression_store(zip);
  });
}

enum class Tar { kGnu, kUstar, kPax };
inline void write_tar(const fs::path& path, const Files& files, Tar format = Tar::kGnu, bool gzip = false) {
  write_archive(path, files, [&](archive* tar) {
    format == Tar::kGnu     ? archive_write_set_format_gnutar(tar)
    : format == Tar::kUstar ? archive_write_set_format_ustar(tar)
                            : archive_write_set_format_pax(tar);
    if (gzip) archive_write_add_filter_gzip(tar);
  });
}

// value(row, column) of one channel, or of three: red, green, blue.
inline Bytes grey_image(int height, int width, const std::function<int(int, int)>& value,
                        const std::string& format = ".png") {
  cv::Mat image(height, width, CV_8UC1);
  for (int r = 0; r < height; ++r) {
    for (int c = 0; c < width; ++c) image.at<uint8_t>(r, c) = static_cast<uint8_t>(value(r, c));
  }
  Bytes bytes;
  cv::imencode(format, image, bytes);
  return bytes;
}

inline Bytes colour_image(int height, int width, std::array<int, 3> colour,
                          const std::string& format = ".png") {
  Bytes bytes;
  cv::imencode(format, cv::Mat(height, width, CV_8UC3, cv::Scalar(colour[2], colour[1], colour[0])), bytes);
  return bytes;
}

// An Omniglot of the true number of characters: 28 x 28, `images` of each. Character `number` (of all 1,623)
// has ink at (0, 0) and, in row 13, at column b for every bit b of number; image i also at (20, i).
inline Bytes drawn_character(int number, int image) {
  return grey_image(28, 28, [&](int r, int c) {
    const bool ink = (r == 0 && c == 0) || (r == 13 && (number >> c & 1) != 0) || (r == 20 && c == image);
    return ink ? 0 : 255;
  });
}

struct Alphabet {
  std::string name;
  int characters;
};
inline const std::vector<Alphabet> kBackgroundAlphabets{{"Greek", 813}, {"Ojibwe", 14},  {"Sanskrit", 42},
                                                        {"Syriac", 23}, {"Tagalog", 17}, {"Tifinagh", 55}};
inline const std::vector<Alphabet> kEvaluationAlphabets{{"Angelic", 600}, {"Tengwar", 59}};

inline std::vector<std::string> character_names(const std::vector<Alphabet>& alphabets) {
  std::vector<std::string> names;
  for (const auto& alphabet : alphabets) {
    for (int c = 1; c <= alphabet.characters; ++c) {
      names.push_back(concat(alphabet.name, "/character", c < 10 ? "0" : "", c));
    }
  }
  return names;
}

inline Files omniglot_half(bool background, int images) {
  const std::string top = background ? "images_background/" : "images_evaluation/";
  Files files;
  int number = background ? 0 : 964;
  for (const auto& name : character_names(background ? kBackgroundAlphabets : kEvaluationAlphabets)) {
    for (int i = 0; i < images; ++i) {
      files.emplace_back(concat(top, name, "/", 1000 + number, "_", 10 + i, ".png"),
                         drawn_character(number, i));
    }
    ++number;
  }
  return files;
}

inline void write_omniglot(const fs::path& folder, int images) {
  write_zip(folder / "images_background.zip", omniglot_half(true, images), false);
  write_zip(folder / "images_evaluation.zip", omniglot_half(false, images), false);
}

// SPLIT/CLASS/I.png, three grey levels a class: `images` of `side` x `side` in 4 training classes and 3 of
// validation and test each.
inline Files small_classes(int images, int side = 8, const std::string& validation = "val") {
  Files files;
  for (const auto& split : {std::string("train"), validation, std::string("test")}) {
    for (int c = 0; c < (split == "train" ? 4 : 3); ++c) {
      for (int i = 0; i < images; ++i) {
        files.emplace_back(
            concat(split, "/", split == validation ? "val" : split, "_class", c, "/image", i, ".png"),
            grey_image(side, side, [&](int row, int) { return (c * 80 + i * 10 + row) % 256; }));
      }
    }
  }
  return files;
}

inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace innerloop::testing
