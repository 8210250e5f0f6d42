#include "runners/build_facts.h"

#include <mujoco/mujoco.h>
#include <torch/version.h>

#include <Eigen/Core>

#include "base/error.h"
#include "runners/experiment/mpi_processes.h"

namespace innerloop {
namespace {

std::string compiler() {
#if defined(__clang__)
  return concat("clang++ ", __clang_version__);
#else
  return concat("g++ ", __VERSION__);
#endif
}

// The widest vectors that the compiler was allowed to use, and whether this machine has wider ones.
std::string instruction_set() {
#if defined(__AVX512F__)
  const std::string built = "AVX-512";
  const bool wider = false;
#elif defined(__AVX2__)
  const std::string built = "AVX2";
  const bool wider = __builtin_cpu_supports("avx512f");
#elif defined(__AVX__)
  const std::string built = "AVX";
  const bool wider = __builtin_cpu_supports("avx2");
#elif defined(__SSE2__)
  const std::string built = "SSE2";
  const bool wider = __builtin_cpu_supports("avx2");
#else
  return concat("without vectors, ", Eigen::SimdInstructionSetsInUse());
#endif
#if defined(__SSE2__)
  return wider ? built + "; this machine has more: a build on it (INNERLOOP_NATIVE, the default) is faster"
               : built;
#endif
}

}  // namespace

std::vector<BuildFact> build_facts() {
  return {{"compiler", compiler()},
          {"LibTorch", TORCH_VERSION},
          {"MuJoCo", mj_versionString()},
          {"Eigen", concat(EIGEN_WORLD_VERSION, ".", EIGEN_MAJOR_VERSION, ".", EIGEN_MINOR_VERSION)},
          {"MPI", mpi_library()},
          {"instructions", instruction_set()}};
}

}  // namespace innerloop
