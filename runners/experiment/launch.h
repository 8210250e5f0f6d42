// How this process was started: alone, or by mpirun or srun as one of several that share a work.
#pragma once

#include <string>

#include "base/processes.h"
#include "base/thread_pool.h"
#include "runners/experiment/config.h"

namespace innerloop {

// What the environment of the process says, without MPI: "rank 2 of 4" that mpirun (Open MPI, MPICH) or srun
// started; rank 0 of 1 if nobody did.
struct LaunchPlace {
  int rank = 0, size = 1;
  std::string launcher = "";  // "mpirun" or "srun"
};
LaunchPlace launch_place();

// From here on this process, and those it starts, are alone: for work that is parted without MPI.
void forget_launch();

// The processes of this launch; starts MPI at the first call if there are several. Rank 0 alone prints from
// then on. Error if this build has no MPI, if the processes do not see each other, or if they are not the
// same program on the same data layout; a note on stderr if their processors differ.
Processes& launched_processes();

// Threads for `config` and the processes of this launch: `threads`, or the cores that this process may use,
// shared with the ranks beside it. A note on stderr if they are squeezed onto fewer cores than there are
// threads.
ThreadPool make_pool(const ExperimentConfig& config);

// Ranks other than 0 print nothing from here on, but what fail_together shows.
void silence_other_ranks();

// Prints "innerloop: MESSAGE" once for all processes and ends this one with `exit_code`; the others too, with
// the rank named, if they did not fail alike.
int fail_together(const std::string& message, int exit_code);

void end_launch();  // of all processes, when their work is done

}  // namespace innerloop
