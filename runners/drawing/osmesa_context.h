// OpenGL contexts of OSMesa, which draws into memory. libOSMesa is opened at the first use.
#pragma once

#include <memory>

#include "runners/drawing/gl_context.h"

namespace innerloop {

std::unique_ptr<GlContext> make_osmesa_context();  // current; Error if it cannot be made

}  // namespace innerloop
