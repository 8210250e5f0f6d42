#include "runners/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <sstream>

#include "base/error.h"
#include "envs/registry.h"
#include "meta/algorithms.h"

namespace innerloop {
namespace {

template <class Number>
bool parse_number(const std::string& text, Number& value) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc() && result.ptr == end;
}

// The shortest text that reads back to the same bits.
template <class Number>
std::string format_number(Number value) {
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

// Each maker takes `member`, a generic function from a (const) ExperimentConfig to the field.
template <class Member>
Option whole(const char* name, Member member, int64_t low, const char* meaning) {
  return {name,
          meaning,
          concat("a whole number, at least ", low),
          true,
          [member, low](ExperimentConfig& c, const std::string& text) {
            int64_t value = 0;
            if (!parse_number(text, value) || value < low) return false;
            member(c) = value;
            return true;
          },
          [member](const ExperimentConfig& c) { return format_number(member(c)); }};
}

template <class Member>
Option seed(const char* name, Member member, const char* meaning) {
  return {name,
          meaning,
          "a whole number, at least 0",
          true,
          [member](ExperimentConfig& c, const std::string& text) { return parse_number(text, member(c)); },
          [member](const ExperimentConfig& c) { return format_number(member(c)); }};
}

struct Interval {
  double low, high;
  bool open_low, open_high;
  std::string text;
};
constexpr double kLargest = std::numeric_limits<double>::max();
const Interval kPositive{0, kLargest, true, false, "a number above 0"};
const Interval kNotNegative{0, kLargest, false, false, "a number, at least 0"};
const Interval kZeroToOne{0, 1, false, false, "a number from 0 to 1"};
const Interval kAboveZeroToOne{0, 1, true, false, "a number above 0 and at most 1"};
const Interval kBetweenZeroAndOne{0, 1, true, true, "a number above 0 and below 1"};
template <class Member>
Option number(const char* name, Member member, const Interval& interval, const char* meaning) {
  return {name,
          meaning,
          interval.text,
          true,
          [member, interval](ExperimentConfig& c, const std::string& text) {
            double value = 0;
            if (!parse_number(text, value) || !std::isfinite(value)) return false;
            if (value < interval.low || value > interval.high) return false;
            if (interval.open_low && value == interval.low) return false;
            if (interval.open_high && value == interval.high) return false;
            member(c) = value;
            return true;
          },
          [member](const ExperimentConfig& c) { return format_number(member(c)); }};
}

template <class Member>
Option truth(const char* name, Member member, const char* meaning) {
  return {name,
          meaning,
          "true or false",
          true,
          [member](ExperimentConfig& c, const std::string& text) {
            if (text != "true" && text != "false") return false;
            member(c) = text == "true";
            return true;
          },
          [member](const ExperimentConfig& c) { return std::string(member(c) ? "true" : "false"); }};
}

template <class Member>
Option choice(const char* name, Member member, const std::vector<std::string>& known, const char* meaning) {
  return {name,
          meaning,
          "one of " + join(known),
          true,
          [member, known](ExperimentConfig& c, const std::string& text) {
            if (std::find(known.begin(), known.end(), text) == known.end()) return false;
            member(c) = text;
            return true;
          },
          [member](const ExperimentConfig& c) { return member(c); },
          known};
}

// Parameter names separated by commas; the learner checks them against the network it makes.
template <class Member>
Option words(const char* name, Member member, const char* expected, const char* meaning) {
  return {name,
          meaning,
          expected,
          true,
          [member](ExperimentConfig& c, const std::string& text) {
            if (text.empty()) return false;
            member(c) = text;
            return true;
          },
          [member](const ExperimentConfig& c) { return member(c); }};
}

// "100,100" -> {100, 100}; "" and "none" -> {}; nothing for anything else.
std::optional<std::vector<int64_t>> parse_sizes(const std::string& text) {
  std::vector<int64_t> sizes;
  if (text.empty() || text == "none") return sizes;
  std::istringstream in(text + ",");
  for (std::string item; std::getline(in, item, ',');) {
    const size_t first = item.find_first_not_of(' ');
    if (first == std::string::npos) return std::nullopt;
    int64_t size = 0;
    if (!parse_number(item.substr(first, item.find_last_not_of(' ') + 1 - first), size)) return std::nullopt;
    if (size < 1) return std::nullopt;
    sizes.push_back(size);
  }
  return sizes;
}

template <class Member>
Option sizes(const char* name, Member member, const char* meaning) {
  return {name,
          meaning,
          "whole numbers above 0 separated by commas, or none",
          true,
          [member](ExperimentConfig& c, const std::string& text) {
            const auto values = parse_sizes(text);
            if (values) member(c) = *values;
            return values.has_value();
          },
          [member](const ExperimentConfig& c) {
            std::vector<std::string> text;
            for (const int64_t size : member(c)) text.push_back(format_number(size));
            return text.empty() ? std::string("none") : join(text, ",");
          }};
}

// A key that may change between the parts of one training.
Option free(Option option) {
  option.determines_training = false;
  return option;
}

template <class Described>
std::vector<std::string> names_of(const std::vector<Described>& table) {
  std::vector<std::string> names;
  for (const auto& row : table) names.push_back(row.name);
  return names;
}

// How an entry of the table names its field, for reading and for writing.
#define FIELD(path) \
  [](auto& c) -> auto& { return c.path; }

std::vector<Option> make_options() {
  return {
      choice("algorithm", FIELD(algorithm), names_of(algorithms()),
             "what is trained; fixes the keys that define it"),
      seed("seed", FIELD(learner.seed), "every random number of the training follows from it"),
      free(whole("threads", FIELD(threads), 0, "worker threads, 0 = one per core; never changes a result")),

      choice("environment.name", FIELD(learner.environment.name), environment_names(),
             "distribution of tasks"),
      whole("environment.horizon", FIELD(learner.environment.horizon), 0,
            "steps of an episode, 0 = the environment's own"),
      truth("environment.observe_task", FIELD(learner.environment.observe_task),
            "append the task's parameters to the observation (an oracle)"),

      choice("policy.name", FIELD(learner.policy.name), names_of(policies()), "kind of policy"),
      sizes("policy.hidden", FIELD(learner.policy.hidden), "sizes of the hidden layers, none = linear"),
      choice("policy.activation", FIELD(learner.policy.activation), {"tanh", "relu"}, "of the hidden layers"),
      number("policy.initial_std", FIELD(learner.policy.initial_std), kPositive,
             "standard deviation of actions at the start"),
      number("policy.min_std", FIELD(learner.policy.min_std), kPositive,
             "the standard deviation is at least this"),

      whole("sampler.trajectories", FIELD(learner.sampler.trajectories), 1,
            "trajectories per task and inner step"),

      number("advantage.discount", FIELD(learner.advantage.discount), kAboveZeroToOne, "gamma"),
      number("advantage.gae_lambda", FIELD(learner.advantage.gae_lambda), kZeroToOne,
             "lambda of generalised advantage estimation"),
      truth("advantage.standardize", FIELD(learner.advantage.standardize),
            "shift and scale advantages to mean 0, deviation 1 per task"),

      whole("inner.steps", FIELD(learner.inner.steps), 0, "gradient steps per task; 0 = joint training"),
      number("inner.step_size", FIELD(learner.inner.step_size), kPositive, "alpha"),
      truth("inner.first_order", FIELD(learner.inner.first_order), "drop the second derivatives (FOMAML)"),
      words("inner.adapt", FIELD(learner.inner.adapt), "all, or parameter names separated by commas",
            "parameters that adapt; * matches any text (layer2.*)"),
      choice("inner.step_sizes", FIELD(learner.inner.step_sizes), {"fixed", "per_parameter"},
             "fixed, or learned with the initialisation (Meta-SGD)"),
      choice("inner.estimator", FIELD(learner.estimator), {"log_likelihood", "likelihood_ratio"},
             "policy-gradient loss of the inner steps"),

      free(whole("meta.iterations", FIELD(iterations), 0,
                 "meta-iterations; 0 only writes the initial checkpoint")),
      whole("meta.batch_size", FIELD(learner.meta_batch_size), 1, "tasks per meta-iteration"),
      choice("meta.optimizer", FIELD(learner.optimizer.name), meta_optimizer_names(),
             "of the meta-parameters"),
      number("meta.step_size", FIELD(learner.optimizer.step_size), kPositive, "beta of adam and sgd"),
      number("meta.max_kl", FIELD(learner.optimizer.max_kl), kPositive, "trust region of trpo, nats"),
      whole("meta.cg_iterations", FIELD(learner.optimizer.cg_iterations), 1,
            "conjugate-gradient steps of trpo"),
      number("meta.cg_damping", FIELD(learner.optimizer.cg_damping), kNotNegative,
             "added to the diagonal of the Fisher matrix"),
      whole("meta.line_search_steps", FIELD(learner.optimizer.line_search_steps), 1,
            "step lengths tried by trpo"),
      number("meta.line_search_ratio", FIELD(learner.optimizer.line_search_ratio), kBetweenZeroAndOne,
             "from one step length to the next"),

      free(whole("checkpoint.every", FIELD(checkpoint.every), 1, "meta-iterations between checkpoints")),
      free(choice("checkpoint.keep", FIELD(checkpoint.keep), {"last", "all"},
                  "last: last.ckpt only; all: also one file for each")),

      free(whole("evaluation.tasks", FIELD(evaluation.tasks), 1, "held-out tasks")),
      free(whole("evaluation.steps", FIELD(evaluation.steps), 0, "gradient steps on each")),
      free(whole("evaluation.trajectories", FIELD(evaluation.trajectories), 1,
                 "trajectories per task and step")),
      free(number("evaluation.first_step_scale", FIELD(evaluation.first_step_scale), kPositive,
                  "times inner.step_size: the first step")),
      free(number("evaluation.later_step_scale", FIELD(evaluation.later_step_scale), kPositive,
                  "times inner.step_size: later steps")),
      free(seed("evaluation.seed", FIELD(evaluation.seed), "of held-out tasks and their trajectories")),
  };
}

#undef FIELD

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
