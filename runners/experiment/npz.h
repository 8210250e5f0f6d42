// NPZ files, which numpy.load reads: a zip archive (stored, not compressed) of one .npy file for each array,
// format version 1.0 (numpy.lib.format). The same arrays give the same bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"

struct archive;

namespace innerloop {

class NpzFile {
 public:
  explicit NpzFile(const std::filesystem::path& file);  // Error if its folder cannot be written
  ~NpzFile();                                           // without finish() nothing stays behind

  // One array, row-major, of as many values as the shape has; the name is free of '/'. Error if the file
  // cannot be written, or has the array already.
  void add(const std::string& name, const std::vector<int64_t>& shape, const std::vector<double>& values);
  void add(const std::string& name, const std::vector<int64_t>& shape, const std::vector<float>& values);
  void add(const std::string& name, const std::vector<int64_t>& shape, const std::vector<int64_t>& values);
  void add(const std::string& name, const std::vector<int64_t>& shape, const std::vector<bool>& values);
  // Texts in UTF-8, as an array of numpy's Unicode strings; bytes that are not UTF-8 become \xNN.
  void add(const std::string& name, const std::vector<std::string>& texts);
  void add(const std::string& name, const std::string& text);  // of no dimension: data["name"].item()

  void finish();  // the file exists, whole, from here on

 private:
  void write(const std::string& name, const std::string& type, const std::vector<int64_t>& shape,
             const char* values, size_t bytes);
  void write_texts(const std::string& name, const std::vector<int64_t>& shape,
                   const std::vector<std::string>& texts);

  PendingFile file_;
  std::unique_ptr<archive, void (*)(archive*)> archive_;
  std::vector<std::string> names_;
};

}  // namespace innerloop
