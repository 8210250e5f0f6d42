// Claims about `innerloop export` and about installed runs: run as a user runs the program.
#include <set>

#include "base/paths.h"
#include "runners/experiment/checkpoint.h"
#include "runners/experiment/installed_runs.h"
#include "runners/experiment/run_directory.h"
#include "runners/experiment/safetensors.h"
#include "tests/runners/python_scripts.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

using Words = std::vector<std::string>;

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Outcome run_in(const std::filesystem::path& folder, const Words& arguments) {
  return run_program(arguments, [&] {
    if (chdir(folder.c_str()) != 0) _exit(126);
  });
}

// A run of sine regression that was never trained: its initial checkpoint.
void make_sine_run(const std::filesystem::path& run, const Words& more = {}) {
  const auto outcome = run_program(with({"train", "--run-dir", run.string(), "--dataset.name", "sine",
                                         "--network.hidden", "8,8", "--meta.iterations", "0"},
                                        more));
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
}

// All files below a folder with their contents.
std::map<std::string, std::string> contents(const std::filesystem::path& folder) {
  std::map<std::string, std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) found[entry.path().string()] = innerloop::read_file(entry.path());
  }
  return found;
}

bool did_not_run(const std::string& packages) {
  const std::string missing = missing_python(packages);
  if (!missing.empty()) WARN(missing);
  return !missing.empty();
}

}  // namespace

TEST_CASE("parameters leave under their plain names, without the task dimension, and can be started from",
          "[export]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  make_sine_run(run.root());
  const auto file = folder / "parameters.safetensors";
  const auto outcome = run_program({"export", "--run", run.root().string(), "--out", file.string()});
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  const Params meta = load_checkpoint(run.last_checkpoint()).meta;
  const Safetensors out = read_safetensors(file);
  CHECK(out.tensors.names() == meta.names());
  for (const auto& entry : meta) CHECK(torch::equal(out.tensors.at(entry.name), entry.value[0]));
  CHECK(out.metadata.at("algorithm") == "maml");
  CHECK(out.metadata.at("run") == "run");
  CHECK(out.metadata.at("input_shape") == "[1]");
  CHECK_THAT(out.metadata.at("parameters"), contains("before a task is seen"));

  const RunDirectory again(folder / "again");
  make_sine_run(again.root(), {"--seed", "9", "--meta.start", file.string()});
  CHECK(identical(load_checkpoint(again.last_checkpoint()).meta, meta));
}

TEST_CASE("adapted parameters take the place of the run's, if they fit it", "[export]") {
  const TemporaryFolder folder;
  const RunDirectory run(folder / "run");
  make_sine_run(run.root());
  const Params meta = load_checkpoint(run.last_checkpoint()).meta;
  const auto adapted = folder / "adapted.safetensors";
  write_safetensors(adapted, {{{"classes", R"(["a","b"])"}}, (2.0 * meta).prefixed("adapted/")});
  const auto file = folder / "out.safetensors";
  const Words words{"export", "--run", run.root().string(), "--adapted", adapted.string(), "--out"};
  const auto outcome = run_program(with(words, {file.string()}));
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  const Safetensors out = read_safetensors(file);
  for (const auto& entry : meta) CHECK(torch::equal(out.tensors.at(entry.name), 2.0 * entry.value[0]));
  CHECK(out.metadata.at("parameters") == "adapted to one task: adapted.safetensors");
  CHECK(out.metadata.at("labels") == R"(["a","b"])");
  CHECK(run_program(with(words, {(folder / "model.onnx").string()})).code == 0);

  const auto refused = [&](const Params& tensors, const std::string& expected) {
    write_safetensors(adapted, {{}, tensors});
    const auto model = folder / "refused.onnx";
    const auto failed = run_program(with(words, {model.string()}));
    INFO(failed.output);
    CHECK(failed.code == 1);
    CHECK_THAT(failed.output, contains(expected));
    CHECK(!std::filesystem::exists(model));
  };
  refused(meta, "holds no tensors adapted/NAME");
  refused(meta.first(3).prefixed("adapted/"), "was not adapted from");
  refused(meta.map([](const torch::Tensor& t) {
                return torch::cat({t, t});
              })
              .prefixed("adapted/"),
          "expected [1");
}

TEST_CASE("export refuses what it cannot do, and leaves no file", "[export]") {
  const TemporaryFolder folder;
  const auto run = folder / "run", out = folder / "model.onnx";
  make_sine_run(run, {"--algorithm", "bmaml", "--inner.steps", "1"});
  const auto refused = [&](const Words& arguments, int code, const std::string& expected) {
    const auto outcome = run_program(with({"export"}, arguments));
    INFO(expected + "\n" + outcome.output);
    CHECK(outcome.code == code);
    CHECK_THAT(outcome.output, contains(expected));
    CHECK(!std::filesystem::exists(out));
  };
  const std::string r = run.string(), o = out.string();
  refused({"--run", r, "--out", o}, 1, "algorithm bmaml predicts by more than one pass of its network");
  refused({"--run", r}, 2, "--out is missing");
  refused({"--out", o}, 2, "--run is missing");
  refused({"--run", r, "--out", (folder / "model.pt").string()}, 2, "expected onnx, safetensors, npz");
  refused({"--run", r, "--out", o, "--format", "onx"}, 2, "did you mean 'onnx'?");
  refused({"--run", r, "--out", (folder / "e.npz").string(), "--adapted", "a"}, 2,
          "--adapted belongs to onnx");
  refused({"--run", (folder / "none").string(), "--out", o}, 1, "does not exist");
  refused({"--run", "@sin", "--out", o}, 2, "@sine");
  refused({"--run", r, "--format", "safetensors", "--out", (folder / "no/where.safetensors").string()}, 1,
          "cannot");
}

TEST_CASE("an evaluation as arrays is the one of adapt", "[export]") {
  if (did_not_run("numpy")) return;
  const TemporaryFolder folder;
  const auto compared = [&](const std::string& name, const Words& options) {
    const Words of{"--run", concat("@", name)};
    const auto npz = folder / (name + ".npz");
    const auto exported = run_program(with(with({"export"}, of), with(options, {"--out", npz.string()})));
    INFO(exported.output);
    REQUIRE(exported.code == 0);
    const auto adapted =
        run_program(with(with({"adapt"}, of), with(options, {"--out", (folder / name).string()})));
    INFO(adapted.output);
    REQUIRE(adapted.code == 0);
    const auto same =
        run_script("tests/runners/compare_npz.py", {npz.string(), (folder / name / "adapt.json").string()});
    INFO(same.output);
    CHECK(same.code == 0);
    const auto shown = run_script("examples/python/read_npz.py", {npz.string()});
    INFO(shown.output);
    CHECK(shown.code == 0);
    CHECK_THAT(shown.output, contains("after 1 steps") || contains("after 0 steps"));
    CHECK_THAT(shown.output, !contains("rewards: False"));
  };
  compared("navigation_2d", {"--tasks", "3", "--steps", "1", "--trajectories", "4"});
  compared("sine", {"--tasks", "6", "--steps", "2"});
  compared("strokes", {"--tasks", "4"});
}

TEST_CASE("the Python examples run on what export writes of installed runs", "[export]") {
  if (did_not_run("numpy, onnxruntime, safetensors")) return;
  const TemporaryFolder folder;
  const auto shown = [&](const std::string& run, const std::string& file, const std::string& script) {
    const auto out = (folder / file).string();
    const auto exported = run_program({"export", "--run", run, "--out", out});
    INFO(exported.output);
    REQUIRE(exported.code == 0);
    const auto outcome = run_script(concat("examples/python/", script), {out});
    INFO(outcome.output);
    CHECK(outcome.code == 0);
    return outcome.output;
  };
  const auto policy = shown("@navigation_2d", "policy.onnx", "read_onnx.py");
  CHECK_THAT(policy,
             contains("mean (4, 2)") && contains("before a task is seen") && contains("observations"));
  CHECK_THAT(shown("@strokes", "features.onnx", "read_onnx.py"),
             contains("features (4, ") && contains("white on black") && contains("averages over training"));
  CHECK_THAT(shown("@sine", "sine.onnx", "read_onnx.py"), contains("y (4, 1)"));
  CHECK_THAT(shown("@navigation_2d", "policy.safetensors", "read_safetensors.py"),
             contains("layer2.weight") && contains("output at zero"));
}

TEST_CASE("an installed run is used by its name, and what is found about it goes elsewhere", "[export]") {
  const auto before = contents(installed_runs_folder());
  CHECK(before.size() >= 6);
  size_t bytes = 0;
  for (const auto& [file, content] : before) bytes += content.size();
  CHECK(bytes < 1'000'000);
  const TemporaryFolder folder;
  const auto here = folder / "";
  const auto outcome = run_in(
      here, {"adapt", "--run", "@navigation_2d", "--tasks", "2", "--steps", "1", "--trajectories", "3"});
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.output, contains("wrote runs/@navigation_2d/adapt.json"));
  CHECK(std::filesystem::exists(folder / "runs/@navigation_2d/adapt.png"));
  CHECK(run_in(here, {"adapt", "--run", "@sine", "--tasks", "3", "--out", "mine"}).code == 0);
  CHECK(std::filesystem::exists(folder / "mine/adapt_tasks.png"));
  CHECK(run_in(here, {"analyse", "--run", "@sine", "--tasks", "3"}).code == 0);
  CHECK(std::filesystem::exists(folder / "runs/@sine/analysis.json"));
  CHECK(contents(installed_runs_folder()) == before);

  const auto listed = run_program({"list", "runs"});
  for (const auto& run : installed_runs()) CHECK_THAT(listed.output, contains(concat("@", run.name, " ")));
  const auto unknown = run_in(here, {"adapt", "--run", "@navigation"});
  CHECK(unknown.code == 2);
  CHECK_THAT(unknown.output, contains("unknown installed run '@navigation'") && contains("@navigation_2d"));
  CHECK(run_in(here, {"train", "--config", "@sin"}).code == 2);
  const auto trained =
      run_in(here, {"train", "--config", "@sine", "--meta.iterations", "0", "--run-dir", "new"});
  INFO(trained.output);
  CHECK(trained.code == 0);
  const auto started = run_in(here, {"train", "--config", "@sine", "--meta.iterations", "0", "--meta.start",
                                     "@sine", "--run-dir", "started"});
  INFO(started.output);
  CHECK(started.code == 0);
}
