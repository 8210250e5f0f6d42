// Claims about the program itself: it is run as a user runs it.
#include <sys/resource.h>
#include <sys/time.h>

#include <chrono>
#include <sstream>
#include <thread>

#include "base/random.h"
#include "runners/experiment/checkpoint.h"
#include "runners/experiment/run_directory.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

using Words = std::vector<std::string>;

void sleep_seconds(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

// progress.csv without the columns that hold seconds.
std::vector<std::string> reproducible_rows(const std::filesystem::path& file) {
  std::istringstream in(read_file(file));
  std::vector<std::string> rows;
  for (std::string row; std::getline(in, row);) {
    for (int column = 0; column < 3; ++column) row.resize(row.rfind(','));
    rows.push_back(row);
  }
  return rows;
}

bool holds_temporary_files(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".tmp") return true;
  }
  return false;
}

void wait_until_exists(const std::filesystem::path& file) {
  for (int i = 0; i < 3000 && !std::filesystem::exists(file); ++i) sleep_seconds(0.01);
  REQUIRE(std::filesystem::exists(file));
}

}  // namespace

TEST_CASE("a request that cannot be understood ends with exit code 2, says why and leaves nothing",
          "[program]") {
  const TemporaryFolder folder;
  write_file(folder / "bad.ini", "[inner]\nstep_sze = 1\n");
  const std::string run = (folder / "run").string();
  const std::vector<std::pair<Words, std::string>> cases{
      {{}, "expected a command"},
      {{"trian"}, "did you mean 'train'?"},
      {{"eval"}, "unknown command 'eval'; innerloop calls it adapt"},
      {{"test"}, "unknown command 'test'; innerloop calls it adapt"},
      {{"train", "---seed", "1"}, "unknown option '---seed'; options are spelled with two dashes: '--seed'"},
      {{"train", "--lr", "1"}, "innerloop calls it --inner.step_size or --meta.step_size"},
      {{"train", "navigatoin_2d"}, "did you mean 'navigation_2d'?"},
      {{"train", "--environment.name", "halfcheetah"}, "did you mean 'half_cheetah_"},
      {{"train", "--confg", "x"}, "did you mean '--config'?"},
      {{"train", "--config", "navigatoin_2d"}, "did you mean 'navigation_2d'?"},
      {{"train", "--config", (folder / "bad.ini").string()}, "bad.ini:2: unknown key 'inner.step_sze'"},
      {{"train", "--run-dir", run, "--meta.batch_size", "0"}, "meta.batch_size is '0'"},
      {{"train", "--run-dir", run, "--policy.hidden", "8,-1"}, "policy.hidden is '8,-1'"},
      {{"train", "--run-dir", run, "--seed", "1", "--seed", "2"}, "--seed is given twice"},
      {{"train", "--run-dir", run, "--inner.adapt", "layer9.*"}, "layer9.*"},
      {{"train", "--run-dir", run, "--policy.name", "categorical_mlp"}, "categorical"},
      {{"train", "--resume"}, "--resume needs --run-dir"},
      {{"list", "enviroments"}, "did you mean 'environments'?"},
  };
  for (const auto& [arguments, expected] : cases) {
    const auto outcome = run_program(arguments);
    INFO(expected);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.output, contains(expected));
  }
  CHECK(!std::filesystem::exists(run));
}

TEST_CASE("what no machine has the memory for is refused before it is asked for, with what takes how much",
          "[program]") {
  const TemporaryFolder folder;
  const auto refused = [&](Words words) {
    words.insert(words.begin(), "train");
    words.insert(words.end(), {"--run-dir", (folder / "run").string()});
    CAPTURE(words);
    const auto outcome = run_program(words);
    CHECK(outcome.code == 1);
    CHECK_THAT(outcome.output, contains("a meta-iteration needs about"));
    CHECK_THAT(outcome.output, contains("the machine has"));
    CHECK_FALSE(std::filesystem::exists(folder / "run"));
  };
  refused({"--policy.hidden", "1000000,1000000"});
  refused({"--environment.horizon", "1000000", "--sampler.trajectories", "1000000"});
  refused({"--meta.batch_size", "1000000", "--sampler.trajectories", "1000"});
  refused({"--dataset.name", "sine", "--network.hidden", "1000000,1000000"});
  refused({"--dataset.name", "strokes", "--network.name", "conv4", "--network.batch_norm", "batch",
           "--network.filters", "10000", "--dataset.ways", "5"});
}

TEST_CASE("help, version and lists end with exit code 0", "[program]") {
  CHECK_THAT(run_program({"--help"}).output, contains("usage: innerloop COMMAND"));
  for (const char* version : {"--version", "-v", "version"})
    CHECK_THAT(run_program({version}).output, StartsWith("innerloop "));
  for (const char* command : {"train", "bench", "online", "adapt", "analyse", "compare", "record", "list"}) {
    const auto outcome = run_program({command, "--help"});
    CHECK(outcome.code == 0);
    CHECK_THAT(outcome.output, StartsWith(std::string("innerloop ") + command));
  }
  for (const char* what :
       {"environments", "policies", "algorithms", "configs", "optimizers", "datasets", "networks"}) {
    CHECK(run_program({"list", what}).code == 0);
  }
  CHECK_THAT(run_program({"list", "configs"}).output, contains("navigation_2d_paper"));
  CHECK_THAT(run_program({"list", "algorithms"}).output, contains("fomaml") &&
                                                             contains("Finn et al. 2017, section 5.2") &&
                                                             contains("second derivatives dropped"));
}

TEST_CASE("the final checkpoint has the same bits for 1, 2 and 7 threads", "[program]") {
  const std::string config = GENERATE("navigation_2d", "half_cheetah_direction");
  const TemporaryFolder folder;
  Words bytes;
  for (const char* threads : {"1", "2", "7"}) {
    const auto run = folder / threads;
    REQUIRE(
        run_program(tiny_training(run, {"--config", config, "--threads", threads, "--meta.iterations", "4"}))
            .code == 0);
    bytes.push_back(read_file(RunDirectory(run).last_checkpoint()));
  }
  CHECK(bytes[0].size() > 500);
  CHECK(bytes[1] == bytes[0]);
  CHECK(bytes[2] == bytes[0]);
  const auto other = folder / "other";
  REQUIRE(
      run_program(tiny_training(other, {"--config", config, "--seed", "2", "--meta.iterations", "4"})).code ==
      0);
  CHECK(read_file(RunDirectory(other).last_checkpoint()) != bytes[0]);
}

TEST_CASE(
    "killed with kill -9 at random moments and resumed, a run ends with the bits of an uninterrupted one",
    "[program]") {
  const std::string config = GENERATE("navigation_2d", "half_cheetah_velocity");
  const TemporaryFolder folder;
  const Words settings{"--config",          config, "--meta.iterations", "100",  "--checkpoint.every", "2",
                       "--checkpoint.keep", "all",  "--meta.optimizer",  "adam", "--threads",          "2",
                       "--resume"};
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(run_program(tiny_training(folder / "whole", settings)).code == 0);
  const double whole = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  Stream stream({.seed = static_cast<uint64_t>(getpid()), .purpose = Purpose::kTest});
  int killed = 0, resumed = 0;
  const RunDirectory run(folder / "killed");
  for (int attempt = 0; attempt < 6; ++attempt) {
    const pid_t child = start_program(tiny_training(run.root(), settings), folder / "output");
    sleep_seconds(whole * stream.uniform(0.1, 0.7));
    kill(child, SIGKILL);
    killed += wait_for(child) == 1000 + SIGKILL ? 1 : 0;
    if (std::filesystem::exists(run.last_checkpoint())) {
      const auto iteration = load_checkpoint(run.last_checkpoint()).iteration;  // whole after every kill
      resumed += iteration > 0 && iteration < 100 ? 1 : 0;
    }
  }
  REQUIRE(run_program(tiny_training(run.root(), settings)).code == 0);
  CHECK(killed >= 1);
  CHECK(resumed >= 1);
  const RunDirectory reference(folder / "whole");
  CHECK(read_file(run.last_checkpoint()) == read_file(reference.last_checkpoint()));
  for (const int64_t iteration : {0, 2, 50, 100}) {
    CHECK(read_file(run.checkpoint(iteration)) == read_file(reference.checkpoint(iteration)));
  }
  CHECK(reproducible_rows(run.progress()).size() == 101);
  CHECK(reproducible_rows(run.progress()) == reproducible_rows(reference.progress()));
  CHECK(read_file(run.config()) == read_file(reference.config()));
  CHECK(!holds_temporary_files(run.root()));
}

TEST_CASE("SIGINT, SIGTERM and SIGHUP save a checkpoint, end with 128 + signal, and the run resumes",
          "[program]") {
  const TemporaryFolder folder;
  const auto signal = GENERATE(SIGINT, SIGTERM, SIGHUP);
  const RunDirectory run(folder / "run");
  const pid_t child = start_program(
      tiny_training(run.root(), {"--meta.iterations", "1000000", "--checkpoint.every", "1000000"}),
      folder / "output");
  wait_until_exists(run.last_checkpoint());
  for (int i = 0; i < 3000 && reproducible_rows(run.progress()).size() < 4; ++i) sleep_seconds(0.01);
  kill(child, signal);
  CHECK(wait_for(child) == 128 + signal);
  CHECK_THAT(read_file(folder / "output"), contains("--resume"));
  const auto checkpoint = load_checkpoint(run.last_checkpoint());
  CHECK(checkpoint.iteration >= 3);
  CHECK(static_cast<int64_t>(reproducible_rows(run.progress()).size()) == checkpoint.iteration + 1);
  const std::string more = std::to_string(checkpoint.iteration + 2);
  CHECK(
      run_program({"train", "--run-dir", run.root().string(), "--resume", "--meta.iterations", more}).code ==
      0);
  REQUIRE(run_program(tiny_training(folder / "whole", {"--meta.iterations", more})).code == 0);
  CHECK(read_file(run.last_checkpoint()) == read_file(RunDirectory(folder / "whole").last_checkpoint()));
}

TEST_CASE("a session that closes says so more than once, and under nohup not at all", "[program]") {
  const TemporaryFolder folder;
  const Words endless{"--meta.iterations", "1000000", "--checkpoint.every", "1000000"};
  const RunDirectory twice(folder / "twice"), nohup(folder / "nohup");
  const pid_t child = start_program(tiny_training(twice.root(), endless), folder / "output");
  wait_until_exists(twice.last_checkpoint());
  for (int i = 0; i < 3000 && reproducible_rows(twice.progress()).size() < 2; ++i) sleep_seconds(0.01);
  for (int i = 0; i < 20 && kill(child, SIGHUP) == 0; ++i) sleep_seconds(0.0005);
  CHECK(wait_for(child) == 128 + SIGHUP);
  CHECK_THAT(read_file(folder / "output"), contains("checkpoint saved"));

  const pid_t deaf =
      start_program(tiny_training(nohup.root(), endless), folder / "output", [] { signal(SIGHUP, SIG_IGN); });
  wait_until_exists(nohup.last_checkpoint());
  kill(deaf, SIGHUP);
  const auto rows = [&] { return reproducible_rows(nohup.progress()).size(); };
  const size_t before = rows();
  for (int i = 0; i < 3000 && rows() < before + 3; ++i) sleep_seconds(0.01);
  CHECK(rows() >= before + 3);
  kill(deaf, SIGTERM);
  CHECK(wait_for(deaf) == 128 + SIGTERM);
}

TEST_CASE("when whoever reads the output is gone, the checkpoint is saved", "[program]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const bool both = GENERATE(false, true);  // stderr is the same pipe
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = start_program(
      tiny_training(run.root(), {"--meta.iterations", "1000000", "--checkpoint.every", "1000000"}),
      folder / "output", [&] {
        dup2(ends[1], STDOUT_FILENO);
        if (both) dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
      });
  close(ends[1]);
  wait_until_exists(run.last_checkpoint());
  for (int i = 0; i < 3000 && reproducible_rows(run.progress()).size() < 2; ++i) sleep_seconds(0.01);
  close(ends[0]);
  CHECK(wait_for(child) == 128 + SIGPIPE);
  CHECK(load_checkpoint(run.last_checkpoint()).iteration > 0);
  CHECK_THAT(read_file(run.log()), contains("stopped by signal 13"));
}

TEST_CASE("what cannot be printed is an error of every command", "[program]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const auto full = [&](const Words& arguments) {
    return run_program(arguments, [] { dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO); });
  };
  const std::string path = run.root().string();
  REQUIRE(full(tiny_training(run.root(), {"--meta.iterations", "1"})).code == 1);
  CHECK(load_checkpoint(run.last_checkpoint()).iteration == 1);  // the training itself went well
  for (const Words& arguments :
       {Words{"--version"}, Words{"--help"}, Words{"list", "algorithms"}, Words{"train", "--help"},
        Words{"train", "--run-dir", path, "--resume"},
        Words{"adapt", "--run", path, "--tasks", "2", "--trajectories", "2"},
        Words{"record", "--run", path, "--tasks", "1", "--trajectories", "2", "--steps", "0"}}) {
    INFO(arguments.front());
    const auto outcome = full(arguments);
    CHECK(outcome.code == 1);
    CHECK_THAT(outcome.output, contains("cannot write to stdout"));
  }
  CHECK_THAT(full({"--version"}).output, contains("No space left on device"));
  // With stdout closed, what is printed must land in no file of the run.
  const auto closed =
      run_program(tiny_training(folder / "closed", {"--meta.iterations", "1"}), [] { close(STDOUT_FILENO); });
  CHECK(closed.code == 1);
  CHECK_THAT(closed.output, contains("cannot write to stdout"));
  CHECK(load_checkpoint(RunDirectory(folder / "closed").last_checkpoint()).iteration == 1);
  CHECK(read_file(RunDirectory(folder / "closed").lock()).size() < 12);
}

TEST_CASE("commands to go on with can be pasted, whatever the directory is called", "[program]") {
  const TemporaryFolder folder;
  const auto run = folder / "my run";
  const auto outcome = run_program(tiny_training(run, {"--meta.iterations", "0"}));
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.output, contains("innerloop adapt --run '" + run.string() + "'"));
}

TEST_CASE("evaluations are kept side by side, adapt.json being the newest", "[program]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const std::string path = run.root().string();
  REQUIRE(run_program(tiny_training(run.root(), {"--meta.iterations", "1"})).code == 0);
  const auto adapt = [&](Words more) {
    Words words{"adapt", "--run", path, "--tasks", "2", "--trajectories", "3", "--steps", "1"};
    words.insert(words.end(), more.begin(), more.end());
    const auto outcome = run_program(words);
    INFO(outcome.output);
    REQUIRE(outcome.code == 0);
    return read_file(run.root() / "adapt.json");
  };
  const auto kept = [&](const std::string& name) {
    return read_file(run.evaluations() / ("adapt_tasks=2_steps=1_" + name + ".json"));
  };
  const auto first = adapt({}), seed = adapt({"--seed", "2"}), step = adapt({"--inner.step_size", "0.05"});
  CHECK(kept("seed=1_after=1_trajectories=3") == first);
  CHECK(kept("seed=2_after=1_trajectories=3") == seed);
  CHECK(kept("seed=1_after=1_trajectories=3_inner.step_size=0.05") == step);
  CHECK_THAT(step, contains("\"inner.step_size\": \"0.05\""));
  REQUIRE(run_program({"train", "--run-dir", path, "--resume", "--meta.iterations", "2"}).code == 0);
  const auto later = adapt({});
  CHECK(kept("seed=1_after=2_trajectories=3") == later);
  CHECK(kept("seed=1_after=1_trajectories=3") == first);
  CHECK(adapt({}) == later);  // the same again is the same file
  int files = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(run.evaluations())) ++files;
  CHECK(files == 4);
}

TEST_CASE("a run directory is guarded: in use, not empty, other settings, fewer iterations", "[program]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const std::string path = run.root().string();
  const pid_t child =
      start_program(tiny_training(run.root(), {"--meta.iterations", "1000000"}), folder / "output");
  wait_until_exists(run.last_checkpoint());
  const auto second = run_program({"train", "--run-dir", path, "--resume"});
  CHECK(second.code == 1);
  CHECK_THAT(second.output, contains("is in use by process " + std::to_string(child)));
  kill(child, SIGINT);
  CHECK(wait_for(child) == 130);

  const auto again = run_program(tiny_training(run.root(), {}));
  CHECK(again.code == 1);
  CHECK_THAT(again.output, contains("is not empty: add --resume"));
  const auto other = run_program({"train", "--run-dir", path, "--resume", "--inner.step_size", "0.3"});
  CHECK(other.code == 1);
  CHECK_THAT(other.output, contains("trained with inner.step_size = 0.1, now inner.step_size = 0.3"));
  const auto fewer = run_program({"train", "--run-dir", path, "--resume", "--meta.iterations", "0"});
  CHECK(fewer.code == 1);
  CHECK_THAT(fewer.output, contains("meta.iterations is 0"));

  std::filesystem::create_directory(folder / "foreign");
  write_file(folder / "foreign" / "thesis.tex", "x");
  const auto foreign = run_program(tiny_training(folder / "foreign", {}));
  CHECK(foreign.code == 1);
  CHECK_THAT(foreign.output, contains("is not empty"));
  CHECK(!std::filesystem::exists(folder / "foreign" / "checkpoints"));
}

TEST_CASE("a training that cannot go on stops with exit code 1 and keeps the last good checkpoint",
          "[program]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const auto outcome = run_program(tiny_training(run.root(), {"--inner.step_size", "1000000"}));
  CHECK(outcome.code == 1);
  CHECK_THAT(outcome.output, contains("meta-iteration 1:") && contains("task ") && contains("inner step 1") &&
                                 contains("last good checkpoint"));
  CHECK(load_checkpoint(run.last_checkpoint()).iteration == 0);

  write_file(folder / "file", "");
  const auto unwritable = run_program(tiny_training(folder / "file" / "run", {}));
  CHECK(unwritable.code == 1);
  CHECK_THAT(unwritable.output, contains("cannot make the run directory"));

  // As on a full disk: no file may grow beyond 600 bytes.
  const auto full = run_program(tiny_training(folder / "full", {"--meta.iterations", "1"}), [] {
    const rlimit limit{600, 600};
    setrlimit(RLIMIT_FSIZE, &limit);
  });
  CHECK(full.code == 1);
  CHECK(!holds_temporary_files(folder / "full"));
}

TEST_CASE("a training whose outer steps are all rejected says so once, and what may help", "[program]") {
  const TemporaryFolder folder;
  const auto run = [&](const char* name, const char* algorithm, const char* iterations) {
    return run_program(
               tiny_training(folder / name, {"--algorithm", algorithm, "--meta.iterations", iterations,
                                             "--meta.max_kl", "50", "--meta.line_search_steps", "1"}))
        .output;
  };
  const std::string warning =
      "in 5 meta-iterations in a row no step of the line search bettered the objective";
  const auto first = run("fomaml", "fomaml", "8");
  const auto at = first.find(warning);
  REQUIRE(at != std::string::npos);
  CHECK(first.find(warning, at + 1) == std::string::npos);
  CHECK_THAT(first,
             contains("inner.step_size (now 0.1)") && contains("second derivatives (algorithm = maml)"));
  const auto second = run("maml", "maml", "5");
  CHECK_THAT(second, contains(warning) && !contains("second derivatives"));
  CHECK_THAT(run("few", "fomaml", "4"), !contains(warning));
}

TEST_CASE("a damaged run cannot be resumed or used, and the error says what is wrong", "[program]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  const std::string path = run.root().string();
  REQUIRE(run_program(tiny_training(run.root(), {"--meta.iterations", "0"})).code == 0);
  const std::string whole = read_file(run.last_checkpoint());
  write_file(run.last_checkpoint(), whole.substr(0, whole.size() / 2));
  CHECK_THAT(run_program({"train", "--run-dir", path, "--resume"}).output, contains("is truncated"));
  CHECK_THROWS_WITH(open_run(run.root()), contains("is truncated"));
  write_file(run.last_checkpoint(), whole);
  CHECK_NOTHROW(open_run(run.root()));
  CHECK_THROWS_WITH(open_run(run.root(), {{"environment.name", "navigation_2d_raw", "--environment.name"}}),
                    contains("trained with environment.name = navigation_2d"));
  CHECK_THROWS_WITH(open_run(folder / "nothing"), contains("does not exist"));
  std::filesystem::remove(run.last_checkpoint());
  CHECK_THROWS_WITH(open_run(run.root()), contains("last.safetensors' does not exist"));
}

TEST_CASE("rows beyond the checkpoint and half a row are dropped when a run goes on", "[program]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  REQUIRE(run_program(tiny_training(run.root(), {"--meta.iterations", "2"})).code == 0);
  const auto rows = reproducible_rows(run.progress());
  std::ofstream(run.progress(), std::ios::app) << "3,999,1\n4,12";
  const Words more{"train", "--run-dir", run.root().string(), "--resume", "--meta.iterations", "3"};
  REQUIRE(run_program(more).code == 0);
  const auto after = reproducible_rows(run.progress());
  REQUIRE(after.size() == 4);
  CHECK(std::equal(rows.begin(), rows.end(), after.begin()));
  CHECK_THAT(after.back(), StartsWith("3,"));
  CHECK(after.back().size() > 60);
}
