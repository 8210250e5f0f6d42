# protozero (the wire format of protocol buffers) is headers only and ships no CMake files.
find_path(Protozero_INCLUDE_DIR protozero/pbf_writer.hpp)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Protozero REQUIRED_VARS Protozero_INCLUDE_DIR)
if(Protozero_FOUND AND NOT TARGET Protozero::Protozero)
  add_library(Protozero::Protozero INTERFACE IMPORTED GLOBAL)
  target_include_directories(Protozero::Protozero INTERFACE ${Protozero_INCLUDE_DIR})
endif()
mark_as_advanced(Protozero_INCLUDE_DIR)
