# add_room(NAME [TORCH] LINK ...): the library of one room, all .cpp files of its folder but main.cpp.
# add_program(NAME SOURCES ... LINK ... [TORCH]): an executable. TORCH means: uses the precompiled torch header.

add_library(warnings INTERFACE)
target_compile_options(warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 blames its own AVX-512 intrinsics, where Eigen uses them (GCC bug 105593), and its own std::string, in
  # "a" + string (GCC bug 105651).
  target_compile_options(warnings INTERFACE -Wno-maybe-uninitialized -Wno-uninitialized
    -Wno-restrict)
endif()

# How all code of the project is compiled: alike everywhere, or Eigen's alignment and the rounding of a product
# would differ from one file to the next.
add_library(build_options INTERFACE)
if(INNERLOOP_NATIVE)
  target_compile_options(build_options INTERFACE -march=native)
endif()
if(INNERLOOP_SANITIZE)
  set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(build_options INTERFACE ${sanitizers})
  target_compile_definitions(build_options INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(build_options INTERFACE ${sanitizers})
endif()

# A file that includes torch costs 10 s to compile, 5.6 s with this header, which is compiled once for all rooms.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/torch_header.cpp CONTENT "")
add_library(torch_header OBJECT ${PROJECT_BINARY_DIR}/torch_header.cpp)
target_link_libraries(torch_header PRIVATE build_options warnings libtorch Threads::Threads)
target_precompile_headers(torch_header PRIVATE <torch/torch.h>)

function(add_room name)
  cmake_parse_arguments(PARSE_ARGV 1 room "TORCH" "" "LINK")
  file(GLOB sources CONFIGURE_DEPENDS ${name}/*.cpp)
  list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/${name}/main.cpp)
  if(sources)
    add_library(${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(${name} PRIVATE warnings)
    if(room_TORCH)
      target_precompile_headers(${name} REUSE_FROM torch_header)
    endif()
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${name} ${scope} ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} ${scope} build_options ${room_LINK})
  if(room_TORCH)
    target_link_libraries(${name} ${scope} libtorch)
  endif()
endfunction()

function(add_program name)
  cmake_parse_arguments(PARSE_ARGV 1 program "TORCH" "" "SOURCES;LINK")
  add_executable(${name} ${program_SOURCES})
  target_link_libraries(${name} PRIVATE ${program_LINK} allocator warnings)
  if(program_TORCH)
    target_precompile_headers(${name} REUSE_FROM torch_header)
  endif()
  if(INNERLOOP_SANITIZE)
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/sanitizer_options.cpp)
    set_source_files_properties(${PROJECT_SOURCE_DIR}/cmake/sanitizer_options.cpp PROPERTIES
      SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()
