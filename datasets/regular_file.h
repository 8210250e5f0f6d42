// Files whose reading ends: regular ones. A named pipe, a socket or a device may make a reader wait for ever.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace innerloop {

// Error that says what `path` is unless it is a regular file, or a link to one, that can be read. `name` is
// what errors call it.
void require_regular(const std::filesystem::path& path, const std::string& name);

// The whole content; errors as above.
std::vector<uint8_t> read_regular(const std::filesystem::path& path, const std::string& name);

}  // namespace innerloop
