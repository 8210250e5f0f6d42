# `cpack -G DEB` makes innerloop_VERSION-1~debN_ARCHITECTURE.deb of the component `program`: the program, its
# configurations and assets, manual pages and completion. It is for the Debian it is built on (LibTorch and others have
# another name in each); scripts/package builds, checks and tries it.
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright COMPONENT program)
install(FILES README.md CHANGELOG.md CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)

set(debian)
if(EXISTS /etc/os-release)
  file(STRINGS /etc/os-release debian REGEX "^VERSION_ID=")
  string(REGEX REPLACE "[^0-9.]" "" debian "${debian}")
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME innerloop)
set(CPACK_PACKAGE_VENDOR innerloop)
set(CPACK_PACKAGE_CONTACT "innerloop maintainers <maintainers@innerloop.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "toolkit for learning to learn")
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION "Trains policies and networks that adapt to a new task in a few gradient steps (MAML and its
successors), measures how well they adapt, and films it. Reinforcement learning on 2D navigation and
MuJoCo's animals, few-shot classification and regression.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME innerloop)
set(CPACK_DEBIAN_PROGRAM_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE "1~deb${debian}")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
# What the program opens when it needs it, so that no library names it: gnuplot for plots, fonts for captions, EGL with
# Mesa's drivers for MuJoCo's films.
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS
  "gnuplot-nox | gnuplot, fonts-dejavu-core, libegl1, libegl-mesa0, libgl1-mesa-dri")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "bash-completion, man-db")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "libosmesa6")
include(CPack)
