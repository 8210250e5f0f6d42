// Settings of the program's allocator. For executables: they link mimalloc, which serves malloc.
#pragma once

#ifdef INNERLOOP_MIMALLOC
#include <mimalloc.h>
#endif

namespace innerloop {

// Keeps freed memory instead of returning it to the system: an iteration frees and takes again hundreds of
// megabytes, and the kernel's clearing of fresh pages was 7 % of its time. Call first thing in main; without
// mimalloc it does nothing.
inline void keep_freed_memory() {
#ifdef INNERLOOP_MIMALLOC
#if MI_MALLOC_VERSION >= 210
  mi_option_set(mi_option_purge_delay, -1);
#else
  mi_option_disable(mi_option_allow_decommit);
#endif
#endif
}

}  // namespace innerloop
