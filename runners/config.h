// The whole configuration of an experiment: plain structs with defaults, and the keys by which files and the
// command line set them. Flags override --config FILE, which overrides defaults. The keys themselves stand in
// options.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "meta/policy_meta_learner.h"

namespace innerloop {

struct CheckpointConfig {
  int64_t every = 10;         // meta-iterations between checkpoints
  std::string keep = "last";  // "last": last.ckpt only; "all": also one file per checkpointed iteration
};

struct ExperimentConfig {
  std::string algorithm = "maml";  // see algorithms(); fixes the keys that define the algorithm
  PolicyMetaConfig learner;
  int64_t iterations = 100;  // meta-iterations; 0 writes the initial checkpoint and stops
  int64_t threads = 0;       // 0: one per core. Never changes a result.
  CheckpointConfig checkpoint;
  EvaluationConfig evaluation;
};

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

// Defaults, then file, then flags, then what `algorithm` fixes. UsageError, saying key, place, found and
// expected, for a bad value, and for a key set against the algorithm that was chosen in the same place or a
// weaker one.
ExperimentConfig make_config(const std::vector<Setting>& file, const std::vector<Setting>& flags = {});

// Every key with its value and meaning, as INI; read_settings and make_config give the same configuration
// back.
std::string format_config(const ExperimentConfig& config);

// The keys that determine the training: what a checkpoint holds and what a resumed run must repeat. Not the
// number of iterations, threads, checkpointing or evaluation. One "key = value" a line, in the order of the
// table.
std::string training_text(const ExperimentConfig& config);

// The first key in which the two training texts differ, or nothing. `prefix`: only keys that start so.
struct Difference {
  std::string key, left, right;
};
std::optional<Difference> first_difference(const std::string& left, const std::string& right,
                                           const std::string& prefix = "");

// config.threads, or the number of cores this process may use for 0.
int thread_count(const ExperimentConfig& config);

}  // namespace innerloop
