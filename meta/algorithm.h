// The row of an algorithm: all that the house knows of it. An algorithm is one file in meta/algorithms/ and
// one row of the table there (registry.cpp). No torch in this header: --help and configurations read it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/settings.h"
#include "datasets/dataset_config.h"
#include "meta/inner_loop_config.h"

namespace innerloop {

class Dataset;
class GradientMethod;
class Method;
class Network;
class Params;
class PolicyLearner;
class Stream;
class ThreadPool;
struct Parts;
struct PolicyMetaConfig;

// What a method is made for.
struct MethodContext {
  InnerLoopConfig inner;

  // Policies: the initial parameters [1, ...] and the names of the last layer's entries.
  std::function<Params(Stream&)> initial = {};
  std::vector<std::string> head = {};

  // Data sets: the configured network with so many outputs (0: its features), how many a task needs, and the
  // shape of training tasks. Null for policies.
  std::function<std::unique_ptr<Network>(int64_t outputs)> network = {};
  int64_t outputs = 0;
  const Dataset* dataset = nullptr;
  EpisodeShape shape = {};
  int64_t tasks = 1;  // of a meta-iteration
};

struct Algorithm {
  std::string name;     // of --algorithm, and of the section of its keys
  std::string paper;    // "Finn et al. 2017, Alg. 2 and 3"
  std::string summary;  // one line
  // Keys of other sections that it fixes, as text: {"inner.first_order", "true"}.
  std::vector<std::pair<std::string, std::string>> prescribes = {};
  std::vector<Key> keys = {};  // its own, section [name]
  // Whether the meta-gradient is the derivative of a stated loss, so that differences of that loss must agree
  // with it; false: an approximation by design.
  bool exact = true;
  int64_t exact_from = 0;  // the first meta-iteration for which that holds (annealing)
  // What one of evaluation.steps is, where a policy adapts: "episode" where it remembers what it saw.
  std::string step = "gradient step";

  // How it is made from its own keys; null: it does not know this side.
  std::function<std::unique_ptr<Method>(const Texts& own, const MethodContext&)> method = {};
  std::function<std::unique_ptr<GradientMethod>(const Texts& own, const MethodContext&)> policy_method = {};
  // For policies that learn in another way than by gradient steps on the sampled trajectories; null
  // otherwise.
  std::function<std::unique_ptr<PolicyLearner>(const Texts& own, const PolicyMetaConfig&, ThreadPool&)>
      policy_learner = {};

  bool supervised() const { return static_cast<bool>(method); }
  bool policies() const { return policy_method || policy_learner; }
};

// Which tasks a gradient algorithm knows.
enum class Tasks { kBoth, kEpisodes, kPolicies };

}  // namespace innerloop
