#include "runners/gl_context.h"

#define EGL_NO_X11  // or the header brings Xlib's macros (None, Success, ...)
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/error.h"

namespace innerloop {
namespace {

constexpr const char* kEglLibrary = "libEGL.so.1";
const std::vector<const char*> kOsMesaLibraries{"libOSMesa.so.8", "libOSMesa.so.6"};

// From GL/gl.h and GL/osmesa.h, which are not worth a dependency.
constexpr unsigned kGlVendor = 0x1F00, kGlRenderer = 0x1F01, kGlVersion = 0x1F02, kGlUnsignedByte = 0x1401;
constexpr int kOsMesaRgba = 0x1908;
using GlGetString = const unsigned char* (*)(unsigned name);

// Opened for the rest of the process: contexts outlive the calls that make them, and drivers do not survive
// being unloaded. Error if the library cannot be opened.
void* open_library(const char* name, int visibility) {
  void* handle = dlopen(name, RTLD_NOW | visibility);
  if (handle == nullptr) throw Error(dlerror());
  return handle;
}

template <class Function>
Function symbol(void* library, const char* name) {
  const auto function = reinterpret_cast<Function>(dlsym(library, name));
  require(function != nullptr, "the library lacks ", name);
  return function;
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

std::string renderer_name(GlGetString get_string) {
  const auto text = [&](unsigned name) {
    const auto* value = get_string == nullptr ? nullptr : get_string(name);
    return std::string(value == nullptr ? "" : reinterpret_cast<const char*>(value));
  };
  const std::string version = text(kGlVersion);
  require(!version.empty() && version.find("OpenGL ES") == std::string::npos,
          "the context has OpenGL version '", version, "', expected desktop OpenGL 1.5 or newer");
  return concat(text(kGlRenderer), ", ", text(kGlVendor), ", OpenGL ", version);
}

class EglContext : public GlContext {
 public:
  EglContext(EGLDisplay display, const std::string& name) : display_(display) {
    egl().check(display != EGL_NO_DISPLAY, "eglGetPlatformDisplay");
    // Displays belong to the process and are not terminated: other contexts may be of the same one.
    egl().check(egl().Initialize(display, nullptr, nullptr) == EGL_TRUE, "eglInitialize");
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
          name, ": ", renderer_name(reinterpret_cast<GlGetString>(egl().GetProcAddress("glGetString"))));
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

class OsMesaContext : public GlContext {
 public:
  OsMesaContext() : buffer_(4 * kSide * kSide) {
    void* library = nullptr;
    for (const char* name : kOsMesaLibraries) {
      // Visible to all of the process: MuJoCo looks for OSMesaGetProcAddress there.
      if (library == nullptr) library = dlopen(name, RTLD_NOW | RTLD_GLOBAL);
    }
    if (library == nullptr) throw Error(dlerror());
    make_current_ = symbol<MakeCurrent>(library, "OSMesaMakeCurrent");
    destroy_ = symbol<Destroy>(library, "OSMesaDestroyContext");
    const auto create = symbol<Create>(library, "OSMesaCreateContextExt");
    const auto address = symbol<GetProcAddress>(library, "OSMesaGetProcAddress");
    context_ = create(kOsMesaRgba, 24, 8, 0, nullptr);
    require(context_ != nullptr, "OSMesaCreateContextExt failed");
    try {
      make_current();
      description_ = concat("osmesa: ", renderer_name(reinterpret_cast<GlGetString>(address("glGetString"))));
    } catch (...) {
      destroy_(context_);
      throw;
    }
  }
  ~OsMesaContext() override { destroy_(context_); }

  void make_current() override {
    require(make_current_(context_, buffer_.data(), kGlUnsignedByte, kSide, kSide) != 0,
            "OSMesaMakeCurrent failed");
  }

 private:
  using Create = void* (*)(unsigned format, int depth_bits, int stencil_bits, int accumulation_bits, void*);
  using MakeCurrent = unsigned char (*)(void* context, void* buffer, unsigned type, int width, int height);
  using Destroy = void (*)(void* context);
  using GetProcAddress = void (*(*)(const char* name))();
  static constexpr int kSide = 16;  // the window that a context must have and MuJoCo does not draw into

  std::vector<unsigned char> buffer_;
  MakeCurrent make_current_ = nullptr;
  Destroy destroy_ = nullptr;
  void* context_ = nullptr;
};

// What failed, one line each.
class Attempts {
 public:
  template <class Make>
  std::unique_ptr<GlContext> operator()(const std::string& name, Make&& make) {
    try {
      return make();
    } catch (const UsageError&) {
      throw;
    } catch (const std::exception& error) {
      text_ += concat("\n  ", name, ": ", error.what());
      return nullptr;
    }
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

EGLDisplay platform_display(EGLenum platform, void* native) {
  const auto get = egl().extension<PFNEGLGETPLATFORMDISPLAYEXTPROC>("eglGetPlatformDisplayEXT");
  return get(platform, native, nullptr);
}

std::vector<EGLDeviceEXT> egl_devices() {
  const auto query = egl().extension<PFNEGLQUERYDEVICESEXTPROC>("eglQueryDevicesEXT");
  EGLint count = 0;
  egl().check(query(0, nullptr, &count) == EGL_TRUE, "eglQueryDevicesEXT");
  std::vector<EGLDeviceEXT> devices(static_cast<size_t>(count));
  egl().check(count == 0 || query(count, devices.data(), &count) == EGL_TRUE, "eglQueryDevicesEXT");
  require(!devices.empty(), "EGL knows no device");
  return devices;
}

// The number of the only device to try, or -1 for any.
int64_t wanted_device() {
  const char* text = std::getenv("MUJOCO_EGL_DEVICE_ID");
  if (text == nullptr || *text == '\0') return -1;
  char* end = nullptr;
  const long number = std::strtol(text, &end, 10);
  require_usage(*end == '\0' && number >= 0, "MUJOCO_EGL_DEVICE_ID is '", text,
                "', expected the number of a device, from 0");
  return number;
}

std::unique_ptr<GlContext> make_on_device(Attempts& attempt) {
  const int64_t wanted = wanted_device();
  std::vector<EGLDeviceEXT> devices;
  attempt("egl", [&]() -> std::unique_ptr<GlContext> {
    devices = egl_devices();
    require(wanted < static_cast<int64_t>(devices.size()), "MUJOCO_EGL_DEVICE_ID is ", wanted, ", there ",
            devices.size() == 1 ? "is 1 device" : concat("are ", devices.size(), " devices"),
            ", counted from 0");
    return nullptr;
  });
  for (size_t i = 0; i < devices.size(); ++i) {
    if (wanted >= 0 && static_cast<int64_t>(i) != wanted) continue;
    const std::string name = concat("egl, device ", i, " of ", devices.size());
    auto context = attempt(name, [&] {
      return std::make_unique<EglContext>(platform_display(EGL_PLATFORM_DEVICE_EXT, devices[i]), name);
    });
    if (context) return context;
  }
  return nullptr;
}

const std::vector<std::string> kBackEnds{"egl", "surfaceless", "osmesa"};

std::unique_ptr<GlContext> try_back_end(const std::string& name, Attempts& attempt) {
  if (name == "egl") return make_on_device(attempt);
  if (name == "osmesa") return attempt(name, [] { return std::make_unique<OsMesaContext>(); });
  return attempt(name, [&] {
    return std::make_unique<EglContext>(platform_display(EGL_PLATFORM_SURFACELESS_MESA, nullptr), name);
  });
}

const char* library_of(const std::string& back_end) { return back_end == "osmesa" ? "OSMesa" : "EGL"; }

}  // namespace

std::unique_ptr<GlContext> make_gl_context() {
  static const char* library_in_use = nullptr;
  const char* variable = std::getenv("INNERLOOP_GL");
  const std::string wanted = variable == nullptr ? "" : variable;
  bool known = wanted.empty() || wanted == "none";
  for (const auto& name : kBackEnds) known |= name == wanted;
  require_usage(known, "INNERLOOP_GL is '", wanted, "', expected one of ", join(kBackEnds), " or none");
  Attempts attempts;
  for (const auto& name : kBackEnds) {
    if (!wanted.empty() && name != wanted) continue;
    const char* library = library_of(name);
    if (library_in_use != nullptr && std::strcmp(library, library_in_use) != 0) continue;
    if (auto context = try_back_end(name, attempts)) {
      library_in_use = library;
      return context;
    }
  }
  std::string advice = wanted.empty()
                           ? "; install Mesa's drivers (Debian: libegl1 libegl-mesa0 libgl1-mesa-dri, or "
                             "libosmesa6)"
                           : concat("; the environment variable INNERLOOP_GL is '", wanted, "'");
  if (library_in_use != nullptr) advice += concat("; this process draws with ", library_in_use, " already");
  throw Error(concat("no OpenGL context to draw in", advice,
                     attempts.text().empty() ? "" : "; tried:", attempts.text()));
}

}  // namespace innerloop
