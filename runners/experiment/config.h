// The whole configuration of an experiment: plain structs with defaults, set by the keys of options.h. Flags
// override
// --config FILE, which overrides defaults. A configuration is of one side: it trains a policy, or a network
// on a data set. No torch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "meta/policy/policy_evaluation.h"
#include "meta/policy/policy_meta_config.h"
#include "meta/supervised/online_config.h"
#include "meta/supervised/supervised_meta_config.h"
#include "runners/experiment/config_files.h"

namespace innerloop {

enum class Side { kPolicy, kSupervised };
std::string side_name(Side side);  // "policies", "supervised learning"

struct CheckpointConfig {
  int64_t every = 10;         // meta-iterations between checkpoints
  std::string keep = "last";  // "last": last.safetensors only; "all": also one file per checkpoint
};

// Supervised: the meta-parameters that are best on validation tasks are kept, and training may stop when they
// get no better.
struct ValidationConfig {
  int64_t every = 0;     // meta-iterations between validations; 0: none
  int64_t tasks = 200;   // validation tasks, the same ones every time
  int64_t patience = 0;  // stop after this many validations without improvement; 0: never
  int64_t keep = 1;      // how many of the best stay in files
};

struct VideoConfig {
  int64_t every = 0;  // meta-iterations between films of the policy; 0: none
};

struct ExperimentConfig {
  Side side = Side::kPolicy;
  PolicyMetaConfig learner;         // policies
  SupervisedMetaConfig supervised;  // supervised learning
  int64_t iterations = 100;         // meta-iterations; 0 writes the initial checkpoint and stops
  int64_t threads = 0;              // 0: one per core. Never changes a result.
  CheckpointConfig checkpoint;
  VideoConfig video;                  // policies
  int64_t progress_every = 100;       // supervised: iterations per row of progress.csv
  bool tensorboard = true;            // progress.tensorboard: event files too
  ValidationConfig validation;        // supervised
  OnlineConfig online;                // supervised, innerloop online
  PolicyEvaluationConfig evaluation;  // policies
  SupervisedEvaluationConfig supervised_evaluation;
  std::vector<std::string> notes;  // lines on what make_config chose where nothing was said; no key

  // What both sides have, of the side that is used.
  const MetaConfig& meta() const {
    return side == Side::kPolicy ? static_cast<const MetaConfig&>(learner) : supervised;
  }
  MetaConfig& meta() { return side == Side::kPolicy ? static_cast<MetaConfig&>(learner) : supervised; }
  const std::string& algorithm() const { return meta().algorithm.name; }
  // What tasks are drawn from: the name of the environment or of the data set.
  const std::string& tasks() const {
    return side == Side::kPolicy ? learner.environment.name : supervised.dataset.name;
  }
};

ExperimentConfig default_config(Side side);

// Defaults, then file, then flags, then what `algorithm` fixes. The side is that of the keys given,
// `otherwise` if they belong to both. UsageError, saying key, place, found and expected, for a bad value, for
// keys of different sides, for a key set against the algorithm that was chosen in the same place or a
// weaker one, and for a key that only other rows know than the one chosen in the same place or a weaker one
// (network.filters, with an mlp). Where the row was chosen in a stronger place (a flag over a file), such a
// key is left out. Where no network is named, images get one of their own
// (runners/experiment/image_network.h).
ExperimentConfig make_config(const std::vector<Setting>& file, const std::vector<Setting>& flags = {},
                             Side otherwise = Side::kPolicy);

// Every key of its side with its value and meaning, as INI; read_settings and make_config give the same
// configuration back, without `notes`.
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
