# A second build of the same source is a copy, in another clone too: paths below the source folder count as relative,
# and the folder that compilers write into debug information does not count. The two sloppinesses are what ccache asks for where a precompiled
# header is used; the precompiled header itself is known by the checksum of what went into it.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()
