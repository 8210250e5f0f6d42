# tests/ROOM/*_test.cpp, those of its sub-folders included, become ROOM_tests, one CTest entry per TEST_CASE; under the
# sanitizers one per file but for batteries, since a process takes three seconds there before its first assertion (and what a
# case leaves behind for those after it is seen). Cases tagged [slow] are left out of a plain `ctest`; `ctest -C slow -L slow` runs
# exactly them, one entry per room.
find_package(Catch2 REQUIRED)  # 2.13 or 3
include(Catch)
if(TARGET Catch2::Catch2WithMain)
  set(catch_main Catch2::Catch2WithMain)
else()
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/catch_main.cpp
    CONTENT "#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n")
  add_library(catch_main STATIC ${PROJECT_BINARY_DIR}/catch_main.cpp)
  target_link_libraries(catch_main PUBLIC Catch2::Catch2)
  set(catch_main catch_main)
endif()
precompiled_header(test_header HEADERS <tests/torch_catch.h>
  LINK innerloop::torch Threads::Threads Catch2::Catch2 Eigen3::Eigen)
if(Catch2_VERSION VERSION_GREATER_EQUAL 3)
  set(allow_no_tests --allow-running-no-tests)
endif()

# After so many seconds a test counts as hanging.
set(timeout 300)
if(INNERLOOP_SANITIZE)
  set(timeout 2400)  # a whole file, ten times as slow
endif()
foreach(room base envs networks policies sampling datasets meta runners)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${room}/*_test.cpp)
  if(INNERLOOP_SANITIZE OR NOT INNERLOOP_MIMALLOC)
    list(FILTER sources EXCLUDE REGEX "/allocator_test[.]cpp$")
  endif()
  if(NOT sources)
    continue()
  endif()
  set(link innerloop::${room})
  if(room STREQUAL meta)
    set(link innerloop::meta_algorithms)
  endif()
  add_program(${room}_tests SOURCES ${sources} LINK ${link} ${catch_main})
  compile_lightly(${room}_tests)
  # One that matches no TEST_CASE must not pass: Catch2 2 returns 0 there, and a name with [ or ; in it (CMake's list
  # syntax) is such a test.
  # OpenMP's threads wait for each other busily: with another process on one of two cores, a test of many tiny
  # tensors took five minutes instead of seconds. The executor's threads are not OpenMP's and stay as many.
  set(properties TIMEOUT ${timeout} FAIL_REGULAR_EXPRESSION "No.tests.ran" ENVIRONMENT OMP_NUM_THREADS=1)
  if(INNERLOOP_SANITIZE)
    foreach(source ${sources})
      get_filename_component(file ${source} NAME_WE)
      set(cases "[#${file}]~[slow]~[.]")
      file(READ ${source} text)
      if(text MATCHES "REGISTER_TEST_CASE")  # a battery, of a case for each thing that is registered
        catch_discover_tests(${room}_tests TEST_PREFIX "${room}: " TEST_SPEC "[contract]~[slow]~[.]"
          PROPERTIES ${properties})
        string(APPEND cases "~[contract]")
      endif()
      string(REGEX REPLACE "TEST_CASE\\([^\n]*\\[slow\\]" "" text "${text}")
      if(text MATCHES "TEST_CASE\\(")
        add_test(NAME "${room}: ${file}" COMMAND ${room}_tests --filenames-as-tags "${cases}")
        set_tests_properties("${room}: ${file}" PROPERTIES ${properties})
      endif()
    endforeach()
  else()
    catch_discover_tests(${room}_tests TEST_PREFIX "${room}: " TEST_SPEC "~[slow]~[.]" PROPERTIES ${properties})
  endif()
  add_test(NAME ${room}_slow COMMAND ${room}_tests "[slow]" ${allow_no_tests} CONFIGURATIONS slow)
  set_tests_properties(${room}_slow PROPERTIES LABELS slow TIMEOUT 3600 ENVIRONMENT OMP_NUM_THREADS=1)
endforeach()

if(TARGET innerloop::mpi)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/tests/runners/mpi_test.cpp PROPERTIES
    COMPILE_DEFINITIONS "INNERLOOP_MPIEXEC=\"${MPIEXEC_EXECUTABLE}\"")
endif()
if(TARGET runners_tests AND TARGET innerloop)  # tests of the command line run the program itself
  add_dependencies(runners_tests innerloop)
endif()

add_test(NAME "every room includes only its own floor and the floors below"
  COMMAND ${CMAKE_COMMAND} -P ${PROJECT_SOURCE_DIR}/tests/rooms_test.cmake)
add_test(NAME "tests name Catch2 as both of its versions do"
  COMMAND ${CMAKE_COMMAND} -P ${PROJECT_SOURCE_DIR}/tests/catch_spelling_test.cmake)
add_test(NAME "every link of the documents leads to a file and a heading"
  COMMAND ${CMAKE_COMMAND} -P ${PROJECT_SOURCE_DIR}/tests/links_test.cmake)
add_test(NAME "build, citation, changelog and release notes name one version"
  COMMAND ${CMAKE_COMMAND} -P ${PROJECT_SOURCE_DIR}/tests/version_test.cmake)
