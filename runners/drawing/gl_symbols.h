// What the kinds of OpenGL context share: functions looked up by name, and what a current context says of
// itself.
#pragma once

#include <dlfcn.h>

#include <string>

#include "base/error.h"

namespace innerloop {

template <class Function>
Function symbol(void* library, const char* name) {
  const auto function = reinterpret_cast<Function>(dlsym(library, name));
  require(function != nullptr, "the library lacks ", name);
  return function;
}

using GlGetString = const unsigned char* (*)(unsigned name);

// "llvmpipe (LLVM 15.0.6, 256 bits), Mesa/X.org, OpenGL 4.5 ..." of the current context. Error if that is no
// desktop OpenGL.
std::string gl_renderer_name(GlGetString get_string);

}  // namespace innerloop
