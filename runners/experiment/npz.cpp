#include "runners/experiment/npz.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "datasets/names.h"

namespace innerloop {
namespace {

static_assert(std::endian::native == std::endian::little, "the types below say '<'");

// Whole lines of 64 bytes, as numpy's own: the data behind are aligned.
std::string npy_header(const std::string& type, const std::vector<int64_t>& shape) {
  std::string sizes;
  for (const int64_t size : shape) sizes += concat(size, ", ");
  std::string text = concat("{'descr': '", type, "', 'fortran_order': False, 'shape': (", sizes, "), }");
  constexpr size_t kBefore = 10, kLine = 64;
  text.resize((kBefore + text.size() + 1 + kLine - 1) / kLine * kLine - kBefore - 1, ' ');
  text += '\n';
  const auto length = static_cast<uint16_t>(text.size());
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(length & 0xff);
  header += static_cast<char>(length >> 8);
  return header + text;
}

// Code points of valid UTF-8.
std::u32string code_points(const std::string& utf8) {
  std::u32string out;
  for (size_t at = 0; at < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[at++]);
    const int more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    auto code = static_cast<char32_t>(more == 0 ? lead : lead & (0x3f >> more));
    for (int i = 0; i < more; ++i) code = code << 6 | (static_cast<unsigned char>(utf8[at++]) & 0x3f);
    out += code;
  }
  return out;
}

}  // namespace

NpzFile::NpzFile(const std::filesystem::path& file)
    : file_(file), archive_(archive_write_new(), [](archive* a) { archive_write_free(a); }) {
  archive* a = archive_.get();
  require(a != nullptr, "no memory to write '", file.string(), "'");
  const bool opened = archive_write_set_format_zip(a) == ARCHIVE_OK &&
                      archive_write_zip_set_compression_store(a) == ARCHIVE_OK &&
                      archive_write_open_filename(a, file_.path().c_str()) == ARCHIVE_OK;
  require(opened, "cannot write '", file.string(), "': ", opened ? "" : archive_error_string(a));
}

NpzFile::~NpzFile() = default;

void NpzFile::write(const std::string& name, const std::string& type, const std::vector<int64_t>& shape,
                    const char* values, size_t bytes) {
  require(name.find('/') == name.npos && std::find(names_.begin(), names_.end(), name) == names_.end(),
          "npz: the array '", name, "' is there already, or has a '/' in its name");
  names_.push_back(name);
  const std::string header = npy_header(type, shape);
  const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                       archive_entry_free);
  archive_entry_set_pathname(entry.get(), (name + ".npy").c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_size(entry.get(), static_cast<int64_t>(header.size() + bytes));
  archive* a = archive_.get();
  const auto data = [a](const char* from, size_t count) {
    return archive_write_data(a, from, count) == static_cast<la_ssize_t>(count);
  };
  const bool written = archive_write_header(a, entry.get()) == ARCHIVE_OK &&
                       data(header.data(), header.size()) && data(values, bytes) &&
                       archive_write_finish_entry(a) == ARCHIVE_OK;
  const char* reason = written ? "" : archive_error_string(a);
  require(written, "cannot write '", file_.target().string(), "': ", reason == nullptr ? "" : reason);
}

namespace {

void require_count(const std::string& name, const std::vector<int64_t>& shape, size_t values) {
  const int64_t count = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  require(count == static_cast<int64_t>(values), "npz: array '", name, "' has ", values,
          " values, its shape is of ", count);
}

}  // namespace

void NpzFile::add(const std::string& name, const std::vector<int64_t>& shape,
                  const std::vector<double>& values) {
  require_count(name, shape, values.size());
  write(name, "<f8", shape, reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
}

void NpzFile::add(const std::string& name, const std::vector<int64_t>& shape,
                  const std::vector<float>& values) {
  require_count(name, shape, values.size());
  write(name, "<f4", shape, reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

void NpzFile::add(const std::string& name, const std::vector<int64_t>& shape,
                  const std::vector<int64_t>& values) {
  require_count(name, shape, values.size());
  write(name, "<i8", shape, reinterpret_cast<const char*>(values.data()), values.size() * sizeof(int64_t));
}

void NpzFile::add(const std::string& name, const std::vector<int64_t>& shape,
                  const std::vector<bool>& values) {
  require_count(name, shape, values.size());
  const std::string bytes(values.begin(), values.end());
  write(name, "|b1", shape, bytes.data(), bytes.size());
}

void NpzFile::write_texts(const std::string& name, const std::vector<int64_t>& shape,
                          const std::vector<std::string>& texts) {
  std::vector<std::u32string> rows;
  size_t longest = 1;
  for (const auto& text : texts) {
    rows.push_back(code_points(printable(text)));
    longest = std::max(longest, rows.back().size());
  }
  std::u32string all;
  for (auto& row : rows) {
    row.resize(longest, U'\0');
    all += row;
  }
  write(name, concat("<U", longest), shape, reinterpret_cast<const char*>(all.data()),
        all.size() * sizeof(char32_t));
}

void NpzFile::add(const std::string& name, const std::vector<std::string>& texts) {
  write_texts(name, {static_cast<int64_t>(texts.size())}, texts);
}

void NpzFile::add(const std::string& name, const std::string& text) { write_texts(name, {}, {text}); }

void NpzFile::finish() {
  const bool closed = archive_write_close(archive_.get()) == ARCHIVE_OK;
  const char* reason = closed ? "" : archive_error_string(archive_.get());
  require(closed, "cannot write '", file_.target().string(), "': ", reason == nullptr ? "" : reason);
  archive_.reset();
  file_.commit();
}

}  // namespace innerloop
