#include "runners/config.h"

#include "base/paths.h"
#include "runners/command_line.h"
#include "runners/options.h"
#include "tests/runners/program.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

// A value of the option that is not its default.
std::string other_value(const Option& option, const ExperimentConfig& defaults) {
  std::vector<std::string> candidates = option.known;
  candidates.insert(candidates.end(), {"7", "0.25", "3,5", "true", "false", "layer0.*"});
  for (const auto& candidate : candidates) {
    ExperimentConfig config = defaults;
    if (option.set(config, candidate) && option.get(config) != option.get(defaults)) return candidate;
  }
  return "";
}

std::string message_of(const std::string& ini) {
  const TemporaryFolder folder;
  write_file(folder / "x.ini", ini);
  try {
    make_config(read_settings(folder / "x.ini"));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("every key can be set on its sides, and the written configuration reads back the same",
          "[config]") {
  const Side side = GENERATE(Side::kPolicy, Side::kSupervised);
  const ExperimentConfig defaults = default_config(side);
  for (const auto& option : options()) {
    if (!option.fits(side)) continue;
    INFO(option.name);
    std::string value = other_value(option, defaults);
    REQUIRE(!value.empty());
    if (option.name == "meta.optimizer") value = "sgd";  // trpo is for policies alone
    const auto config = make_config({{option.name, value, "test"}}, {}, side);
    const TemporaryFolder folder;
    write_file(folder / "x.ini", format_config(config));
    CHECK(option.get(config) == value);
    CHECK(config.side == side);
    CHECK(format_config(make_config(read_settings(folder / "x.ini"))) == format_config(config));
    const bool text_differs = training_text(config) != training_text(defaults);
    CHECK(text_differs == option.determines_training);
  }
}

TEST_CASE("a shared key reaches the side whose keys stand beside it, with that side's defaults", "[config]") {
  const Setting steps{"inner.steps", "3", "f:1"};
  const auto supervised = make_config({steps, {"dataset.name", "sine", "f:2"}});
  CHECK(supervised.side == Side::kSupervised);
  CHECK(supervised.supervised.inner.steps == 3);
  CHECK(supervised.supervised.optimizer.name == "adam");
  CHECK(supervised.learner.inner.steps == PolicyMetaConfig().inner.steps);
  CHECK(make_config({steps}).learner.inner.steps == 3);
  CHECK(make_config({steps}, {}, Side::kSupervised).supervised.inner.steps == 3);
  CHECK_THAT(format_config(supervised),
             !contains("[policy]") && !contains("max_kl") && contains("[network]"));
  CHECK_THAT(format_config(make_config({steps})), !contains("[dataset]") && contains("max_kl"));
  CHECK(make_config({{"algorithm", "fomaml", "f:1"}}, {}, Side::kSupervised).supervised.inner.first_order);
  CHECK_THROWS_WITH(
      make_config({{"dataset.name", "sine", "f:2"}}, {{"policy.hidden", "5", "--policy.hidden"}}),
      contains("--policy.hidden is a key of policies, f:2: dataset.name one of supervised learning"));
  CHECK_THROWS_WITH(make_config({{"dataset.name", "sine", "f:2"}, {"meta.optimizer", "trpo", "f:3"}}),
                    contains("f:3: meta.optimizer is 'trpo'"));
}

TEST_CASE("flags override the file, which overrides the defaults", "[config]") {
  const std::vector<Setting> file{{"inner.steps", "2", "f:1"}, {"meta.batch_size", "7", "f:2"}};
  const auto config = make_config(file, {{"inner.steps", "3", "--inner.steps"}});
  CHECK(config.learner.inner.steps == 3);
  CHECK(config.learner.meta_batch_size == 7);
  CHECK(config.learner.sampler.trajectories == SamplerConfig().trajectories);
}

TEST_CASE("a flag that would do nothing is refused, a line of a file may wait", "[config]") {
  const std::vector<Setting> file{{"meta.optimizer", "adam", "f:1"}, {"meta.max_kl", "0.1", "f:2"}};
  CHECK(make_config(file).learner.optimizer.max_kl == 0.1);
  const Setting max_kl{"meta.max_kl", "0.2", "--meta.max_kl"};
  CHECK_THROWS_AS(make_config(file, {max_kl}), UsageError);
  CHECK_THROWS_WITH(make_config(file, {max_kl}),
                    "--meta.max_kl would do nothing: meta.optimizer is adam, expected trpo");
  const Setting trpo{"meta.optimizer", "trpo", "--meta.optimizer"};
  CHECK(make_config(file, {max_kl, trpo}).learner.optimizer.max_kl == 0.2);
}

TEST_CASE("a configuration that cannot be understood says where, what and what is expected", "[config]") {
  CHECK_THAT(message_of("[inner]\nsteps = 1\nstep_sze = 1\n"),
             contains("x.ini:3: unknown key 'inner.step_sze'; did you mean 'inner.step_size'?"));
  CHECK_THAT(message_of("# c\n\n[inner]\nsteps = 1\n # c\nsteps = 2\n"),
             contains("x.ini:6: inner.steps is given twice"));
  CHECK_THAT(message_of("[inner]\nsteps 1\n"), contains("x.ini:2: cannot read 'steps 1'"));
  CHECK_THAT(message_of("[inner]\nstep_size = fast\n"),
             contains("x.ini:2: inner.step_size is 'fast', expected a number above 0"));
  CHECK_THAT(message_of("[inner]\nstep_size = nan\n"), contains("expected a number above 0"));
  CHECK_THAT(message_of("[inner]\nfirst_order = yes\n"), contains("expected true or false"));
  CHECK_THAT(message_of("[environment]\nname = navigation_3d\n"), contains("did you mean 'navigation_2d'?"));
  for (const char* size : {"0", "-3", "1.5", "99999999999999999999", ""}) {
    CHECK_THAT(message_of(concat("[meta]\nbatch_size = ", size, "\n")),
               contains("a whole number, at least 1"));
    CHECK_THAT(message_of(concat("[sampler]\ntrajectories = ", size, "\n")), contains("at least 1"));
  }
  CHECK_THAT(message_of("[environment]\nhorizon = -1\n"), contains("at least 0"));
  for (const char* sizes : {"0", "100,-1", "100,,100", "100 100", ","}) {
    CHECK_THAT(message_of(concat("[policy]\nhidden = ", sizes, "\n")), contains("whole numbers above 0"));
  }
  CHECK_THAT(message_of("[dataset]\nmean = 0,x\n"), contains("numbers separated by commas"));
  CHECK_THAT(message_of("[dataset]\nstd = 1,0\n"), contains("numbers above 0"));
  CHECK_THAT(message_of("[dataset]\nmean =\n"), contains("numbers separated by commas"));
  for (const char* discount : {"0", "1.01", "-1", "inf"}) {
    CHECK_THAT(message_of(concat("[advantage]\ndiscount = ", discount, "\n")), contains("at most 1"));
  }
  CHECK(message_of("[advantage]\ndiscount = 1\n").empty());
  CHECK(message_of("[policy]\nhidden =\n").empty());
}

TEST_CASE("an algorithm fixes its keys over weaker settings and refuses contradictions", "[config]") {
  const Setting joint{"algorithm", "joint", "f:1"};
  CHECK(make_config({joint}).learner.inner.steps == 0);
  CHECK(make_config({{"inner.steps", "2", "f:2"}}, {joint}).learner.inner.steps == 0);
  CHECK_THROWS_WITH(make_config({joint, {"inner.steps", "2", "f:2"}}),
                    contains("f:2: inner.steps is '2', but algorithm joint means inner.steps = 0"));
  CHECK_THROWS_AS(make_config({joint}, {{"inner.steps", "2", "--inner.steps"}}), UsageError);
}

TEST_CASE("every installed configuration is complete, described and written back unchanged", "[config]") {
  const auto configs = installed_configs();
  CHECK(configs.size() >= 8);
  for (const auto& named : configs) {
    INFO(named.name);
    CHECK(named.description.size() > 20);
    CHECK(named.description.back() == '.');  // a whole sentence: `innerloop list` shows this line alone
    const auto config = make_config(read_settings(find_config(named.name)));
    const TemporaryFolder folder;
    write_file(folder / "x.ini", format_config(config));
    CHECK(format_config(make_config(read_settings(folder / "x.ini"))) == format_config(config));
  }
  CHECK_THROWS_WITH(find_config("navigation_2c"), contains("did you mean 'navigation_2d'"));
}

TEST_CASE("an option of a command may be another name of a key", "[config]") {
  const CommandDescription command{
      .name = "test",
      .summary = "",
      .options = {{"seed", "N", "", "evaluation.seed"}, {"run", "DIR", ""}, {"go", "", ""}},
      .sections = {"evaluation", ""}};
  const auto line =
      parse_command_line(command, {"--seed", "5", "--run=x", "--go", "--evaluation.steps", "2"});
  const auto config = make_config({}, line.settings);
  CHECK(config.evaluation.seed == 5);
  CHECK(config.learner.seed == PolicyMetaConfig().seed);
  CHECK(config.evaluation.steps == 2);
  CHECK((line.value("run") == "x" && line.has("go") && !line.has("stop")));
  CHECK_THROWS_WITH(parse_command_line(command, {"--seed", "1", "--evaluation.seed", "2"}),
                    contains("same key"));
  CHECK_THROWS_WITH(parse_command_line(command, {"--inner.steps", "1"}),
                    contains("unknown option '--inner.steps'"));
  CHECK_THROWS_WITH(parse_command_line(command, {"--run"}), contains("missing"));
  CHECK(parse_integers("steps", "0,1,3", 0) == std::vector<int64_t>{0, 1, 3});
  CHECK_THROWS_WITH(parse_integers("steps", "0,,3", 0), contains("--steps is ''"));
}

TEST_CASE("a key that a saved training does not have yet had its default", "[config]") {
  const ExperimentConfig config = default_config(Side::kPolicy);
  const std::string now = training_text(config);
  const std::string line = "environment.action_scale = 0\n";
  REQUIRE(now.find(line) != std::string::npos);
  std::string saved = now;
  saved.erase(saved.find(line), line.size());
  CHECK_FALSE(first_difference(saved, now));
  std::string scaled = now;
  scaled.replace(scaled.find(line), line.size(), "environment.action_scale = 5\n");
  const auto difference = first_difference(saved, scaled);
  REQUIRE(difference);
  CHECK(difference->key == "environment.action_scale");
  CHECK(difference->left == "0");
  CHECK(difference->right == "5");
  CHECK(first_difference(now, saved)->right == "(absent)");  // a key that no longer exists
}
