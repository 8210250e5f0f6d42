#include "runners/drawing/osmesa_context.h"

#include <vector>

#include "runners/drawing/gl_symbols.h"
#include "runners/drawing/mesa_llvm.h"

namespace innerloop {
namespace {

const std::vector<const char*> kOsMesaLibraries{"libOSMesa.so.8", "libOSMesa.so.6"};

// From GL/gl.h and GL/osmesa.h, which are not worth a dependency.
constexpr unsigned kGlUnsignedByte = 0x1401;
constexpr unsigned kOsMesaRgba = 0x1908;

class OsMesaContext : public GlContext {
 public:
  OsMesaContext() : buffer_(4 * kSide * kSide) {
    void* library = nullptr;
    for (const char* name : kOsMesaLibraries) {
      // Visible to all of the process: MuJoCo looks for OSMesaGetProcAddress there.
      if (library == nullptr) library = dlopen(name, RTLD_NOW | RTLD_GLOBAL);
    }
    if (library == nullptr) throw Error(dlerror());
    register_targets_of_mesas_llvm();
    make_current_ = symbol<MakeCurrent>(library, "OSMesaMakeCurrent");
    destroy_ = symbol<Destroy>(library, "OSMesaDestroyContext");
    const auto create = symbol<Create>(library, "OSMesaCreateContextExt");
    const auto address = symbol<GetProcAddress>(library, "OSMesaGetProcAddress");
    context_ = create(kOsMesaRgba, 24, 8, 0, nullptr);
    require(context_ != nullptr, "OSMesaCreateContextExt failed");
    try {
      make_current();
      description_ =
          concat("osmesa: ", gl_renderer_name(reinterpret_cast<GlGetString>(address("glGetString"))));
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

}  // namespace

std::unique_ptr<GlContext> make_osmesa_context() { return std::make_unique<OsMesaContext>(); }

}  // namespace innerloop
