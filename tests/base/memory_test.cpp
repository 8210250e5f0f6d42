#include "base/memory.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>

#include "base/error.h"
#include "tests/catch.h"

using namespace innerloop;

TEST_CASE("amounts of memory are said in units that can be read", "[base]") {
  CHECK(memory_text(512 * 1024.0) == "512.0 KiB");
  CHECK(memory_text(3.25 * 1024 * 1024 * 1024) == "3.2 GiB");
  CHECK(memory_text(1e30) == "8.9e+14 PiB");
}

TEST_CASE("this machine has some memory, and not more than its pages", "[base]") {
  CHECK(machine_memory() > 1e8);
  CHECK(machine_memory() <=
        static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE)));
}

TEST_CASE("work that does not fit is refused with what takes how much, and a limit may insist", "[base]") {
  const std::vector<MemoryNeed> needs{{"parameters (policy.hidden)", 1e9},
                                      {"trajectories (environment.horizon)", 1e9 * 4.6e18}};
  CHECK_NOTHROW(require_memory("this training", {{"parameters", 1e6}}, 0));
  CHECK_NOTHROW(require_memory("this training", needs, 1e20));
  try {
    require_memory("this training", needs, 0);
    FAIL("nothing was refused");
  } catch (const Error& error) {
    const std::string text = error.what();
    CHECK(text.find("this training needs about 4.1e+12 PiB") == 0);
    CHECK(text.find("trajectories (environment.horizon), 953.7 MiB of parameters (policy.hidden)") !=
          std::string::npos);
    CHECK(text.find("the machine has") != std::string::npos);
  }
  CHECK_THROWS_AS(require_memory("this training", {{"parameters", 2.0 * (1 << 30)}}, 1), Error);
}

#ifndef __SANITIZE_ADDRESS__
TEST_CASE("beyond the limit an allocation fails and the process lives", "[base]") {
  const pid_t child = fork();
  if (child == 0) {
    limit_memory(0.25);
    try {
      std::vector<char> much(size_t{1} << 30, 1);
      _exit(much[12345] == 1 ? 1 : 2);
    } catch (const std::bad_alloc&) {
      _exit(0);
    }
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
#endif
