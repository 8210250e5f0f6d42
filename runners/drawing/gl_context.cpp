#include "runners/drawing/gl_context.h"

#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "runners/drawing/egl_context.h"
#include "runners/drawing/gl_symbols.h"
#include "runners/drawing/osmesa_context.h"

namespace innerloop {
namespace {

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
  std::vector<EglDevice> devices;
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
    auto context = attempt(name, [&] { return make_egl_context(devices[i], name); });
    if (context) return context;
  }
  return nullptr;
}

const std::vector<std::string> kBackEnds{"egl", "surfaceless", "osmesa"};

std::unique_ptr<GlContext> try_back_end(const std::string& name, Attempts& attempt) {
  if (name == "egl") return make_on_device(attempt);
  if (name == "osmesa") return attempt(name, [] { return make_osmesa_context(); });
  return attempt(name, [&] { return make_surfaceless_context(name); });
}

const char* library_of(const std::string& back_end) { return back_end == "osmesa" ? "OSMesa" : "EGL"; }

}  // namespace

std::string gl_renderer_name(GlGetString get_string) {
  constexpr unsigned kGlVendor = 0x1F00, kGlRenderer = 0x1F01, kGlVersion = 0x1F02;  // from GL/gl.h
  const auto text = [&](unsigned name) {
    const auto* value = get_string == nullptr ? nullptr : get_string(name);
    return std::string(value == nullptr ? "" : reinterpret_cast<const char*>(value));
  };
  const std::string version = text(kGlVersion);
  require(!version.empty() && version.find("OpenGL ES") == std::string::npos,
          "the context has OpenGL version '", version, "', expected desktop OpenGL 1.5 or newer");
  return concat(text(kGlRenderer), ", ", text(kGlVendor), ", OpenGL ", version);
}

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
