#include "runners/experiment/mpi_processes.h"

#include "base/error.h"

#ifdef INNERLOOP_MPI

#include <mpi.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace innerloop {
namespace {

constexpr size_t kMostBytes = 1 << 30;  // of one call: MPI counts in int

// MPI's own handler ends all ranks with a message that names this one, so that what returns has succeeded.
class StartedMpi : public MpiProcesses {
 public:
  StartedMpi() {
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    MPI_Comm_dup(MPI_COMM_WORLD, &last_words_);
    MPI_Comm machine;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_size(machine, &on_this_machine_);
    MPI_Comm_free(&machine);
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int on_this_machine() const override { return on_this_machine_; }

  int64_t least(int64_t mine) override {
    int64_t found = 0;
    traffic_ += static_cast<int64_t>(sizeof mine);
    MPI_Allreduce(&mine, &found, 1, MPI_INT64_T, MPI_MIN, MPI_COMM_WORLD);
    return found;
  }

  std::vector<std::string> gather(const std::string& mine) override {
    const auto ranks = static_cast<size_t>(size_);
    std::vector<int64_t> bytes(ranks);
    const auto own = static_cast<int64_t>(mine.size());
    MPI_Allgather(&own, 1, MPI_INT64_T, bytes.data(), 1, MPI_INT64_T, MPI_COMM_WORLD);
    std::vector<std::string> all(ranks);
    std::vector<int> counts(ranks), places(ranks);
    int64_t total = 0;
    for (size_t r = 0; r < ranks; ++r) {
      counts[r] = static_cast<int>(bytes[r]);
      places[r] = static_cast<int>(total);
      total += bytes[r];
    }
    traffic_ += own + static_cast<int64_t>(sizeof own);
    if (total > static_cast<int64_t>(kMostBytes)) {  // rank after rank, in pieces
      for (size_t r = 0; r < ranks; ++r) {
        all[r] = r == static_cast<size_t>(rank_) ? mine : std::string(static_cast<size_t>(bytes[r]), '\0');
        spread(all[r].data(), all[r].size(), static_cast<int>(r));
      }
      return all;
    }
    std::string together(static_cast<size_t>(total), '\0');
    MPI_Allgatherv(mine.data(), static_cast<int>(own), MPI_BYTE, together.data(), counts.data(),
                   places.data(), MPI_BYTE, MPI_COMM_WORLD);
    for (size_t r = 0; r < ranks; ++r) {
      all[r] = together.substr(static_cast<size_t>(places[r]), static_cast<size_t>(counts[r]));
    }
    return all;
  }

  void broadcast(std::string& bytes, int from) override {
    auto count = static_cast<int64_t>(bytes.size());
    MPI_Bcast(&count, 1, MPI_INT64_T, from, MPI_COMM_WORLD);
    bytes.resize(static_cast<size_t>(count));
    broadcast(bytes.data(), bytes.size(), from);
  }

  void broadcast(void* bytes, size_t count, int from) override {
    if (rank_ == from) traffic_ += static_cast<int64_t>(count);
    spread(bytes, count, from);
  }

  void send(const void* bytes, size_t count, int to) override {
    require(count <= kMostBytes, "a message of ", count, " bytes, expected at most ", kMostBytes);
    traffic_ += static_cast<int64_t>(count);
    MPI_Send(bytes, static_cast<int>(count), MPI_BYTE, to, 0, MPI_COMM_WORLD);
  }

  void receive(void* bytes, size_t count, int from) override {
    MPI_Recv(bytes, static_cast<int>(count), MPI_BYTE, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }

  int64_t traffic() const override { return traffic_; }

  void stop_all(int exit_code) override {
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    std::_Exit(exit_code);
  }

  // On a communicator of its own: the others may be within a call of the first.
  bool all_arrive(std::chrono::milliseconds limit) override {
    MPI_Request request;
    MPI_Ibarrier(last_words_, &request);
    const auto end = std::chrono::steady_clock::now() + limit;
    int arrived = 0;
    while (arrived == 0 && std::chrono::steady_clock::now() < end) {
      MPI_Test(&request, &arrived, MPI_STATUS_IGNORE);
      if (arrived == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return arrived != 0;
  }

  void end() override {
    MPI_Comm_free(&last_words_);
    MPI_Finalize();
  }

 private:
  void spread(void* bytes, size_t count, int from) {
    auto* data = static_cast<std::byte*>(bytes);
    for (size_t at = 0; at < count; at += kMostBytes) {
      MPI_Bcast(data + at, static_cast<int>(std::min(kMostBytes, count - at)), MPI_BYTE, from,
                MPI_COMM_WORLD);
    }
  }

  int rank_ = 0, size_ = 1, on_this_machine_ = 1;
  int64_t traffic_ = 0;
  MPI_Comm last_words_ = MPI_COMM_NULL;
};

}  // namespace

bool built_with_mpi() { return true; }

std::string mpi_library() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string whole(text, static_cast<size_t>(length));
  std::string line =
      whole.substr(0, whole.find_first_of(",\n"));  // "Open MPI v4.1.4", "MPICH Version:\t4.0.2"
  std::replace(line.begin(), line.end(), '\t', ' ');
  return line;
}

std::unique_ptr<MpiProcesses> start_mpi() { return std::make_unique<StartedMpi>(); }

}  // namespace innerloop

#else

namespace innerloop {

bool built_with_mpi() { return false; }

std::string mpi_library() { return "none"; }

std::unique_ptr<MpiProcesses> start_mpi() { throw Error("this innerloop was built without MPI"); }

}  // namespace innerloop

#endif
