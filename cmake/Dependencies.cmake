# Everything from outside, each as one target; innerloopConfig.cmake includes this file too, and its targets are
# imported ones, so that the installed libraries name them. CMAKE_PREFIX_PATH comes before the system's copies.
find_package(Threads REQUIRED)
find_package(Eigen3 3.4 CONFIG REQUIRED)
find_package(box2d CONFIG REQUIRED)
find_package(MuJoCo 2.2 REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
# gnuplot-iostream is one header over Boost.Iostreams (pipes) and Boost.Filesystem (temporary files).
find_package(Boost CONFIG REQUIRED COMPONENTS program_options iostreams filesystem system)
find_package(Random123 REQUIRED)
find_package(OpenCVParts REQUIRED)
find_package(FFmpegParts REQUIRED)  # films: OpenCV's writer has no choice of quality
find_package(LibArchive REQUIRED)  # data sets come as zip archives
find_package(Freetype REQUIRED)  # captions: OpenCV's core modules have stroke fonts only
find_package(GnuplotIostream REQUIRED)
find_package(Protozero REQUIRED)  # files that other programs read: event files, ONNX

# MuJoCo's pictures need EGL or OSMesa; their libraries are opened when the first film is made, so only a header is
# needed here (Debian: libegl-dev).
find_path(EGL_INCLUDE_DIR EGL/eglext.h REQUIRED)
mark_as_advanced(EGL_INCLUDE_DIR)
if(NOT TARGET innerloop::egl)
  add_library(innerloop::egl INTERFACE IMPORTED GLOBAL)
  target_include_directories(innerloop::egl INTERFACE ${EGL_INCLUDE_DIR})
  target_link_libraries(innerloop::egl INTERFACE ${CMAKE_DL_LIBS})
endif()

# LibTorch 1.13 to 2.x. Its configuration file appends flags to CMAKE_CXX_FLAGS in some versions (the CUDA and
# the old-ABI builds): keep them to the targets that use torch.
set(flags_before_torch "${CMAKE_CXX_FLAGS}")
find_package(Torch REQUIRED)
set(CMAKE_CXX_FLAGS "${flags_before_torch}")
if(NOT TARGET innerloop::torch)
  add_library(innerloop::torch INTERFACE IMPORTED GLOBAL)
  target_include_directories(innerloop::torch INTERFACE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(innerloop::torch INTERFACE ${TORCH_LIBRARIES})
  separate_arguments(torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")
  target_compile_options(innerloop::torch INTERFACE ${torch_flags})
endif()

# Open MPI or MPICH, whichever mpicxx is (or MPI_CXX_COMPILER names).
if(INNERLOOP_MPI AND NOT TARGET innerloop::mpi)
  set(MPI_CXX_SKIP_MPICXX ON)
  find_package(MPI COMPONENTS CXX)
  if(MPI_CXX_FOUND)
    add_library(innerloop::mpi INTERFACE IMPORTED GLOBAL)
    target_link_libraries(innerloop::mpi INTERFACE MPI::MPI_CXX)
  else()
    message(STATUS "No MPI found: one process at a time (libopenmpi-dev or libmpich-dev brings it)")
  endif()
endif()

# For executables. Nothing refers to a symbol of mimalloc, so the linker would drop it under --as-needed, and
# malloc would silently stay glibc's; tests/base/allocator_test.cpp asks where malloc's memory comes from.
if(NOT TARGET innerloop::allocator)
  add_library(innerloop::allocator INTERFACE IMPORTED GLOBAL)
  if(INNERLOOP_MIMALLOC AND NOT INNERLOOP_SANITIZE)
    find_package(mimalloc CONFIG REQUIRED)
    target_link_libraries(innerloop::allocator INTERFACE
      -Wl,--push-state,--no-as-needed mimalloc -Wl,--pop-state)
    target_compile_definitions(innerloop::allocator INTERFACE INNERLOOP_MIMALLOC)
  endif()
endif()
