#include "runners/experiment/launch.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/paths.h"
#include "datasets/hash.h"
#include "meta/executor.h"
#include "runners/experiment/mpi_processes.h"

namespace innerloop {
namespace {

// What those who start processes tell them; PMI is MPICH's mpirun and srun's oldest way.
struct Launcher {
  const char *name, *size, *rank;
};
constexpr Launcher kLaunchers[] = {{"mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
                                   {"srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"},
                                   {"mpirun", "PMI_SIZE", "PMI_RANK"}};

constexpr std::chrono::seconds kPatience(3);  // for the others to fail alike

std::unique_ptr<MpiProcesses> launched;
int errors = STDERR_FILENO;  // where this process' last words go

int number_in_environment(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? -1 : static_cast<int>(std::strtol(text, nullptr, 10));
}

std::string build_text() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  Hash hash;
  if (!error) hash.add(read_file(program, size_t{1} << 30));
  return concat("innerloop ", version(), ", program file ", hash.hex());
}

std::string processor_text() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(std::min(line.size(), line.find(':') + 2));
  }
  return "not told";
}

// The same program computes the same bits on the same kind of processor.
void compare_ranks(Processes& processes) {
  require_same_everywhere(processes, "the program", build_text());
  const auto found = processes.gather(processor_text());
  const auto other =
      std::find_if(found.begin(), found.end(), [&](const auto& text) { return text != found.front(); });
  if (other == found.end()) return;
  std::cerr
      << "note: rank 0 computes on '" << found.front() << "', rank " << other - found.begin() << " on '"
      << *other
      << "'; if these round differently, the comparison of parameters at the next checkpoint ends the run\n";
}

void show_error(const std::string& message) {
  const std::string line = concat("innerloop: ", message, "\n");
  [[maybe_unused]] const auto written = write(errors, line.data(), line.size());
}

int usable_cores() {
  cpu_set_t cores;
  return sched_getaffinity(0, sizeof cores, &cores) != 0 ? 1 : std::max(1, CPU_COUNT(&cores));
}

}  // namespace

LaunchPlace launch_place() {
  for (const auto& launcher : kLaunchers) {
    const int size = number_in_environment(launcher.size), rank = number_in_environment(launcher.rank);
    if (size > 1 && rank >= 0) return {rank, size, launcher.name};
  }
  return {};
}

void forget_launch() {
  std::vector<std::string> names{"SLURM_STEP_NUM_TASKS", "SLURM_PROCID"};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string name(*entry, std::strcspn(*entry, "="));
    for (const char* prefix : {"OMPI_", "PMI_", "PMIX_", "PRTE_", "MPI_", "HYDI_"}) {
      if (name.rfind(prefix, 0) == 0) names.push_back(name);
    }
  }
  for (const auto& name : names) unsetenv(name.c_str());
}

Processes& launched_processes() {
  if (launched) return *launched;
  const LaunchPlace place = launch_place();
  if (place.size == 1) return single_process();
  require(built_with_mpi(), place.launcher, " started ", place.size,
          " processes, but this innerloop was built without MPI: install libopenmpi-dev or libmpich-dev and "
          "build "
          "again with INNERLOOP_MPI=ON");
  launched = start_mpi();
  require(
      launched->size() == place.size, place.launcher, " started ", place.size, " processes, but ",
      mpi_library(), " sees ", launched->size(),
      ": start them with the mpirun of that library, or with an srun --mpi=TYPE that it understands (srun "
      "--mpi=list)");
  compare_ranks(*launched);
  return *launched;
}

ThreadPool make_pool(const ExperimentConfig& config) {
  Processes& processes = launched_processes();
  int threads = thread_count(config);
  if (launched) {
    const int cores = usable_cores(), beside = launched->on_this_machine();
    const bool bound = cores < static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
    if (config.threads == 0 && !bound) threads = std::max(1, cores / beside);
    if (threads > cores || (!bound && threads * beside > cores)) {
      std::cerr << "note: " << beside << " processes of " << threads << " threads share " << cores << " cores"
                << (bound ? concat(": ", launch_place().launcher,
                                   " binds each process to them; --bind-to none (mpirun) "
                                   "or --cpus-per-task (srun) gives it more")
                          : ": fewer --threads or processes are faster")
                << '\n';
    }
  }
  return ThreadPool(threads, &Executor::prepare_thread, processes);
}

void silence_other_ranks() {
  if (launch_place().rank == 0) return;
  const int nowhere = open("/dev/null", O_WRONLY);
  errors = dup(STDERR_FILENO);
  if (nowhere < 0 || errors < 0) return;
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
}

int fail_together(const std::string& message, int exit_code) {
  const LaunchPlace place = launch_place();
  if (place.size > 1 && !launched && built_with_mpi())
    launched = start_mpi();  // before this, no other can be told
  // A launcher that the MPI library does not know leaves each alone, and all fail of that.
  const bool joined = launched && launched->size() == place.size;
  const auto patience =
      kPatience + std::chrono::milliseconds(20) * place.rank;  // the lowest rank speaks first
  if (joined && !launched->all_arrive(patience)) {
    show_error(concat("rank ", place.rank, " of ", place.size, ": ", message));
    launched->stop_all(exit_code);
  }
  if (place.rank == 0) show_error(message);
  end_launch();
  return exit_code;
}

void end_launch() {
  if (launched) launched->end();
  launched.reset();
}

}  // namespace innerloop
