# MuJoCo 2.2 or newer as target MuJoCo::MuJoCo, from its header and library: Debian's own configuration file names an
# include folder that its package does not bring, and the Python packages have none. Two layouts are known, /usr
# (include/, lib/) and the folder `mujoco` of the wheel (include/ beside libmujoco.so.X.Y.Z); a folder of the second
# kind is given by CMAKE_PREFIX_PATH.
find_path(MuJoCo_INCLUDE_DIR mujoco/mujoco.h)
if(MuJoCo_INCLUDE_DIR)
  # The library beside that header and no other: the two must be of one version.
  get_filename_component(prefix ${MuJoCo_INCLUDE_DIR} DIRECTORY)
  file(GLOB beside ${prefix}/libmujoco.so.*)
  if(beside AND NOT MuJoCo_LIBRARY)
    list(GET beside 0 beside)
    set(MuJoCo_LIBRARY ${beside} CACHE FILEPATH "MuJoCo's library")
  endif()
  find_library(MuJoCo_LIBRARY mujoco HINTS ${prefix} PATH_SUFFIXES lib)
  file(STRINGS ${MuJoCo_INCLUDE_DIR}/mujoco/mujoco.h number REGEX "#define mjVERSION_HEADER")
  string(REGEX REPLACE ".*mjVERSION_HEADER +([0-9]+).*" "\\1" number "${number}")
  if(number LESS 1000000)  # 222 is 2.2.2; newer ones have three digits a part, 4000000 is 4.0.0
    string(REGEX REPLACE "^(.*)(.)(.)$" "\\1.\\2.\\3" MuJoCo_VERSION "${number}")
  else()
    string(REGEX REPLACE "^(.*)(...)(...)$" "\\1.\\2.\\3" MuJoCo_VERSION "${number}")
    string(REGEX REPLACE "\\.0+([0-9])" ".\\1" MuJoCo_VERSION "${MuJoCo_VERSION}")
  endif()
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(MuJoCo REQUIRED_VARS MuJoCo_LIBRARY MuJoCo_INCLUDE_DIR VERSION_VAR MuJoCo_VERSION
  REASON_FAILURE_MESSAGE "install libmujoco-dev (scripts/install_packages does), or set CMAKE_PREFIX_PATH to a folder \
that holds include/mujoco/mujoco.h and libmujoco.so.X.Y.Z, such as site-packages/mujoco")
if(MuJoCo_FOUND AND NOT TARGET MuJoCo::MuJoCo)
  add_library(MuJoCo::MuJoCo UNKNOWN IMPORTED GLOBAL)
  set_target_properties(MuJoCo::MuJoCo PROPERTIES IMPORTED_LOCATION ${MuJoCo_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${MuJoCo_INCLUDE_DIR})
endif()
mark_as_advanced(MuJoCo_INCLUDE_DIR MuJoCo_LIBRARY)
