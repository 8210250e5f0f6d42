// An OpenGL context for MuJoCo's renderer without window, display or GPU. libEGL and libOSMesa are opened
// when the first context is made, so a program that films nothing runs on machines that have neither.
//
// Back ends, in the order in which they are tried:
//   egl          the devices that EGL enumerates; only number MUJOCO_EGL_DEVICE_ID if that is set
//   surfaceless  Mesa's EGL without a device
//   osmesa       Mesa drawing into memory
// The environment variable INNERLOOP_GL names the only one to try; "none": draw nothing.
#pragma once

#include <memory>
#include <string>

namespace innerloop {

class GlContext {
 public:
  virtual ~GlContext() = default;
  GlContext(const GlContext&) = delete;
  GlContext& operator=(const GlContext&) = delete;

  virtual void make_current() = 0;  // in the calling thread; Error if the driver refuses
  // Back end and renderer: "egl, device 1 of 1: llvmpipe (LLVM 15.0.6, 256 bits)".
  const std::string& description() const { return description_; }

 protected:
  GlContext() = default;
  std::string description_;
};

// A current context of desktop OpenGL 1.5 or newer. Error with what was tried and why each failed, if none
// can be made; UsageError for an INNERLOOP_GL or MUJOCO_EGL_DEVICE_ID that cannot be understood.
//
// MuJoCo looks up the functions of OpenGL once in a process, so every context after the first has to be of
// the same library, EGL or OSMesa. Not for several threads at once.
std::unique_ptr<GlContext> make_gl_context();

}  // namespace innerloop
