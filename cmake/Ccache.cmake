# A second build of the same source is a copy. The two sloppinesses are what ccache asks for where a precompiled
# header is used; the precompiled header itself is known by the checksum of what went into it.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()
