// Files of a zip archive or of a folder, one way for both. A path inside has '/' between its parts and no
// leading one; it is relative to the folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace innerloop {

// All files of `source`, sorted by path. Left out: names that start with a dot and what macOS adds to
// archives (__MACOSX/). Links in folders are followed. Error if `source` is missing, cannot be read, or is
// neither a folder nor a whole zip archive.
std::vector<std::string> list_files(const std::filesystem::path& source);

// Calls visit(i, bytes of paths[i]) once for every i, in the order in which they are read fastest. Error that
// names source and path if a file is missing, cannot be read or is damaged (checksum of the archive).
void read_files(const std::filesystem::path& source, const std::vector<std::string>& paths,
                const std::function<void(size_t i, std::vector<uint8_t>&& bytes)>& visit);

// A number that changes when the content does. Of an archive: a hash over its bytes. Of a folder: over path,
// size and time of the last change of the files `paths`.
uint64_t content_hash(const std::filesystem::path& source, const std::vector<std::string>& paths);

// The file or a file of the folder, for errors: "SOURCE: PATH".
std::string entry_name(const std::filesystem::path& source, const std::string& path);

}  // namespace innerloop
