#include "datasets/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <unordered_map>

#include "base/error.h"
#include "datasets/hash.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

struct ArchiveFree {
  void operator()(archive* a) const { archive_read_free(a); }
};
using ZipReader = std::unique_ptr<archive, ArchiveFree>;

std::string reason(archive* zip) {
  const char* text = archive_error_string(zip);
  return text != nullptr ? text : "unknown reason";
}

void require_readable(const fs::path& source) {
  std::error_code error;
  require(fs::exists(source, error), "no such file or folder: ", source.string());
  if (!fs::is_directory(source, error)) {
    std::ifstream file(source, std::ios::binary);
    require(file.is_open() && file.peek() != std::ifstream::traits_type::eof(), "cannot read ",
            source.string(), file.is_open() ? ": it is empty" : concat(": ", std::strerror(errno)));
  }
}

// Only by its table of contents, which stands at the end: a reader that goes from entry to entry takes an
// archive cut between two of them for a whole one.
ZipReader open_zip(const fs::path& source) {
  ZipReader zip(archive_read_new());
  require(zip != nullptr, "no memory to read ", source.string());
  archive_read_support_format_zip_seekable(zip.get());
  require(
      archive_read_open_filename(zip.get(), source.c_str(), 1 << 20) == ARCHIVE_OK, source.string(),
      " is not a whole zip archive: it has no table of contents (cut off while it was copied or downloaded, "
      "or another format)");
  return zip;
}

// Calls visit(path, zip) for every file, until it returns false. `zip` stands at its data.
template <class Visit>
void walk_zip(const fs::path& source, const Visit& visit) {
  const auto zip = open_zip(source);
  archive_entry* entry = nullptr;
  for (;;) {
    const int status = archive_read_next_header(zip.get(), &entry);
    if (status == ARCHIVE_EOF) return;
    // A warning tells of a name that the locale cannot show; the UTF-8 form is there all the same.
    require(status == ARCHIVE_OK || status == ARCHIVE_WARN, source.string(),
            " is damaged: ", reason(zip.get()));
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    const char* path = archive_entry_pathname_utf8(entry);
    if (path == nullptr) path = archive_entry_pathname(entry);
    require(path != nullptr, source.string(), " is damaged: an entry has no name");
    if (!visit(std::string(path), zip.get())) return;
  }
}

std::vector<uint8_t> entry_bytes(archive* zip, const std::string& name) {
  std::vector<uint8_t> bytes;
  // The size that an entry declares is not believed: a damaged one may ask for any amount of memory. A read
  // that returns 0 is what checks the entry's checksum.
  for (size_t filled = 0;;) {
    bytes.resize(filled + std::max<size_t>(filled, 16384));
    const auto read = archive_read_data(zip, bytes.data() + filled, bytes.size() - filled);
    require(read >= 0, name, " is damaged: ", reason(zip));
    if (read == 0) {
      bytes.resize(filled);
      return bytes;
    }
    filled += static_cast<size_t>(read);
  }
}

std::vector<uint8_t> file_bytes(const fs::path& path, const std::string& name) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  require(file.is_open(), "cannot read ", name, ": ", std::strerror(errno));
  const auto size = file.tellg();
  require(size >= 0, "cannot read ", name);
  std::vector<uint8_t> bytes(static_cast<size_t>(size));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), size);
  require(file.gcount() == size, "cannot read ", name);
  return bytes;
}

bool hidden(const std::string& path) {
  if (path.starts_with("__MACOSX/")) return true;
  for (size_t part = 0; part < path.size(); part = std::min(path.find('/', part), path.size()) + 1) {
    if (path[part] == '.' && path.substr(part, 2) != "./") return true;
  }
  return false;
}

std::vector<std::string> list_folder(const fs::path& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, fs::directory_options::follow_directory_symlink, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    std::error_code ignored;  // a link to nowhere counts as a file: whoever reads it is told
    if (!at->is_directory(ignored)) {
      paths.push_back(at->path().lexically_relative(folder).generic_string());
    }
  }
  require(!error, "cannot read the folder ", folder.string(), ": ", error.message());
  return paths;
}

}  // namespace

std::string entry_name(const fs::path& source, const std::string& path) {
  return fs::is_directory(source) ? (source / path).string() : source.string() + ": " + path;
}

std::vector<std::string> list_files(const fs::path& source) {
  require_readable(source);
  std::vector<std::string> paths;
  if (fs::is_directory(source)) {
    paths = list_folder(source);
  } else {
    walk_zip(source, [&](std::string path, archive*) {
      paths.push_back(std::move(path));
      return true;
    });
  }
  std::erase_if(paths, hidden);
  std::sort(paths.begin(), paths.end());
  const auto twice = std::adjacent_find(paths.begin(), paths.end());
  require(twice == paths.end(), source.string(), " is damaged: it holds ",
          twice == paths.end() ? "" : twice->c_str(), " twice");
  return paths;
}

void read_files(const fs::path& source, const std::vector<std::string>& paths,
                const std::function<void(size_t i, std::vector<uint8_t>&& bytes)>& visit) {
  require_readable(source);
  if (fs::is_directory(source)) {
    for (size_t i = 0; i < paths.size(); ++i) {
      visit(i, file_bytes(source / paths[i], entry_name(source, paths[i])));
    }
    return;
  }
  std::unordered_map<std::string, size_t> wanted;
  for (size_t i = 0; i < paths.size(); ++i) {
    require(wanted.emplace(paths[i], i).second, entry_name(source, paths[i]), " is asked for twice");
  }
  walk_zip(source, [&](const std::string& path, archive* zip) {
    const auto found = wanted.find(path);
    if (found == wanted.end()) return true;
    const size_t i = found->second;
    wanted.erase(found);
    visit(i, entry_bytes(zip, entry_name(source, path)));
    return !wanted.empty();
  });
  require(wanted.empty(), source.string(), " holds no file ",
          wanted.empty() ? std::string() : wanted.begin()->first);
}

uint64_t content_hash(const fs::path& source, const std::vector<std::string>& paths) {
  require_readable(source);
  Hash hash;
  if (fs::is_directory(source)) {
    for (const auto& path : paths) {
      std::error_code error;
      const auto size = fs::file_size(source / path, error);
      require(!error, "cannot read ", entry_name(source, path), ": ", error.message());
      const auto changed = fs::last_write_time(source / path, error).time_since_epoch().count();
      require(!error, "cannot read ", entry_name(source, path), ": ", error.message());
      hash.add(path).add(size).add(static_cast<uint64_t>(changed));
    }
    return hash.value();
  }
  std::ifstream file(source, std::ios::binary);
  std::vector<uint8_t> block(1 << 20);
  while (file) {
    file.read(reinterpret_cast<char*>(block.data()), static_cast<std::streamsize>(block.size()));
    hash.add(block.data(), static_cast<size_t>(file.gcount()));
  }
  require(file.eof(), "cannot read ", source.string());
  return hash.value();
}

}  // namespace innerloop
