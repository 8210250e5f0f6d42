// The program under mpirun. Without MPI in the build nothing of this can be run.
#include <signal.h>
#include <sys/prctl.h>

#include <chrono>
#include <iostream>
#include <thread>

#include "runners/experiment/checkpoint.h"
#include "runners/experiment/run_directory.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

#ifdef INNERLOOP_MPIEXEC

using namespace innerloop;

namespace {

using Words = std::vector<std::string>;

Words mpirun(int ranks, const Words& arguments) {
  Words words{INNERLOOP_MPIEXEC, "-n", std::to_string(ranks), "--bind-to", "none", program()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

// Open MPI 4 and 5: more ranks than cores, and root (in containers); nothing to MPICH.
void as_in_a_container() {
  prctl(PR_SET_PDEATHSIG, SIGTERM);  // and mpirun takes its processes along
  for (const char* name :
       {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OMPI_MCA_rmaps_base_oversubscribe"})
    setenv(name, "1", 1);
  // Under AddressSanitizer: what MPI's plug-ins keep stays when they are unloaded, without a name to tell it
  // by.
  setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
  setenv("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe", 1);
}

Outcome run_ranks(const Words& words) {
  const TemporaryFolder folder;
  const int code = wait_for(start_command(words, folder / "output", as_in_a_container));
  return {code, read_file(folder / "output")};
}

Words sine(const std::filesystem::path& run, const Words& more) {
  Words words{"train", "--run-dir",        run.string(), "--dataset.name", "sine", "--network.hidden",
              "8",     "--meta.step_size", "0.001",      "--threads",      "1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string last(const std::filesystem::path& run) { return read_file(RunDirectory(run).last_checkpoint()); }

int count(const std::string& text, const std::string& word) {
  int found = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

// The ranks that mpirun has started, in their order: its children, or those of its proxy (MPICH).
std::vector<pid_t> ranks_of(pid_t parent) {
  std::vector<pid_t> found;
  const auto own = std::to_string(parent);
  std::ifstream file("/proc/" + own + "/task/" + own + "/children");
  for (pid_t child; file >> child;) {
    std::error_code gone;
    const auto runs = std::filesystem::read_symlink("/proc/" + std::to_string(child) + "/exe", gone);
    if (gone) continue;
    const bool rank = std::filesystem::equivalent(runs, program(), gone);
    const std::vector<pid_t> inner = rank ? std::vector<pid_t>{child} : ranks_of(child);
    found.insert(found.end(), inner.begin(), inner.end());
  }
  return found;
}

template <class Condition>
bool soon(const Condition& condition) {
  for (int i = 0; i < 3000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return condition();
}

}  // namespace

TEST_CASE("several ranks write one run with the bits of one process, and rank 0 alone prints", "[program]") {
  const TemporaryFolder folder;
  const Words iterations{"--meta.iterations", "4"};
  REQUIRE(run_program(sine(folder / "one", iterations)).code == 0);
  REQUIRE(run_program(tiny_training(folder / "policy", iterations)).code == 0);
  // Two tasks a chunk: three chunks.
  const auto remembers = [&](const std::string& name) {
    return Words{"train",
                 "--run-dir",
                 (folder / name).string(),
                 "--algorithm",
                 "rl2",
                 "--policy.name",
                 "gaussian_gru",
                 "--policy.units",
                 "5",
                 "--policy.hidden",
                 "none",
                 "--environment.horizon",
                 "12",
                 "--sampler.trajectories",
                 "9",
                 "--meta.batch_size",
                 "5",
                 "--rl2.minibatches",
                 "2",
                 "--meta.iterations",
                 "4"};
  };
  REQUIRE(run_program(remembers("rl2")).code == 0);
  for (const int ranks : {2, 3}) {
    const std::string name = std::to_string(ranks);
    const auto found = run_ranks(mpirun(ranks, sine(folder / name, iterations)));
    REQUIRE(found.code == 0);
    CHECK(count(found.output, "training 4 meta-iterations") == 1);
    CHECK(count(found.output, "\nnext:") == 1);
    CHECK_THAT(found.output, contains(name + " processes of 1 threads"));
    CHECK(last(folder / name) == last(folder / "one"));
    REQUIRE(run_ranks(mpirun(ranks, tiny_training(folder / ("policy" + name), iterations))).code == 0);
    CHECK(last(folder / ("policy" + name)) == last(folder / "policy"));
    REQUIRE(run_ranks(mpirun(ranks, remembers("rl2" + name))).code == 0);
    CHECK(last(folder / ("rl2" + name)) == last(folder / "rl2"));
    CHECK(read_file(RunDirectory(folder / name).config()) ==
          read_file(RunDirectory(folder / "one").config()));
  }
}

TEST_CASE("a run begun with one number of ranks goes on with another", "[program]") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  REQUIRE(run_program(sine(folder / "whole", {"--meta.iterations", "9"})).code == 0);
  REQUIRE(run_ranks(mpirun(3, sine(run, {"--meta.iterations", "3"}))).code == 0);
  REQUIRE(run_program(sine(run, {"--meta.iterations", "6", "--resume"})).code == 0);
  REQUIRE(run_ranks(mpirun(2, sine(run, {"--meta.iterations", "9", "--resume"}))).code == 0);
  CHECK(last(run) == last(folder / "whole"));
}

TEST_CASE("ranks that fail alike say so once, a rank that fails alone is named, and none is left waiting",
          "[program]") {
  const TemporaryFolder folder;
  const auto unknown = run_ranks(mpirun(3, {"train", "--config", "no_such"}));
  CHECK(unknown.code == 2);
  CHECK(count(unknown.output, "innerloop: ") == 1);
  const auto alone = run_ranks(mpirun(2, {"list", "algorithms"}));
  CHECK(alone.code != 0);
  CHECK(count(alone.output, "list runs in one process") == 1);

  Words two =
      mpirun(1, sine(folder / "differ", {"--meta.iterations", "3"}));  // A : B, each with words of its own
  const Words other = sine(folder / "differ", {"--meta.iterations", "3", "--seed", "7"});
  for (const std::string& word : Words{":", "-n", "1", program()}) two.push_back(word);
  two.insert(two.end(), other.begin(), other.end());
  const auto differ = run_ranks(two);
  CHECK(differ.code != 0);
  CHECK(count(differ.output, "the configuration differs between rank 0 and rank 1") == 1);

  const auto diverges =
      run_ranks(mpirun(3, sine(folder / "diverges", {"--meta.iterations", "3", "--inner.step_size", "1000000",
                                                     "--inner.steps", "5", "--meta.batch_size", "30"})));
  CHECK(diverges.code != 0);
  CHECK(count(diverges.output, "innerloop: training stopped") == 1);
  CHECK_THAT(diverges.output, contains("rank 0 of 3: "));

  // Rank 0 alone writes, so it alone hears that its folder is gone.
  const auto run = folder / "gone";
  const pid_t mpi =
      start_command(mpirun(2, sine(run, {"--meta.iterations", "1000000", "--checkpoint.every", "1"})),
                    folder / "output", as_in_a_container);
  REQUIRE(soon([&] { return count(read_file(RunDirectory(run).progress()), "\n") > 3; }));
  std::filesystem::rename(run, folder / "away");
  CHECK(wait_for(mpi) != 0);
  CHECK(count(read_file(folder / "output"), "innerloop: rank 0 of 2: ") == 1);
  CHECK(count(read_file(folder / "output"), "innerloop: ") == 1);
}

TEST_CASE("a suite under mpirun does a part in each process", "[program]") {
  const TemporaryFolder folder;
  write_file(folder / "two.ini",
             "[base]\nconfig = sine_5shot\nmeta.iterations = 3\nevaluation.tasks = 4\nnetwork.hidden = 8\n"
             "[run maml]\nalgorithm = maml\n[run fomaml]\nalgorithm = fomaml\n");
  const std::string file = (folder / "two.ini").string(), out = (folder / "out").string();
  CHECK(run_ranks(mpirun(2, {"suite", file, "--out", out, "--jobs", "1", "--part", "1/2"})).code != 0);
  const auto found = run_ranks(mpirun(2, {"suite", file, "--out", out, "--jobs", "1"}));
  INFO(found.output);
  REQUIRE(found.code == 0);
  CHECK_THAT(found.output, contains("for part 1/2"));
  for (const char* run : {"maml-seed1", "fomaml-seed1"})
    CHECK(load_checkpoint(RunDirectory(folder / (std::string("out/") + run)).last_checkpoint()).iteration ==
          3);
  CHECK_THAT(run_program({"suite", file, "--out", out}).output, contains("2 done before"));
}

TEST_CASE("a rank that is killed ends the others, and what was saved goes on", "[program]") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  const pid_t mpi =
      start_command(mpirun(2, sine(run, {"--meta.iterations", "1000000", "--checkpoint.every", "50"})),
                    folder / "output", as_in_a_container);
  const auto reached = [&](int64_t iteration) {
    std::error_code error;
    return std::filesystem::exists(RunDirectory(run).last_checkpoint(), error) &&
           load_checkpoint(RunDirectory(run).last_checkpoint()).iteration >= iteration;
  };
  REQUIRE(soon([&] { return reached(50) && ranks_of(mpi).size() == 2; }));
  kill(ranks_of(mpi).back(), SIGKILL);
  CHECK(wait_for(mpi) != 0);
  const int64_t saved = load_checkpoint(RunDirectory(run).last_checkpoint()).iteration;
  CHECK(saved % 50 == 0);
  const Words on{"--meta.iterations", std::to_string(saved + 5)};
  REQUIRE(run_ranks(mpirun(2, sine(run, {"--resume", on[0], on[1]}))).code == 0);
  REQUIRE(run_program(sine(folder / "whole", on)).code == 0);
  CHECK(last(run) == last(folder / "whole"));
}

TEST_CASE("SIGTERM to mpirun saves a checkpoint", "[program]") {
  const TemporaryFolder folder;
  const auto run = folder / "run";
  const pid_t mpi =
      start_command(mpirun(2, sine(run, {"--meta.iterations", "1000000", "--checkpoint.every", "1000000"})),
                    folder / "output", as_in_a_container);
  const auto progress = RunDirectory(run).progress();
  REQUIRE(soon([&] { return count(read_file(progress), "\n") > 3; }));
  kill(mpi, SIGTERM);
  CHECK(wait_for(mpi) != 0);
  CHECK(load_checkpoint(RunDirectory(run).last_checkpoint()).iteration > 0);
  CHECK_THAT(read_file(RunDirectory(run).log()), contains("stopped by signal 15"));
}

#else

TEST_CASE("several ranks: not run, this build has no MPI", "[program]") {
  std::cout << "tests of several processes did not run: this build has no MPI\n";
}

#endif
