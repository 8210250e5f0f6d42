#include "base/thread_pool.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <string>

#include "base/error.h"
#include "tests/catch.h"

using namespace innerloop;

TEST_CASE("a thread pool runs every index once, with any number of threads", "[base][thread_pool]") {
  const int threads = GENERATE(1, 2, 7);
  const int64_t count = GENERATE(0, 1, 3, 1000);
  CAPTURE(threads, count);
  ThreadPool pool(threads);
  CHECK(pool.size() == threads);
  std::vector<std::atomic<int>> runs(static_cast<size_t>(count));
  std::atomic<bool> worker_in_range = true;
  pool.run(count, [&](int64_t index, int worker) {
    ++runs[static_cast<size_t>(index)];
    if (worker < 0 || worker >= threads) worker_in_range = false;
  });
  for (const auto& n : runs) REQUIRE(n == 1);
  CHECK(worker_in_range);
}

TEST_CASE("a worker runs one job at a time, so its buffers are its own", "[base][thread_pool]") {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> inside(4);
  std::atomic<bool> alone = true;
  pool.run(2000, [&](int64_t, int worker) {
    auto& mine = inside[static_cast<size_t>(worker)];
    if (++mine != 1) alone = false;
    std::this_thread::yield();
    --mine;
  });
  CHECK(alone);
}

TEST_CASE("jobs of a thread pool really run at the same time", "[base][thread_pool]") {
  ThreadPool pool(2);
  std::atomic<int> arrived = 0;
  pool.run(2, [&](int64_t, int) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();  // one thread alone would never get past this
  });
  CHECK(arrived == 2);
}

TEST_CASE("a thread pool runs the rest and rethrows the exception of the lowest index",
          "[base][thread_pool]") {
  const int threads = GENERATE(1, 2, 7);
  CAPTURE(threads);
  ThreadPool pool(threads);
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::atomic<int> runs = 0;
    const auto body = [&](int64_t index, int) {
      ++runs;
      if (index % 10 == 3) throw std::runtime_error(std::to_string(index));
    };
    REQUIRE_THROWS_WITH(pool.run(100, body), "3");
    REQUIRE(runs == 100);
  }
  std::atomic<int> runs = 0;
  REQUIRE_NOTHROW(pool.run(10, [&](int64_t, int) { ++runs; }));  // the failure is forgotten
  CHECK(runs == 10);
}

TEST_CASE("a thread pool keeps its threads from one run to the next", "[base][thread_pool]") {
  std::atomic<int> started = 0;
  std::mutex mutex;
  std::set<std::thread::id> seen;
  {
    ThreadPool pool(3, [&] { ++started; });
    for (int64_t run = 0; run < 500; ++run) {
      std::atomic<int64_t> sum = 0;
      pool.run(run % 7, [&](int64_t index, int) {
        sum += index;
        const std::lock_guard lock(mutex);
        seen.insert(std::this_thread::get_id());
      });
      REQUIRE(sum == (run % 7) * (run % 7 - 1) / 2);
    }
  }
  CHECK(started == 3);  // the caller's thread too
  CHECK(seen.size() <= 3);
}

TEST_CASE("a thread pool without threads is refused", "[base][thread_pool]") {
  CHECK_THROWS_WITH(ThreadPool(0), contains("0 threads") && contains("at least 1"));
  CHECK_THROWS_AS(ThreadPool(-2), Error);
}

TEST_CASE("jobs that follow each other at any pace are all done", "[base][thread_pool]") {
  ThreadPool pool(2);
  int64_t expected = 0;
  std::atomic<int64_t> sum = 0;
  for (int run = 0; run < 20000; ++run) {
    // At once, while the worker waits awake, about when it goes to sleep, and after.
    const auto pause = std::chrono::microseconds(run % 1000 == 0 ? 2000 : run % 50 == 0 ? 60 + run % 90 : 0);
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
    const int64_t count = 1 + run % 4;
    pool.run(count, [&](int64_t index, int) { sum += index + 1; });
    expected += count * (count + 1) / 2;
    REQUIRE(sum == expected);  // nothing is still running either
  }
}

TEST_CASE("a body that outlives the caller's patience is waited for", "[base][thread_pool]") {
  ThreadPool pool(2);
  for (const int milliseconds : {0, 1, 5}) {
    std::atomic<int> done = 0;
    pool.run(2, [&](int64_t, int worker) {
      if (worker == 1) std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
      ++done;
    });
    CHECK(done == 2);
  }
}

TEST_CASE("exceptions of tiny jobs arrive one run at a time", "[base][thread_pool]") {
  ThreadPool pool(2);
  for (int run = 0; run < 2000; ++run) {
    const auto body = [&](int64_t index, int) {
      if (run % 3 == 0 && index >= 1) throw std::runtime_error(std::to_string(index));
    };
    if (run % 3 == 0) {
      REQUIRE_THROWS_WITH(pool.run(3, body), "1");
    } else {
      REQUIRE_NOTHROW(pool.run(3, body));
    }
  }
}

TEST_CASE("a thread pool ends while its workers wait awake, asleep or have just begun",
          "[base][thread_pool]") {
  for (int run = 0; run < 300; ++run) {
    ThreadPool pool(3);
    std::atomic<int> runs = 0;
    for (int job = 0; job < run % 4; ++job) pool.run(4, [&](int64_t, int) { ++runs; });
    if (run % 100 == 99) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(runs == 4 * (run % 4));
  }
}

#ifndef __SANITIZE_ADDRESS__
TEST_CASE("threads that the system does not give are an error, and those begun end", "[base][thread_pool]") {
  const pid_t child = fork();
  if (child == 0) {
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = rlim_t{1} << 32;  // 4 GiB of addresses: no room for a thousand stacks of 8 MiB
    setrlimit(RLIMIT_AS, &limit);
    try {
      ThreadPool pool(1000);
      _exit(1);
    } catch (const Error& error) {
      const std::string text = error.what();
      _exit(text.find("thread pool: 1000 threads asked, the system gives ") == 0 ? 0 : 2);
    }
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
#endif
