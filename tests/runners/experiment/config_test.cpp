#include "runners/experiment/config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

#include "base/paths.h"
#include "runners/command_line.h"
#include "runners/experiment/options.h"
#include "tests/catch.h"
#include "tests/runners/program.h"

using namespace innerloop;

namespace {

// A value of the key that is not its default.
std::string other_value(const Key& key, const ExperimentConfig& defaults) {
  std::vector<std::string> candidates = key.known;
  candidates.insert(candidates.end(), {"7", "0.25", "3,5", "1,2,3", "true", "false", "layer0.*"});
  for (const auto& candidate : candidates) {
    ExperimentConfig config = defaults;
    if (key.set(&config, candidate) && key.get(&config) != key.get(&defaults)) return candidate;
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

TEST_CASE("every key can be set, also those of every row, and the written configuration reads back the same",
          "[config]") {
  const Side side = GENERATE(Side::kPolicy, Side::kSupervised);
  const KeyTable& table = key_table(side);
  int tried = 0;
  const auto try_key = [&](const Key& key, const std::vector<Setting>& before) {
    INFO(key.name);
    const ExperimentConfig defaults = make_config(before, {}, side);
    std::string value = other_value(key, defaults);
    REQUIRE(!value.empty());
    if (key.name == "meta.optimizer") value = "sgd";  // trpo is for policies alone
    std::vector<Setting> settings = before;
    settings.push_back({key.name, value, "test"});
    const auto config = make_config(settings, {}, side);
    const TemporaryFolder folder;
    write_file(folder / "x.ini", format_config(config));
    CHECK(key.get(&config) == value);
    CHECK(config.side == side);
    const auto again = make_config(read_settings(folder / "x.ini"));
    CHECK(format_config(again) == format_config(config));
    CHECK(training_text(again) == training_text(config));
    const bool text_differs = training_text(config) != training_text(defaults);
    CHECK(text_differs == key.determines_training);
    ++tried;
  };
  for (const auto& key : table.common) {
    const bool waits = section_of(key.name) == "online" && key.name != "online.rounds";  // without rounds
    try_key(key, waits ? std::vector<Setting>{{"online.rounds", "7", "test"}} : std::vector<Setting>{});
  }
  for (const auto& choice : table.choices) {
    for (const auto& row : choice.rows) {
      for (const auto& key : row.keys) try_key(key, {{choice.by, row.name, "test"}});
    }
  }
  CHECK(tried > 40);
}

TEST_CASE("every key is bounded: numbers that no machine can serve are refused", "[config]") {
  const auto check = [](const Key& key, Side side) {
    ExperimentConfig config = default_config(side);
    INFO(key.name);
    CHECK(!key.expected.empty());
    CHECK(!key.meaning.empty());
    if (key.name == "seed" || key.name == "evaluation.seed" || key.name == "dataset.split_seed" ||
        key.set(&config, "any text"))
      return;
    for (const char* number : {"4611686018427387904", "9223372036854775807", "1000000000000"}) {
      const bool may = key.expected.find("numbers") == 0;  // mean and std of pixels
      CHECK((may || !key.set(&config, number)));
    }
  };
  for (const Side side : kSides) {
    for (const auto& key : key_table(side).common) check(key, side);
    for (const auto& choice : key_table(side).choices) {
      for (const auto& row : choice.rows) {
        for (const auto& key : row.keys) check(key, side);
      }
    }
  }
}

TEST_CASE("a key that only other rows know is refused beside its row, and left out under a stronger choice",
          "[config]") {
  const Setting conv4{"network.name", "conv4", "f:1"}, filters{"network.filters", "8", "f:2"};
  CHECK(make_config({conv4, filters}).supervised.network.own == Texts{{"filters", 8}});
  CHECK_THROWS_AS(make_config({filters}), UsageError);
  CHECK_THROWS_WITH(make_config({filters}),
                    "f:2: network.filters: network mlp does not know this key (network.name "
                    "= mlp); conv4, resnet12 do");
  CHECK_THROWS_WITH(
      make_config({{"environment.action_scale", "5", "f:3"}}),
      contains("navigation_2d does not know this key") && contains("half_cheetah_velocity_gym"));
  const Setting mlp{"network.name", "mlp", "--network.name"};
  const auto config = make_config({conv4, filters}, {mlp});
  CHECK(config.supervised.network.own == Texts());
  CHECK_THAT(format_config(config), contains("hidden = 40,40") && !contains("filters"));
  const Setting flag{"network.filters", "9", "--network.filters"};
  CHECK_THROWS_WITH(make_config({conv4}, {mlp, flag}),
                    contains("--network.filters: network mlp does not know"));
  CHECK(make_config({conv4, filters}, {flag}).supervised.network.own == Texts{{"filters", 9}});
  const auto bad = [&] { make_config({conv4, {"network.downsample", "maxpool", "f:3"}}); };
  CHECK_THROWS_WITH(bad(),
                    contains("f:3: network.downsample is 'maxpool'") && contains("did you mean 'max_pool'?"));
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
               contains("a whole number from 1 to 1000000"));
    CHECK_THAT(message_of(concat("[sampler]\ntrajectories = ", size, "\n")),
               contains("a whole number from 1"));
  }
  CHECK_THAT(message_of("[environment]\nhorizon = -1\n"), contains("a whole number from 0 to 1000000"));
  for (const char* sizes : {"0", "100,-1", "100,,100", "100 100", ","}) {
    CHECK_THAT(message_of(concat("[policy]\nhidden = ", sizes, "\n")), contains("whole numbers from 1"));
  }
  const std::string strokes = "[dataset]\nname = strokes\n";
  CHECK_THAT(message_of(strokes + "mean = 0,x\n"), contains("numbers separated by commas"));
  CHECK_THAT(message_of(strokes + "std = 1,0\n"), contains("numbers above 0"));
  CHECK_THAT(message_of(strokes + "mean =\n"), contains("numbers separated by commas"));
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
  const auto config = make_config({{"environment.name", "half_cheetah_velocity_gym", "test"}});
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

TEST_CASE("where data lies is no property of a training", "[config]") {
  const auto at = [](const std::string& path) {
    return training_text(make_config({{"dataset.name", "omniglot", "test"}, {"dataset.path", path, "test"}},
                                     {}, Side::kSupervised));
  };
  CHECK(at("here") == at("there"));
  // A text of before: the place is passed over, other keys are not.
  const std::string former = "dataset.path = here\n" + at("here");
  CHECK_FALSE(first_difference(former, at("there")));
  CHECK(first_difference("dataset.place = here\n" + at("here"), at("there"))->key == "dataset.place");
}

TEST_CASE("a configuration that is no regular file, or endless, is refused and not read", "[config]") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::filesystem::path& file, const std::string& message) {
    CHECK_THROWS_AS(read_settings(file), UsageError);
    CHECK_THROWS_WITH(read_settings(file), contains(message));
  };
  REQUIRE(mkfifo((folder / "fifo.ini").c_str(), 0600) == 0);
  refused(folder / "fifo.ini", "is a FIFO, expected a file");
  refused("/dev/zero", "is a device, expected a file");
  refused(folder / "", "is a folder, expected a file");
  refused(folder / "none.ini", "cannot read");
  write_file(folder / "long.ini", std::string((1 << 20) + 1, '#'));
  refused(folder / "long.ini", "is larger than 1048576 bytes");
  CHECK_THROWS_WITH(find_config("/dev/zero"), contains("is a device"));
  CHECK_THROWS_WITH(find_config(folder / "fifo.ini"), contains("is a FIFO, expected a file"));
}

TEST_CASE("a configuration may come through a pipe that the caller opened", "[config]") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const std::string text = "[meta]\niterations = 7\n";
  REQUIRE(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  close(ends[1]);
  const auto file = find_config(concat("/dev/fd/", ends[0]));
  CHECK(make_config(read_settings(file), {}).iterations == 7);
  close(ends[0]);
}

TEST_CASE("what others call a key, or a value half remembered, leads to the right name", "[config]") {
  const CommandDescription command{.name = "test",
                                   .summary = "",
                                   .options = {{"config", "FILE", ""}, {"run-dir", "DIR", ""}},
                                   .sections = {"*"},
                                   .word = "config"};
  const auto message = [&](const std::vector<std::string>& arguments) {
    try {
      make_config({}, parse_command_line(command, arguments).settings);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(message({"--lr", "1"}),
             contains("'--lr'; innerloop calls it --inner.step_size or --meta.step_size"));
  CHECK_THAT(message({"--env", "x"}), contains("innerloop calls it --environment.name"));
  CHECK_THAT(message({"--gamma", "1"}), contains("innerloop calls it --advantage.discount"));
  CHECK_THAT(message({"--algo", "x"}), contains("innerloop calls it --algorithm"));
  CHECK_THAT(message({"--logdir", "x"}), contains("innerloop calls it --run-dir"));
  CHECK_THAT(message({"--output=x"}), contains("innerloop calls it --run-dir"));
  CHECK_THAT(message({"--n-iter", "1"}), contains("innerloop calls it --meta.iterations"));
  CHECK_THAT(message({"--config-file", "x"}), contains("innerloop calls it --config"));
  CHECK_THAT(message({"---seed", "1"}), contains("'---seed'; options are spelled with two dashes: '--seed'"));
  CHECK_THAT(message({"-seed", "1"}), contains("'-seed'; options are spelled with two dashes: '--seed'"));
  CHECK_THAT(message({"--environment.name", "halfcheetah"}), contains("did you mean 'half_cheetah_"));
  CHECK_THAT(message({"--network.name", "resnet"}), contains("did you mean 'resnet12'?"));
  CHECK_THAT(message({"a", "b"}), contains("unexpected word 'b'"));
  CHECK(parse_command_line(command, {"navigation_2d", "--seed", "3"}).value("config") == "navigation_2d");
}

TEST_CASE("help shows all keys, and with a name the own keys of that row alone", "[config]") {
  const CommandDescription command{.name = "test", .summary = "Tests.", .sections = {"*"}};
  const auto help = [&](const std::vector<std::string>& arguments) {
    std::ostringstream out;
    print_help(out, command, parse_command_line(command, arguments));
    return out.str();
  };
  const std::string all = help({"--help"});
  for (const auto& name : key_names()) CHECK_THAT(all, contains("--" + name));
  CHECK_THAT(all, contains("\nnetwork conv4:\n") && contains("[inner]:"));
  const std::string conv4 = help({"--help", "--network.name", "conv4"});
  CHECK_THAT(conv4, contains("network conv4:") && contains("--network.filters") && !contains("hidden"));
  CHECK(help({"--network.name=conv4", "-h"}) == conv4);
  CHECK(help({"--help", "--algorithm", "joint"}) == "algorithm joint has no keys of its own\n");
  CHECK_THROWS_WITH(help({"--help", "--algorithm", "mamll"}), contains("did you mean 'maml'?"));
  std::istringstream lines(all);
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 100);
}
