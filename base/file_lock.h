// One process at a time: a file that is locked (flock) while it is in use, and says by whom.
#pragma once

#include <filesystem>
#include <string>

namespace innerloop {

// Creates the file if need be, locks it and writes this process' id into it. The lock holds until the
// returned descriptor is closed or the process ends, however it ends. Error if it cannot be made, and if
// another process holds it: `busy` begins the message, the owner's id and `advice` follow.
int lock_file(const std::filesystem::path& file, const std::string& busy, const std::string& advice);

// The same without a word of who holds it, and waiting until it is free.
int wait_for_lock(const std::filesystem::path& file);

// Some process holds the lock. A file that is not there is not held.
bool is_locked(const std::filesystem::path& file);

}  // namespace innerloop
