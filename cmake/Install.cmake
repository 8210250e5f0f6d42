# The program with its files, the rooms' headers and libraries, and what find_package(innerloop) reads. The folder can
# be moved as a whole.
include(CMakePackageConfigHelpers)
if(TARGET innerloop)
  install(TARGETS innerloop RUNTIME)
endif()
install(DIRECTORY configs assets DESTINATION share/innerloop)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/innerloop)
install(EXPORT innerloop NAMESPACE innerloop:: FILE innerloopTargets.cmake DESTINATION ${package})
configure_package_config_file(cmake/innerloopConfig.cmake.in ${PROJECT_BINARY_DIR}/innerloopConfig.cmake
  INSTALL_DESTINATION ${package} NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/innerloopConfigVersion.cmake COMPATIBILITY SameMinorVersion)
file(GLOB modules ${PROJECT_SOURCE_DIR}/cmake/Find*.cmake)
install(FILES ${PROJECT_BINARY_DIR}/innerloopConfig.cmake ${PROJECT_BINARY_DIR}/innerloopConfigVersion.cmake
  cmake/Dependencies.cmake ${modules} DESTINATION ${package})
