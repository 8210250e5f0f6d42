#include "base/file_lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "tests/catch.h"
#include "tests/runners/scratch_folder.h"

using namespace innerloop;

TEST_CASE("a lock is held by one process, which it names, and ends with it even by kill -9", "[files]") {
  const ScratchFolder folder;
  const auto file = folder / "lock";
  CHECK_FALSE(is_locked(file));
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  if (child == 0) {
    lock_file(file, "it", "wait");
    [[maybe_unused]] const auto told = write(ready[1], "x", 1);
    for (;;) pause();
  }
  char byte = 0;
  REQUIRE(read(ready[0], &byte, 1) == 1);
  CHECK(is_locked(file));
  CHECK_THROWS_WITH(lock_file(file, "the folder", "wait for it"),
                    concat("the folder is in use by process ", child, ": wait for it"));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  CHECK_FALSE(is_locked(file));
  const int mine = lock_file(file, "it", "wait");
  CHECK(is_locked(file));
  close(mine);
  CHECK_FALSE(is_locked(file));
  close(ready[0]);
  close(ready[1]);
}
