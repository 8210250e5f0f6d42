# Reads every #include "ROOM/..." of the rooms and fails where one points to a higher floor, where a room that must
# build without torch includes it (itself or through a header of another room), where one includes all of torch
# instead of networks/tensors/tensor.h, which costs a file half the time, and where a folder with sources has no floor
# here. Run: cmake -P tests/rooms_test.cmake
cmake_minimum_required(VERSION 3.25)
get_filename_component(root ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
set(floors
  base=0
  networks/kernels=1 networks/tensors=1
  networks=2 envs=2
  policies=3
  sampling=4 datasets=4
  meta=5
  meta/optimizers=6
  meta/supervised=7 meta/policy=7
  meta/algorithms=8
  runners/drawing=9
  runners/experiment=10
  runners/suites=11 runners/reports=11
  runners=12)
set(without_torch base networks/kernels envs sampling runners/drawing runners/suites)

foreach(entry ${floors})
  string(REGEX MATCH "^(.*)=(.*)$" _ ${entry})
  set(floor_${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
  list(APPEND rooms ${CMAKE_MATCH_1})
endforeach()

# OUT: whether FILE (from the root) includes torch, itself or through the project's headers.
function(includes_torch file out)
  get_property(known GLOBAL PROPERTY torch_${file})
  if("${known}" STREQUAL "")
    set(known OFF)
    set_property(GLOBAL PROPERTY torch_${file} OFF)  # ends the walk at headers that include each other
    file(STRINGS ${root}/${file} lines REGEX "^#include ")
    foreach(line ${lines})
      if(line MATCHES "<(torch|ATen|c10)/")
        set(known ON)
      elseif(line MATCHES "\"([^\"]+)\"" AND EXISTS ${root}/${CMAKE_MATCH_1})
        includes_torch(${CMAKE_MATCH_1} known)
      endif()
      if(known)
        break()
      endif()
    endforeach()
    set_property(GLOBAL PROPERTY torch_${file} ${known})
  endif()
  set(${out} ${known} PARENT_SCOPE)
endfunction()

set(read 0)
foreach(top base networks envs policies sampling datasets meta runners)
  file(GLOB_RECURSE files RELATIVE ${root} ${root}/${top}/*.h ${root}/${top}/*.cpp)
  foreach(name ${files})
    get_filename_component(room ${name} DIRECTORY)
    if(NOT DEFINED floor_${room})
      message(SEND_ERROR "${name}: ${room}/ is no room; give it a floor in tests/rooms_test.cmake and an add_room in CMakeLists.txt")
      continue()
    endif()
    file(STRINGS ${root}/${name} includes REGEX "^#include \"")
    foreach(line ${includes})
      math(EXPR read "${read} + 1")
      string(REGEX MATCH "\"([^\"]+)\"" _ "${line}")
      get_filename_component(other "${CMAKE_MATCH_1}" DIRECTORY)
      if(NOT DEFINED floor_${other})
        message(SEND_ERROR "${name} includes \"${CMAKE_MATCH_1}\", which is in no room")
      elseif(floor_${other} GREATER floor_${room} OR
             (floor_${other} EQUAL floor_${room} AND NOT other STREQUAL room))
        message(SEND_ERROR "${name} (floor ${floor_${room}}) includes ${other}/ (floor ${floor_${other}})")
      endif()
    endforeach()
    file(STRINGS ${root}/${name} whole REGEX "^#include <torch/(torch|all)\\.h>")
    if(whole)
      message(SEND_ERROR "${name} includes all of torch; networks/tensors/tensor.h has what rooms use of it")
    endif()
    if(room IN_LIST without_torch)
      includes_torch(${name} torch)
      if(torch)
        message(SEND_ERROR "${name} includes torch; ${room}/ must build without it")
      endif()
    endif()
  endforeach()
endforeach()
# Parsing an option compiles no torch, though some of these headers stand in rooms that have it.
foreach(name runners/command_line.h runners/experiment/config.h runners/experiment/config_files.h
    runners/experiment/options.h runners/experiment/published.h runners/experiment/options.cpp
    runners/experiment/config.cpp runners/experiment/image_network.cpp runners/experiment/config_files.cpp runners/command_line.cpp runners/help.cpp
    meta/algorithm.h meta/algorithms/registry.h meta/meta_config.h meta/policy/policy_meta_config.h meta/supervised/supervised_meta_config.h meta/supervised/online_config.h)
  if(NOT EXISTS ${root}/${name})
    message(SEND_ERROR "${name} is gone: this test held it free of torch")
    continue()
  endif()
  includes_torch(${name} torch)
  if(torch)
    message(SEND_ERROR "${name} includes torch; options are parsed without it")
  endif()
endforeach()

if(read EQUAL 0)
  message(FATAL_ERROR "no #include found under ${root}: the test looks in the wrong place")
endif()
list(LENGTH rooms count)
message(STATUS "${read} includes between ${count} rooms point down")
