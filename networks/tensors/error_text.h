// What went wrong, in a line for whom it concerns: knows LibTorch's errors.
#pragma once

#include <exception>
#include <string>

namespace innerloop {

// The error's own text; LibTorch's without its stack frames; of an allocation that failed, what can be done.
std::string error_text(const std::exception& error);

}  // namespace innerloop
