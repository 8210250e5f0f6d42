#include "datasets/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

#include "base/error.h"
#include "datasets/names.h"
#include "datasets/regular_file.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

// libarchive converts names that are said to be UTF-8 into the locale's encoding, and drops those that it
// lacks. While this lives, the encoding of this thread is UTF-8.
class Utf8Names {
 public:
  Utf8Names() {
    static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (utf8 != nullptr) before_ = uselocale(utf8);
  }
  ~Utf8Names() {
    if (before_ != nullptr) uselocale(before_);
  }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

 private:
  locale_t before_ = nullptr;
};

std::string reason(archive* from) {
  const char* text = archive_error_string(from);
  return text != nullptr ? printable(text) : "unknown reason";
}

enum class Format { kZip, kTar, kCompressed };

// By its first bytes, not by its name. What is unknown counts as zip, whose table of contents stands at the
// end.
Format format_of(const fs::path& source) {
  std::array<char, 512> block{};
  std::ifstream(source, std::ios::binary).read(block.data(), block.size());
  const std::string start(block.begin(), block.end());
  for (const std::string magic : {"\x1f\x8b", "BZh",
                                  "\xfd"
                                  "7zXZ",
                                  "\x28\xb5\x2f\xfd"}) {
    if (start.starts_with(magic)) return Format::kCompressed;
  }
  return start.substr(257, 5) == "ustar" ? Format::kTar : Format::kZip;
}

// A tar archive ends in two blocks of zeros; without them it may have been cut between two files.
bool tar_ends(const fs::path& source) {
  constexpr size_t kEnd = 1024;
  std::ifstream file(source, std::ios::binary | std::ios::ate);
  if (file.tellg() < static_cast<std::streamoff>(kEnd)) return false;
  std::array<char, kEnd> end{};
  file.seekg(-static_cast<std::streamoff>(kEnd), std::ios::end);
  file.read(end.data(), end.size());
  return file.good() && std::all_of(end.begin(), end.end(), [](char byte) { return byte == 0; });
}

// How long the beginning of "./", "/", "././/" and so on is.
size_t leading_slashes(std::string_view path) {
  size_t at = 0;
  while (path.substr(at).starts_with("./") || path.substr(at).starts_with("/")) at = path.find('/', at) + 1;
  return at;
}

}  // namespace

ArchiveReader::ArchiveReader(const fs::path& source, size_t largest_entry)
    : source_(printable(source.string())), largest_entry_(largest_entry), archive_(archive_read_new()) {
  require(archive_ != nullptr, "no memory to read ", source_);
  const auto format = format_of(source);
  if (format == Format::kZip) {
    // Only by its table of contents: a reader that goes from entry to entry takes an archive cut between two
    // of them for a whole one.
    archive_read_support_format_zip_seekable(archive_);
  } else {
    archive_read_support_format_tar(archive_);
    archive_read_support_filter_gzip(archive_);
    archive_read_support_filter_bzip2(archive_);
    archive_read_support_filter_xz(archive_);
    archive_read_support_filter_zstd(archive_);
  }
  const Utf8Names utf8;
  const bool opened = archive_read_open_filename(archive_, source.c_str(), 1 << 20) == ARCHIVE_OK;
  const bool ends = format != Format::kTar || tar_ends(source);
  if (opened && ends) return;
  archive_read_free(archive_);
  require(format == Format::kZip, source_, " is not a whole tar archive: ",
          ends ? "it cannot be read" : "its end is missing (cut off while it was copied or downloaded)");
  throw Error(
      concat(source_,
             " is not a whole zip archive: it has no table of contents (cut off while it was copied or "
             "downloaded, or another format than zip and tar)"));
}

ArchiveReader::~ArchiveReader() { archive_read_free(archive_); }

std::optional<ArchiveReader::Entry> ArchiveReader::next() {
  const Utf8Names utf8;
  archive_entry* entry = nullptr;
  for (;;) {
    const int status = archive_read_next_header(archive_, &entry);
    if (status == ARCHIVE_EOF) return std::nullopt;
    require(status == ARCHIVE_OK || status == ARCHIVE_WARN, source_, " is damaged: ", reason(archive_));
    const bool is_link = archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr;
    if (!is_link && archive_entry_filetype(entry) != AE_IFREG) continue;
    const char* name = archive_entry_pathname(entry);
    require(name != nullptr, source_,
            " is damaged: ", status == ARCHIVE_WARN ? reason(archive_) : std::string("an entry has no name"));
    std::string path = name;
    if (path.find('/') == std::string::npos && archive_format(archive_) == ARCHIVE_FORMAT_ZIP) {
      std::replace(path.begin(), path.end(), '\\', '/');
    }
    path.erase(0, leading_slashes(path));
    require(!path.empty(), source_, " is damaged: an entry has no name");
    return Entry{path, is_link};
  }
}

std::vector<uint8_t> ArchiveReader::read(const std::string& name) {
  std::vector<uint8_t> bytes;
  // The size that an entry declares is not believed: a damaged one may ask for any amount of memory. A read
  // that returns 0 is what checks the entry's checksum.
  for (size_t filled = 0;;) {
    require(filled <= largest_entry_, name, " is too large: it has more than ", largest_entry_, " bytes");
    bytes.resize(std::min(filled + std::max<size_t>(filled, 16384), largest_entry_ + 1));
    const auto read = archive_read_data(archive_, bytes.data() + filled, bytes.size() - filled);
    require(read >= 0, name, " is damaged: ", reason(archive_));
    if (read == 0) {
      bytes.resize(filled);
      return bytes;
    }
    filled += static_cast<size_t>(read);
  }
}

}  // namespace innerloop
