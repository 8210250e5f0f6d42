// Mesa's software renderer beside a LibTorch that brings an LLVM of its own.
#pragma once

namespace innerloop {

// llvmpipe compiles shaders with the shared libLLVM that Mesa is linked to. Debian 13's LibTorch (2.6) holds
// another LLVM and exports the functions that register its targets; the dynamic linker prefers those, Mesa
// registers x86 with LibTorch's LLVM instead of with its own, finds no target there and crashes in
// eglCreateContext. This registers x86 with every libLLVM in the process whose functions are hidden so. To be
// called when Mesa's libraries are loaded and before a context is made; without the conflict it does nothing.
void register_targets_of_mesas_llvm();

}  // namespace innerloop
