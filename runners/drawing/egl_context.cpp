#include "runners/drawing/egl_context.h"

#define EGL_NO_X11  // or the header brings Xlib's macros (None, Success, ...)
#include <EGL/egl.h>
#include <EGL/eglext.h>

#include "runners/drawing/gl_symbols.h"
#include "runners/drawing/mesa_llvm.h"

namespace innerloop {
namespace {

constexpr const char* kEglLibrary = "libEGL.so.1";

// Opened for the rest of the process: contexts outlive the calls that make them, and drivers do not survive
// being unloaded. Error if the library cannot be opened.
void* open_library(const char* name, int visibility) {
  void* handle = dlopen(name, RTLD_NOW | visibility);
  if (handle == nullptr) throw Error(dlerror());
  return handle;
}

const char* egl_error_name(EGLint code) {
  switch (code) {
    case EGL_NOT_INITIALIZED:
      return "EGL_NOT_INITIALIZED";
    case EGL_BAD_ACCESS:
      return "EGL_BAD_ACCESS (may this user open /dev/dri/* and /dev/nvidia*?)";
    case EGL_BAD_ALLOC:
      return "EGL_BAD_ALLOC";
    case EGL_BAD_DISPLAY:
      return "EGL_BAD_DISPLAY";
    case EGL_BAD_MATCH:
      return "EGL_BAD_MATCH";
    case EGL_BAD_PARAMETER:
      return "EGL_BAD_PARAMETER";
    default:
      return nullptr;
  }
}

struct Egl {
  void* library = open_library(kEglLibrary, RTLD_LOCAL);
#define EGL_FUNCTION(name) decltype(&egl##name) name = symbol<decltype(&egl##name)>(library, "egl" #name)
  EGL_FUNCTION(BindAPI);
  EGL_FUNCTION(ChooseConfig);
  EGL_FUNCTION(CreateContext);
  EGL_FUNCTION(DestroyContext);
  EGL_FUNCTION(GetCurrentContext);
  EGL_FUNCTION(GetError);
  EGL_FUNCTION(GetProcAddress);
  EGL_FUNCTION(Initialize);
  EGL_FUNCTION(MakeCurrent);
  EGL_FUNCTION(QueryString);
#undef EGL_FUNCTION

  template <class Function>
  Function extension(const char* name) const {
    const auto function = reinterpret_cast<Function>(GetProcAddress(name));
    require(function != nullptr, "this EGL lacks ", name);
    return function;
  }
  // Error "eglInitialize failed: EGL_NOT_INITIALIZED" unless the call went well.
  void check(bool well, const char* call) const {
    if (well) return;
    const EGLint code = GetError();
    const char* name = egl_error_name(code);
    throw Error(name != nullptr ? concat(call, " failed: ", name) : concat(call, " failed: error ", code));
  }
};

const Egl& egl() {
  static const Egl functions;  // a failed construction is tried again by the next call
  return functions;
}

class EglContext : public GlContext {
 public:
  EglContext(EGLDisplay display, const std::string& name) : display_(display) {
    egl().check(display != EGL_NO_DISPLAY, "eglGetPlatformDisplay");
    // Displays belong to the process and are not terminated: other contexts may be of the same one.
    egl().check(egl().Initialize(display, nullptr, nullptr) == EGL_TRUE, "eglInitialize");
    register_targets_of_mesas_llvm();
    egl().check(egl().BindAPI(EGL_OPENGL_API) == EGL_TRUE, "eglBindAPI(EGL_OPENGL_API)");
    // MuJoCo draws into a framebuffer of its own, so the context needs no surface.
    const EGLint wanted[] = {EGL_SURFACE_TYPE,
                             EGL_PBUFFER_BIT,
                             EGL_RENDERABLE_TYPE,
                             EGL_OPENGL_BIT,
                             EGL_RED_SIZE,
                             8,
                             EGL_GREEN_SIZE,
                             8,
                             EGL_BLUE_SIZE,
                             8,
                             EGL_DEPTH_SIZE,
                             24,
                             EGL_NONE};
    EGLConfig config{};
    EGLint found = 0;
    egl().check(egl().ChooseConfig(display, wanted, &config, 1, &found) == EGL_TRUE, "eglChooseConfig");
    require(found > 0, "eglChooseConfig: no configuration for desktop OpenGL");
    context_ = egl().CreateContext(display, config, EGL_NO_CONTEXT, nullptr);
    egl().check(context_ != EGL_NO_CONTEXT, "eglCreateContext");
    try {
      make_current();
      description_ = concat(
          name, ": ", gl_renderer_name(reinterpret_cast<GlGetString>(egl().GetProcAddress("glGetString"))));
    } catch (...) {
      destroy();
      throw;
    }
    // MuJoCo looks for eglGetProcAddress among the symbols that all of the process can see.
    dlopen(kEglLibrary, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
  }
  ~EglContext() override { destroy(); }

  void make_current() override {
    if (egl().GetCurrentContext() == context_) return;
    egl().check(egl().MakeCurrent(display_, EGL_NO_SURFACE, EGL_NO_SURFACE, context_) == EGL_TRUE,
                "eglMakeCurrent");
  }

 private:
  void destroy() noexcept {
    if (egl().GetCurrentContext() == context_)
      egl().MakeCurrent(display_, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    egl().DestroyContext(display_, context_);
  }

  EGLDisplay display_;
  EGLContext context_ = EGL_NO_CONTEXT;
};

EGLDisplay platform_display(EGLenum platform, void* native) {
  const auto get = egl().extension<PFNEGLGETPLATFORMDISPLAYEXTPROC>("eglGetPlatformDisplayEXT");
  return get(platform, native, nullptr);
}

}  // namespace

std::vector<EglDevice> egl_devices() {
  const auto query = egl().extension<PFNEGLQUERYDEVICESEXTPROC>("eglQueryDevicesEXT");
  EGLint count = 0;
  egl().check(query(0, nullptr, &count) == EGL_TRUE, "eglQueryDevicesEXT");
  std::vector<EglDevice> devices(static_cast<size_t>(count));
  egl().check(count == 0 || query(count, devices.data(), &count) == EGL_TRUE, "eglQueryDevicesEXT");
  require(!devices.empty(), "EGL knows no device");
  return devices;
}

std::unique_ptr<GlContext> make_egl_context(EglDevice device, const std::string& name) {
  return std::make_unique<EglContext>(platform_display(EGL_PLATFORM_DEVICE_EXT, device), name);
}

std::unique_ptr<GlContext> make_surfaceless_context(const std::string& name) {
  return std::make_unique<EglContext>(platform_display(EGL_PLATFORM_SURFACELESS_MESA, nullptr), name);
}

}  // namespace innerloop
