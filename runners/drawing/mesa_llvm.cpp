#include "runners/drawing/mesa_llvm.h"

#include <dlfcn.h>
#include <link.h>

#include <string>
#include <vector>

namespace innerloop {
namespace {

using Register = void (*)();

// The paths of the shared LLVMs in this process.
std::vector<std::string> loaded_llvms() {
  std::vector<std::string> paths;
  const auto visit = [](dl_phdr_info* library, size_t, void* found) {
    const std::string path = library->dlpi_name;
    if (path.find("/libLLVM") != std::string::npos)
      static_cast<std::vector<std::string>*>(found)->push_back(path);
    return 0;
  };
  dl_iterate_phdr(visit, &paths);
  return paths;
}

}  // namespace

void register_targets_of_mesas_llvm() {
  for (const auto& path : loaded_llvms()) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
    if (library == nullptr) continue;
    for (const char* name : {"LLVMInitializeX86TargetInfo", "LLVMInitializeX86Target",
                             "LLVMInitializeX86TargetMC", "LLVMInitializeX86AsmPrinter"}) {
      const auto visible = reinterpret_cast<Register>(dlsym(RTLD_DEFAULT, name));
      const auto own = reinterpret_cast<Register>(dlsym(library, name));
      if (own != nullptr && visible != nullptr && own != visible) own();
    }
    dlclose(library);
  }
}

}  // namespace innerloop
