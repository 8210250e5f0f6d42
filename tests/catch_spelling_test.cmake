# Fails where a test names Catch:: instead of the spellings of tests/catch.h, which both versions of Catch2 know.
# Run: cmake -P tests/catch_spelling_test.cmake
cmake_minimum_required(VERSION 3.25)
file(GLOB files ${CMAKE_CURRENT_LIST_DIR}/*/*.cpp ${CMAKE_CURRENT_LIST_DIR}/*/*.h)
if(NOT files)
  message(FATAL_ERROR "no tests beside ${CMAKE_CURRENT_LIST_DIR}: the test looks in the wrong place")
endif()
foreach(file ${files})
  file(STRINGS ${file} lines REGEX "Catch::")
  foreach(line IN LISTS lines)
    file(RELATIVE_PATH name ${CMAKE_CURRENT_LIST_DIR} ${file})
    message(SEND_ERROR "tests/${name}: '${line}' is Catch2's own spelling; tests/catch.h has one for versions 2 and 3")
  endforeach()
endforeach()
