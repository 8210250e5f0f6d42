# add_room(FOLDER [TORCH | EIGEN] [UNITY [APART NAME...]] [LIGHT] [ROOMS FOLDER...] [LINK ...]): the library of one room,
# all .cpp files of its folder but main.cpp; a sub-folder is a room of its own. The library of networks/kernels is
# innerloop::networks_kernels, as a part of this build, of a build that contains this one and of an installation.
# TORCH: its headers use torch; EIGEN: Eigen, and nothing below it torch. ROOMS: the rooms it uses. UNITY: with
# INNERLOOP_UNITY its files are compiled some at a time, so their anonymous namespaces share one set of names. APART:
# but not the files that calculate themselves, where what is inlined would decide how a product and a sum are rounded.
# LIGHT: its work is done by what it calls; -O1 spares compiler's time (anil.cpp 4.8 -> 2.1 s).
# add_program(NAME SOURCES ... LINK ...): an executable.

# The target that stands behind innerloop::NAME: plain names (base, meta) would meet those of a project around this.
function(add_inner name type)
  add_library(innerloop_${name} ${type} ${ARGN})
  add_library(innerloop::${name} ALIAS innerloop_${name})
  set_target_properties(innerloop_${name} PROPERTIES EXPORT_NAME ${name})
  if(INNERLOOP_INSTALL)
    install(TARGETS innerloop_${name} EXPORT innerloop)
  elseif(NOT PROJECT_IS_TOP_LEVEL OR INNERLOOP_FUZZ)
    # Only what the other project, or a fuzz target, links.
    set_target_properties(innerloop_${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endfunction()

add_library(innerloop_warnings INTERFACE)
# A use site names the fields of a struct that it sets; the others keep their defaults (-Wextra objects to that).
target_compile_options(innerloop_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 blames its own AVX-512 intrinsics, where Eigen uses them (GCC bug 105593), and its own std::string, in
  # "a" + string (GCC bug 105651).
  target_compile_options(innerloop_warnings INTERFACE -Wno-maybe-uninitialized -Wno-uninitialized -Wno-restrict
    -Wno-stringop-overflow)
endif()

function(compile_lightly target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()

# How all code of the project, and all code that uses it, is compiled: alike everywhere, or Eigen's alignment and the
# rounding of a product would differ from one file to the next.
add_inner(build_options INTERFACE)
target_compile_features(innerloop_build_options INTERFACE cxx_std_20)
if(INNERLOOP_NATIVE)
  target_compile_options(innerloop_build_options INTERFACE -march=native)
endif()
if(INNERLOOP_SANITIZE)
  set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(innerloop_build_options INTERFACE ${sanitizers})
  target_compile_definitions(innerloop_build_options INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(innerloop_build_options INTERFACE ${sanitizers})
endif()
if(INNERLOOP_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    message(FATAL_ERROR "INNERLOOP_FUZZ needs clang++ (it brings libFuzzer), found ${CMAKE_CXX_COMPILER}")
  endif()
  target_compile_options(innerloop_build_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Precompiled once: what rooms use of torch; Eigen; and for tests, if there are any, what they use of it and Catch2. Not all of
# torch: its inline functions instantiate templates anew in every file, four times as long as these.
# LINK: what their headers need beside the project's flags.
function(precompiled_header name)
  cmake_parse_arguments(PARSE_ARGV 1 header "" "" "HEADERS;LINK")
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/torch_header.cpp CONTENT "")
  add_library(innerloop_${name} OBJECT EXCLUDE_FROM_ALL ${PROJECT_BINARY_DIR}/torch_header.cpp)
  target_include_directories(innerloop_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(innerloop_${name} PRIVATE innerloop_build_options innerloop_warnings ${header_LINK})
  target_precompile_headers(innerloop_${name} PRIVATE ${header_HEADERS})  # <...>: a path would differ in every clone
endfunction()
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  # c10::List uses a std::vector of c10::IValue before that is complete, which clang takes amiss in C++20 (vectors are
  # constexpr) unless IValue comes first.
  set(before <ATen/core/ivalue.h>)
endif()
precompiled_header(tensor_header HEADERS ${before} <networks/tensors/tensor.h> LINK innerloop::torch Threads::Threads)
precompiled_header(eigen_header HEADERS <Eigen/Core> <functional> <memory> <string> <vector> LINK Eigen3::Eigen)

# Sets OUT to whether FILE includes something that matches PATTERN, itself or through the project's headers. (Wrong
# after an edit until the next configuration, which costs seconds, never correctness.)
function(includes file pattern out)
  set(key "innerloop_includes_${pattern}_${file}")
  get_property(known GLOBAL PROPERTY "${key}")
  if("${known}" STREQUAL "")
    set(known OFF)
    set_property(GLOBAL PROPERTY "${key}" OFF)  # ends the walk at headers that include each other
    file(STRINGS ${file} lines REGEX "^#include ")
    foreach(line ${lines})
      if(line MATCHES "${pattern}")
        set(known ON)
      elseif(line MATCHES "\"([^\"]+)\"" AND EXISTS ${PROJECT_SOURCE_DIR}/${CMAKE_MATCH_1})
        includes(${PROJECT_SOURCE_DIR}/${CMAKE_MATCH_1} "${pattern}" known)
      endif()
      if(known)
        break()
      endif()
    endforeach()
    set_property(GLOBAL PROPERTY "${key}" ${known})
  endif()
  set(${out} ${known} PARENT_SCOPE)
endfunction()

# The precompiled header for the files of `target` that use torch, or with EIGEN those that use Eigen; loading it costs
# the others a second each.
function(precompile target)
  set(kinds "test,tests/torch_catch.h" "tensor,networks/tensors/tensor.h")
  if(EIGEN IN_LIST ARGN)
    set(kinds "eigen,<Eigen/")
  endif()
  get_target_property(sources ${target} SOURCES)
  set(header)
  foreach(kind ${kinds})
    string(REGEX MATCH "^([a-z]+),(.*)$" kind ${kind})
    set(name ${CMAKE_MATCH_1})
    set(pattern ${CMAKE_MATCH_2})
    foreach(source ${sources})
      get_filename_component(source ${source} ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
      includes(${source} "${pattern}" found)
      if(found AND NOT header)
        set(header ${name})
      endif()
    endforeach()
  endforeach()
  if(NOT header)
    return()
  endif()
  foreach(source ${sources})
    get_filename_component(source ${source} ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
    if(header STREQUAL eigen)
      includes(${source} "<Eigen/" found)
    else()
      includes(${source} "networks/tensors/tensor.h" found)
    endif()
    if(NOT found)
      set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endforeach()
  target_precompile_headers(${target} REUSE_FROM innerloop_${header}_header)
endfunction()

function(add_room folder)
  cmake_parse_arguments(PARSE_ARGV 1 room "TORCH;EIGEN;UNITY;LIGHT" "" "APART;ROOMS;LINK")
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.h)
  list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/${folder}/main.cpp)
  if(sources)
    add_inner(${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(innerloop_${name} PRIVATE $<BUILD_INTERFACE:innerloop_warnings>)
    set(header)
    if(room_EIGEN)
      set(header EIGEN)
    endif()
    precompile(innerloop_${name} ${header})
    if(room_LIGHT)
      compile_lightly(innerloop_${name})
    endif()
    if(room_UNITY AND INNERLOOP_UNITY)
      set_target_properties(innerloop_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)
      list(TRANSFORM room_APART REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/${folder}/\\1.cpp")
      set_source_files_properties(${room_APART} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  else()
    add_inner(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  # A header is "meta/task.h" within the project and <innerloop/meta/task.h> from outside.
  target_include_directories(innerloop_${name} ${scope}
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/innerloop>)
  target_include_directories(innerloop_${name} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  list(TRANSFORM room_ROOMS REPLACE "/" "_")
  list(TRANSFORM room_ROOMS PREPEND innerloop::)
  target_link_libraries(innerloop_${name} ${scope} innerloop::build_options ${room_ROOMS} ${room_LINK})
  if(room_TORCH)
    target_link_libraries(innerloop_${name} ${scope} innerloop::torch)
  endif()
  if(INNERLOOP_INSTALL)
    install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/innerloop/${folder})
  endif()
  if(NOT folder MATCHES "/")
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include/innerloop)
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${PROJECT_BINARY_DIR}/include/innerloop/${folder} SYMBOLIC)
  endif()
endfunction()

function(add_program name)
  cmake_parse_arguments(PARSE_ARGV 1 program "" "" "SOURCES;LINK")
  add_executable(${name} ${program_SOURCES})
  target_link_libraries(${name} PRIVATE ${program_LINK} innerloop::allocator innerloop_warnings)
  if(INNERLOOP_SANITIZE)
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/sanitizer_options.cpp)
  elseif(INNERLOOP_MIMALLOC)
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/failed_new.cpp)
    set_source_files_properties(${PROJECT_SOURCE_DIR}/cmake/failed_new.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  endif()
  precompile(${name})
endfunction()
