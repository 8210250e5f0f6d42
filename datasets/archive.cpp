#include "datasets/archive.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "datasets/archive_reader.h"
#include "datasets/folder_walk.h"
#include "datasets/hash.h"
#include "datasets/names.h"
#include "datasets/regular_file.h"

namespace innerloop {
namespace {

namespace fs = std::filesystem;

void require_readable(const fs::path& source) {
  std::error_code error;
  const auto name = printable(source.string());
  require(fs::exists(source, error), "no such file or folder: ", name);
  if (fs::is_directory(source, error)) return;
  require_regular(source, name);
  require(fs::file_size(source, error) > 0, "cannot read ", name, ": it is empty");
}

bool hidden(const std::string& path) {
  return path.starts_with("__MACOSX/") || path.starts_with(".") || path.find("/.") != std::string::npos;
}

Listing list_archive(const fs::path& source) {
  Listing listing;
  ArchiveReader reader(source);
  while (auto entry = reader.next()) {
    if (hidden(entry->path)) continue;
    if (entry->is_link) {
      listing.skipped.push_back(entry->path + " (a link inside an archive)");
    } else {
      listing.files.push_back(std::move(entry->path));
    }
  }
  return listing;
}

void sort_by_normal_form(std::vector<std::string>& paths) {
  std::vector<std::pair<std::string, std::string>> keyed;
  for (auto& path : paths) {
    auto form = normal_form(path);
    keyed.emplace_back(std::move(form), std::move(path));
  }
  std::sort(keyed.begin(), keyed.end());
  std::transform(keyed.begin(), keyed.end(), paths.begin(),
                 [](auto& pair) { return std::move(pair.second); });
}

void read_folder(const fs::path& folder, const std::vector<std::string>& paths, const FileVisitor& visit,
                 const DamageVisitor& damaged) {
  for (size_t i = 0; i < paths.size(); ++i) {
    std::vector<uint8_t> bytes;
    try {
      bytes = read_regular(folder / paths[i], entry_name(folder, paths[i]));
    } catch (const Error& error) {
      if (!damaged) throw;
      damaged(i, error.what());
      continue;
    }
    visit(i, std::move(bytes));
  }
}

}  // namespace

std::string entry_name(const fs::path& source, const std::string& path) {
  return printable(fs::is_directory(source) ? (source / path).string() : source.string() + ": " + path);
}

bool is_archive_name(const std::string& path) {
  const auto name = lower_case(path);
  const std::array<const char*, 8> ends{".zip",     ".tar",    ".tgz",     ".tar.gz",
                                        ".tar.bz2", ".tar.xz", ".tar.zst", ".txz"};
  return std::any_of(ends.begin(), ends.end(), [&](const char* end) { return name.ends_with(end); });
}

Listing list_files(const fs::path& source) {
  require_readable(source);
  auto listing = fs::is_directory(source) ? walk_folder(source) : list_archive(source);
  std::erase_if(listing.files, hidden);
  sort_by_normal_form(listing.files);
  sort_by_normal_form(listing.skipped);
  const auto twice = std::adjacent_find(listing.files.begin(), listing.files.end());
  require(twice == listing.files.end(), printable(source.string()), " is damaged: it holds ",
          twice == listing.files.end() ? "" : printable(*twice), " twice");
  return listing;
}

void read_files(const fs::path& source, const std::vector<std::string>& paths, const FileVisitor& visit,
                const DamageVisitor& damaged) {
  require_readable(source);
  if (fs::is_directory(source)) return read_folder(source, paths, visit, damaged);
  std::unordered_map<std::string, size_t> wanted;
  for (size_t i = 0; i < paths.size(); ++i) {
    require(wanted.emplace(paths[i], i).second, entry_name(source, paths[i]), " is asked for twice");
  }
  ArchiveReader reader(source);
  while (!wanted.empty()) {
    const auto entry = reader.next();
    require(entry.has_value(), printable(source.string()), " holds no file ",
            printable(wanted.begin()->first));
    const auto found = wanted.find(entry->path);
    if (found == wanted.end() || entry->is_link) continue;
    const size_t i = found->second;
    wanted.erase(found);
    std::vector<uint8_t> bytes;
    try {
      bytes = reader.read(entry_name(source, entry->path));
    } catch (const Error& error) {
      if (!damaged) throw;
      damaged(i, error.what());
      continue;
    }
    visit(i, std::move(bytes));
  }
}

uint64_t content_hash(const fs::path& source, const std::vector<std::string>& paths) {
  require_readable(source);
  Hash hash;
  if (fs::is_directory(source)) {
    for (const auto& path : paths) {
      std::error_code error;
      const bool regular = fs::is_regular_file(source / path, error);
      const auto size = regular ? fs::file_size(source / path, error) : 0;
      const auto changed = fs::last_write_time(source / path, error).time_since_epoch().count();
      hash.add(path).add(size).add(error ? 0 : static_cast<uint64_t>(changed));
    }
    return hash.value();
  }
  std::ifstream file(source, std::ios::binary);
  std::vector<uint8_t> block(1 << 20);
  while (file) {
    file.read(reinterpret_cast<char*>(block.data()), static_cast<std::streamsize>(block.size()));
    hash.add(block.data(), static_cast<size_t>(file.gcount()));
  }
  require(file.eof(), "cannot read ", printable(source.string()));
  return hash.value();
}

}  // namespace innerloop
