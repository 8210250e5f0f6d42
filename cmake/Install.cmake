# The program with its files, the rooms' headers and libraries, and what find_package(innerloop) reads. The folder can
# be moved as a whole.
include(CMakePackageConfigHelpers)
if(TARGET innerloop)
  install(TARGETS innerloop RUNTIME COMPONENT program)
  # Manual pages and completion are printed by the program itself, from its own tables.
  if(NOT INNERLOOP_SANITIZE)
    set(man ${PROJECT_BINARY_DIR}/share/man/man1)
    set(shells ${PROJECT_BINARY_DIR}/share/shells)
    add_custom_command(TARGET innerloop POST_BUILD
      COMMAND ${CMAKE_COMMAND} -E rm -rf ${man}
      COMMAND innerloop help --man-pages ${man}
      COMMAND gzip -9 -n -r ${man}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${shells}
      COMMAND innerloop completion bash >${shells}/innerloop
      COMMAND innerloop completion zsh >${shells}/_innerloop
      COMMENT "Writing manual pages and completion")
    install(DIRECTORY ${man} DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT program)
    install(FILES ${shells}/innerloop DESTINATION share/bash-completion/completions COMPONENT program)
    set(INNERLOOP_ZSH_FOLDER share/zsh/site-functions CACHE STRING "Where zsh looks for completions, below the prefix")
    install(FILES ${shells}/_innerloop DESTINATION ${INNERLOOP_ZSH_FOLDER} COMPONENT program)
  endif()
endif()
install(DIRECTORY configs assets DESTINATION share/innerloop COMPONENT program)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/innerloop)
install(EXPORT innerloop NAMESPACE innerloop:: FILE innerloopTargets.cmake DESTINATION ${package})
configure_package_config_file(cmake/innerloopConfig.cmake.in ${PROJECT_BINARY_DIR}/innerloopConfig.cmake
  INSTALL_DESTINATION ${package} NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/innerloopConfigVersion.cmake COMPATIBILITY SameMinorVersion)
file(GLOB modules ${PROJECT_SOURCE_DIR}/cmake/Find*.cmake)
install(FILES ${PROJECT_BINARY_DIR}/innerloopConfig.cmake ${PROJECT_BINARY_DIR}/innerloopConfigVersion.cmake
  cmake/Dependencies.cmake ${modules} DESTINATION ${package})
