// OpenGL contexts of EGL that need no window. libEGL is opened at the first use; Error if that fails.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runners/drawing/gl_context.h"

namespace innerloop {

using EglDevice = void*;

std::vector<EglDevice> egl_devices();  // not empty

// Current contexts; `name` begins their description.
std::unique_ptr<GlContext> make_egl_context(EglDevice device, const std::string& name);
std::unique_ptr<GlContext> make_surfaceless_context(const std::string& name);

}  // namespace innerloop
