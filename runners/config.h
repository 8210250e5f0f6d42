// The whole configuration of an experiment: plain structs with defaults, and the keys by which files and the
// command line set them. Flags override --config FILE, which overrides defaults. The keys themselves stand in
// options.cpp. A configuration is of one side: it trains a policy, or a network on a data set.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "meta/policy_meta_learner.h"
#include "meta/supervised_meta_learner.h"

namespace innerloop {

enum class Side { kPolicy, kSupervised };
std::string side_name(Side side);  // "policies", "supervised learning"

struct CheckpointConfig {
  int64_t every = 10;         // meta-iterations between checkpoints
  std::string keep = "last";  // "last": last.ckpt only; "all": also one file per checkpointed iteration
};

// Supervised: the meta-parameters that are best on validation tasks are kept, and training may stop when they
// get no better.
struct ValidationConfig {
  int64_t every = 0;     // meta-iterations between validations; 0: none
  int64_t tasks = 200;   // validation tasks, the same ones every time
  int64_t patience = 0;  // stop after this many validations without improvement; 0: never
};

struct VideoConfig {
  int64_t every = 0;  // meta-iterations between films of the policy; 0: none
};

struct ExperimentConfig {
  std::string algorithm = "maml";  // see algorithms(); fixes the keys that define the algorithm
  Side side = Side::kPolicy;
  PolicyMetaConfig learner;         // policies
  SupervisedMetaConfig supervised;  // supervised learning
  int64_t iterations = 100;         // meta-iterations; 0 writes the initial checkpoint and stops
  int64_t threads = 0;              // 0: one per core. Never changes a result.
  CheckpointConfig checkpoint;
  VideoConfig video;             // policies
  int64_t progress_every = 100;  // supervised: iterations per row of progress.csv
  ValidationConfig validation;   // supervised
  EvaluationConfig evaluation;   // policies
  SupervisedEvaluationConfig supervised_evaluation;

  // What both sides have, of the side that is used.
  MetaConfig& meta() {
    return side == Side::kPolicy ? static_cast<MetaConfig&>(learner) : static_cast<MetaConfig&>(supervised);
  }
  const MetaConfig& meta() const { return const_cast<ExperimentConfig*>(this)->meta(); }
};

ExperimentConfig default_config(Side side);

// One `key = value` as somebody gave it.
struct Setting {
  std::string key;
  std::string value;
  std::string where;  // "configs/navigation_2d.ini:12", or "--inner.steps"
};

// A configuration in INI form: [sections], key = value, '#' comments. UsageError with file and line for a
// line that is neither, for an unknown key (with the nearest known one) and for a key given twice.
std::vector<Setting> read_settings(const std::filesystem::path& file);

// The file that --config NAME means: a path, or the name of an installed configuration (with or without
// ".ini"). UsageError with the known names if there is neither.
std::filesystem::path find_config(const std::string& name);

struct NamedConfig {
  std::string name;         // "navigation_2d"
  std::string description;  // the first comment line of the file
};
std::vector<NamedConfig> installed_configs();

// Defaults, then file, then flags, then what `algorithm` fixes. The side is that of the keys given,
// `otherwise` if they belong to both. UsageError, saying key, place, found and expected, for a bad value, for
// keys of different sides, and for a key set against the algorithm that was chosen in the same place or a
// weaker one.
ExperimentConfig make_config(const std::vector<Setting>& file, const std::vector<Setting>& flags = {},
                             Side otherwise = Side::kPolicy);

// Every key of its side with its value and meaning, as INI; read_settings and make_config give the same
// configuration back.
std::string format_config(const ExperimentConfig& config);

// The keys that determine the training: what a checkpoint holds and what a resumed run must repeat. Not the
// number of iterations, threads, checkpointing or evaluation. One "key = value" a line, in the order of the
// table.
std::string training_text(const ExperimentConfig& config);

// The first key in which two training texts differ, or nothing: `left` as saved, `right` as it is now. A key
// that the saved text does not have yet had its default, by which it leaves everything as it was before it
// existed. `prefix`: only keys that start so.
struct Difference {
  std::string key, left, right;
};
std::optional<Difference> first_difference(const std::string& left, const std::string& right,
                                           const std::string& prefix = "");

// config.threads, or the number of cores this process may use for 0.
int thread_count(const ExperimentConfig& config);

}  // namespace innerloop
