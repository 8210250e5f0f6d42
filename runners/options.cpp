#include "runners/options.h"

#include "base/error.h"
#include "datasets/dataset.h"
#include "envs/registry.h"
#include "meta/algorithms.h"
#include "networks/network.h"
#include "runners/option_kinds.h"

namespace innerloop {
namespace {

using namespace option_kinds;

// A key that may change between the parts of one training.
Option free(Option option) {
  option.determines_training = false;
  return option;
}

Option policy(Option option) {
  option.side = Side::kPolicy;
  return option;
}

Option supervised(Option option) {
  option.side = Side::kSupervised;
  return option;
}

Option of_trpo(Option option) {
  option.needs = {"meta.optimizer", "trpo", [](const std::string& value) { return value == "trpo"; }};
  return policy(option);
}

Option not_of_trpo(Option option) {
  option.needs = {"meta.optimizer", "adam or sgd", [](const std::string& value) { return value != "trpo"; }};
  return option;
}

Option of_validations(Option option) {
  option.needs = {"validation.every", "above 0", [](const std::string& value) { return value != "0"; }};
  return supervised(option);
}

template <class Described>
std::vector<std::string> names_of(const std::vector<Described>& table) {
  std::vector<std::string> names;
  for (const auto& row : table) names.push_back(row.name);
  return names;
}

// How an entry of the table names its field, for reading and for writing; and the two fields of a key that
// each side keeps at a place of its own.
#define FIELD(path) \
  [](auto& c) -> auto& { return c.path; }
#define FIELD_BY_SIDE(policy_path, supervised_path) \
  [](auto& c) -> auto& { return c.side == Side::kPolicy ? c.policy_path : c.supervised_path; }

std::vector<Option> make_options() {
  return {
      choice("algorithm", FIELD(algorithm), names_of(algorithms()),
             "what is trained; fixes the keys that define it"),
      seed("seed", FIELD(meta().seed), "every random number of the training follows from it"),
      free(whole("threads", FIELD(threads), 0, "worker threads, 0 = one per core; never changes a result")),

      policy(choice("environment.name", FIELD(learner.environment.name), environment_names(),
                    "distribution of tasks")),
      policy(whole("environment.horizon", FIELD(learner.environment.horizon), 0,
                   "steps of an episode, 0 = the environment's own")),
      policy(truth("environment.observe_task", FIELD(learner.environment.observe_task),
                   "append the task's parameters to the observation (an oracle)")),
      policy(number("environment.action_scale", FIELD(learner.environment.action_scale), kNotNegative,
                    "MuJoCo: the action that gives the full torque, 0 = the environment's own")),

      policy(choice("policy.name", FIELD(learner.policy.name), names_of(policies()), "kind of policy")),
      policy(
          sizes("policy.hidden", FIELD(learner.policy.hidden), "sizes of the hidden layers, none = linear")),
      policy(choice("policy.activation", FIELD(learner.policy.activation), {"tanh", "relu"},
                    "of the hidden layers")),
      policy(number("policy.initial_std", FIELD(learner.policy.initial_std), kPositive,
                    "standard deviation of actions at the start")),
      policy(number("policy.min_std", FIELD(learner.policy.min_std), kPositive,
                    "the standard deviation is at least this")),

      policy(whole("sampler.trajectories", FIELD(learner.sampler.trajectories), 1,
                   "trajectories per task and inner step")),

      policy(number("advantage.discount", FIELD(learner.advantage.discount), kAboveZeroToOne, "gamma")),
      policy(number("advantage.gae_lambda", FIELD(learner.advantage.gae_lambda), kZeroToOne,
                    "lambda of generalised advantage estimation")),
      policy(truth("advantage.standardize", FIELD(learner.advantage.standardize),
                   "shift and scale advantages to mean 0, deviation 1 per task")),

      supervised(choice("dataset.name", FIELD(supervised.dataset.name), names_of(datasets()),
                        "distribution of tasks")),
      supervised(text("dataset.path", FIELD(supervised.dataset.path), "a path without #",
                      "file or folder of the data, also looked for under INNERLOOP_DATA")),
      supervised(choice("dataset.splits", FIELD(supervised.dataset.splits), {"maml", "vinyals", "official"},
                        "omniglot: whose training, validation and test classes")),
      supervised(whole("dataset.image_size", FIELD(supervised.dataset.image_size), 0,
                       "pixels a side, 0 = the data set's own")),
      supervised(numbers("dataset.mean", FIELD(supervised.dataset.mean), false,
                         "subtracted from pixels in [0, 1]; one, or one per channel")),
      supervised(numbers("dataset.std", FIELD(supervised.dataset.std), true,
                         "which then are divided by this; one, or one per channel")),
      supervised(truth("dataset.observe_task", FIELD(supervised.dataset.observe_task),
                       "sine: amplitude and phase as further inputs (an oracle)")),
      supervised(whole("dataset.ways", FIELD(supervised.shape.ways), 1, "classes of a task; regression: 1")),
      supervised(whole("dataset.shots", FIELD(supervised.shape.shots), 1, "support samples per class")),
      supervised(whole("dataset.queries", FIELD(supervised.shape.queries), 1,
                       "query samples per class in training")),

      supervised(
          choice("network.name", FIELD(supervised.network.name), names_of(networks()), "kind of network")),
      supervised(sizes("network.hidden", FIELD(supervised.network.hidden),
                       "mlp: sizes of the hidden layers, none = linear")),
      supervised(choice("network.activation", FIELD(supervised.network.activation), {"relu", "tanh"},
                        "mlp: of the hidden layers")),
      supervised(
          whole("network.filters", FIELD(supervised.network.filters), 1, "conv4: channels of every stage")),
      supervised(choice("network.downsample", FIELD(supervised.network.downsample), {"stride", "max_pool"},
                        "conv4: how a stage halves the image")),
      supervised(choice("network.head", FIELD(supervised.network.head), {"mean", "flatten"},
                        "conv4: what the last layer sees of height and width")),
      supervised(choice("network.initialization", FIELD(supervised.network.initialization),
                        {"xavier", "truncated_normal", "normal"}, "of the weights of linear layers")),
      supervised(choice("network.batch_norm", FIELD(supervised.network.batch_norm),
                        {"none", "batch", "per_task_running", "global_running"},
                        "whose statistics normalise; batch is transductive")),
      supervised(truth("network.batch_norm_scale", FIELD(supervised.network.batch_norm_scale),
                       "normalisation learns a scale beside the shift")),

      whole("inner.steps", FIELD(meta().inner.steps), 0, "gradient steps per task; 0 = joint training"),
      number("inner.step_size", FIELD(meta().inner.step_size), kPositive, "alpha"),
      truth("inner.first_order", FIELD(meta().inner.first_order), "drop the second derivatives (FOMAML)"),
      words("inner.adapt", FIELD(meta().inner.adapt), "all, or parameter names separated by commas",
            "parameters that adapt; * matches any text (layer2.*)"),
      choice("inner.step_sizes", FIELD(meta().inner.step_sizes), {"fixed", "per_parameter"},
             "fixed, or learned with the initialisation (Meta-SGD)"),
      policy(choice("inner.estimator", FIELD(learner.estimator), {"log_likelihood", "likelihood_ratio"},
                    "policy-gradient loss of the inner steps")),
      supervised(choice("inner.loss_reduction", FIELD(supervised.loss_reduction), {"mean", "sum_over_ways"},
                        "mean, or ways times that (the MAML code's scale)")),
      free(truth("inner.checkpointing", FIELD(meta().inner.checkpointing),
                 "compute inner steps again to differentiate them: less memory")),

      free(whole("meta.iterations", FIELD(iterations), 0,
                 "meta-iterations; 0 only writes the initial checkpoint")),
      whole("meta.batch_size", FIELD(meta().meta_batch_size), 1, "tasks per meta-iteration"),
      choice("meta.optimizer", FIELD(meta().optimizer.name), meta_optimizer_names(),
             "of the meta-parameters"),
      not_of_trpo(
          number("meta.step_size", FIELD(meta().optimizer.step_size), kPositive, "beta of adam and sgd")),
      supervised(number("meta.clip", FIELD(meta().optimizer.clip), kNotNegative,
                        "bound of every entry of the meta-gradient, 0 = none")),
      of_trpo(number("meta.max_kl", FIELD(meta().optimizer.max_kl), kPositive, "trust region of trpo, nats")),
      of_trpo(whole("meta.cg_iterations", FIELD(meta().optimizer.cg_iterations), 1,
                    "conjugate-gradient steps of trpo")),
      of_trpo(number("meta.cg_damping", FIELD(meta().optimizer.cg_damping), kNotNegative,
                     "added to the diagonal of the Fisher matrix")),
      of_trpo(whole("meta.line_search_steps", FIELD(meta().optimizer.line_search_steps), 1,
                    "step lengths tried by trpo")),
      of_trpo(number("meta.line_search_ratio", FIELD(meta().optimizer.line_search_ratio), kBetweenZeroAndOne,
                     "from one step length to the next")),

      free(whole("checkpoint.every", FIELD(checkpoint.every), 1, "meta-iterations between checkpoints")),
      free(choice("checkpoint.keep", FIELD(checkpoint.keep), {"last", "all"},
                  "last: last.ckpt only; all: also one file for each")),

      policy(free(whole("video.every", FIELD(video.every), 0,
                        "meta-iterations between films of the policy, 0 = none"))),

      supervised(
          whole("progress.every", FIELD(progress_every), 1, "meta-iterations per row of progress.csv")),

      supervised(whole("validation.every", FIELD(validation.every), 0,
                       "meta-iterations between validations, 0 = none")),
      of_validations(whole("validation.tasks", FIELD(validation.tasks), 2, "tasks of the validation split")),
      free(of_validations(whole("validation.patience", FIELD(validation.patience), 0,
                                "stop after so many without improvement, 0 = never"))),

      free(whole("evaluation.tasks", FIELD_BY_SIDE(evaluation.tasks, supervised_evaluation.tasks), 1,
                 "held-out tasks")),
      free(whole("evaluation.steps", FIELD_BY_SIDE(evaluation.steps, supervised_evaluation.steps), 0,
                 "gradient steps on each")),
      policy(free(whole("evaluation.trajectories", FIELD(evaluation.trajectories), 1,
                        "trajectories per task and step"))),
      policy(free(number("evaluation.first_step_scale", FIELD(evaluation.first_step_scale), kPositive,
                         "times inner.step_size: the first step"))),
      policy(free(number("evaluation.later_step_scale", FIELD(evaluation.later_step_scale), kPositive,
                         "times inner.step_size: later steps"))),
      free(supervised(whole("evaluation.shots", FIELD(supervised_evaluation.shots), 0,
                            "support samples per class, 0 = as in training"))),
      free(supervised(whole("evaluation.queries", FIELD(supervised_evaluation.queries), 0,
                            "query samples per class, 0 = as in training"))),
      free(seed("evaluation.seed", FIELD_BY_SIDE(evaluation.seed, supervised_evaluation.seed),
                "of the held-out tasks")),
  };
}

#undef FIELD
#undef FIELD_BY_SIDE

}  // namespace

std::string Option::section() const {
  const size_t dot = name.find('.');
  return dot == std::string::npos ? "" : name.substr(0, dot);
}

const std::vector<Option>& options() {
  static const std::vector<Option> table = make_options();
  return table;
}

std::vector<std::string> option_names() { return names_of(options()); }

const Option& find_option(const std::string& name, const std::string& where) {
  for (const auto& option : options()) {
    if (option.name == name) return option;
  }
  const std::string near = nearest_name(name, option_names());
  throw UsageError(concat(where, ": unknown key '", name, "'; ",
                          near.empty() ? "" : concat("did you mean '", near, "'? "),
                          "all keys: innerloop train --help"));
}

}  // namespace innerloop
