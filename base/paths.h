// Where the program's own files lie, installed or not, and which version it is.
#pragma once

#include <filesystem>
#include <string>

namespace innerloop {

std::string version();  // "0.1.0"

// The folder that holds configs/ (and assets/): $INNERLOOP_SHARE if set (an error if it does not hold
// configs/), else ../share/innerloop beside the folder of the running program (an installed program, also one
// that was moved), else the source tree this program was built from.
std::filesystem::path data_directory();

}  // namespace innerloop
