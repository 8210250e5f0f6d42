// Options of the sanitizers, compiled into every program of the `sanitize` build so that a run by hand and a
// run by ctest are the same run. The sanitizers look these functions up by name.

extern "C" const char* __asan_default_options();
extern "C" const char* __ubsan_default_options();
extern "C" const char* __lsan_default_suppressions();

extern "C" const char* __asan_default_options() {
  return "detect_stack_use_after_return=1:strict_string_checks=1";
}

extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1:halt_on_error=1"; }

// Memory that other people's libraries keep until the process ends.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libtorch\n"
         "leak:libopencv\n"
         "leak:libav\n"
         "leak:libgomp\n"
         "leak:libOpenCL\n"
         "leak:libOSMesa\n";
}
