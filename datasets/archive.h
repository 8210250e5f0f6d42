// Files of an archive (zip, tar, or tar compressed by gzip, bzip2, xz or zstd) or of a folder, one way for
// all. A path inside has '/' between its parts and no leading one; it is relative to the folder.
//
// Names are the bytes that the archive or the folder holds, whatever the locale. Two exceptions: where an
// archive says that a name is UTF-8, libarchive composes its letters (Unicode's NFC); and where a zip archive
// of Windows has '\' between the parts, it becomes '/'.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace innerloop {

struct Listing {
  std::vector<std::string> files;    // by normal_form (datasets/names.h), so that zip and folder agree
  std::vector<std::string> skipped;  // "PATH (why)": links that are not followed
};

// All files of `source`. Left out: names that start with a dot and what macOS adds to archives (__MACOSX/).
// Links in folders are followed (datasets/folder_walk.h), links in archives are not. Error if `source` is
// missing, cannot be read, or is neither a folder nor a whole archive.
Listing list_files(const std::filesystem::path& source);

// Whether the name is that of an archive: .zip, .tar, .tgz, .tar.gz and so on, in capitals or not.
bool is_archive_name(const std::string& path);

using FileVisitor = std::function<void(size_t i, std::vector<uint8_t>&& bytes)>;
using DamageVisitor = std::function<void(size_t i, const std::string& reason)>;

// Calls visit(i, bytes of paths[i]) once for every i, in the order in which they are read fastest. For a file
// that is missing, cannot be read or is damaged (a zip archive has checksums, tar has none), calls damaged(i,
// what an Error would say), or without it throws the Error, which names source and path. An archive in which
// no further file can be found is an Error in any case.
void read_files(const std::filesystem::path& source, const std::vector<std::string>& paths,
                const FileVisitor& visit, const DamageVisitor& damaged = {});

// A number that changes when the content does. Of an archive: a hash over its bytes. Of a folder: over path,
// size and time of the last change of the files `paths`.
uint64_t content_hash(const std::filesystem::path& source, const std::vector<std::string>& paths);

// The file or a file of the folder, for errors: "SOURCE: PATH", printable.
std::string entry_name(const std::filesystem::path& source, const std::string& path);

}  // namespace innerloop
