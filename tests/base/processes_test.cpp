#include "base/processes.h"

#include "base/error.h"
#include "tests/catch.h"
#include "tests/thread_processes.h"

using namespace innerloop;

TEST_CASE("shares are runs in the order of the ranks, differ by one at most, and leave nothing out",
          "[base]") {
  for (const int size : {1, 2, 3, 4, 7, 64}) {
    for (const int64_t count : {0, 1, 2, 3, 20, 25, 1000}) {
      int64_t next = 0, shortest = count, longest = 0;
      for (int rank = 0; rank < size; ++rank) {
        const Share share = share_of(count, rank, size);
        CHECK(share.first == next);
        next = share.last;
        shortest = std::min(shortest, share.size());
        longest = std::max(longest, share.size());
        if (rank > 0) CHECK(share.size() <= share_of(count, rank - 1, size).size());
      }
      CHECK(next == count);
      CHECK(longest - shortest <= 1);
    }
  }
}

TEST_CASE("what differs between ranks is told with the first rank that differs and both texts", "[base]") {
  const auto compare = [](int other) {
    return ThreadProcesses::run(4, [other](Processes& processes) {
      require_same_everywhere(processes, "the colour", processes.rank() == other ? "green" : "blue");
      return 0;
    });
  };
  CHECK_NOTHROW(compare(-1));
  CHECK_THROWS_WITH(compare(2), "the colour differs between rank 0 and rank 2: blue and green");
  CHECK_NOTHROW(require_same_everywhere(single_process(), "the colour", "red"));
}
