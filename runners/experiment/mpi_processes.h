// Processes that mpirun or srun started, through MPI (the standard, version 3). The only file that knows MPI;
// a build without it (INNERLOOP_MPI) has the functions and no processes.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/processes.h"

namespace innerloop {

class MpiProcesses : public Processes {
 public:
  virtual int on_this_machine() const = 0;  // ranks, this one included

  // All ranks have called it within this time. Whoever calls it makes no other call if not.
  virtual bool all_arrive(std::chrono::milliseconds limit) = 0;

  // Ends MPI; all ranks call it, and nothing else of it afterwards.
  virtual void end() = 0;
};

bool built_with_mpi();

// "Open MPI 4.1.4", of the library in use, or "none".
std::string mpi_library();

// Starts MPI in this process. Error without MPI in this build, or if it cannot be started.
std::unique_ptr<MpiProcesses> start_mpi();

}  // namespace innerloop
