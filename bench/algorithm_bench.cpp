// What an algorithm's meta-iteration costs beside MAML's on the same shape: each round times all of them in
// turn.
//   algorithm_bench [SHAPE] [ROUNDS] [THREADS] [NAME...]      SHAPE: omniglot (default), mini_imagenet or
//   sine
// Without names: all that know such tasks. The ratio is the median over rounds of the time over MAML's in the
// same round. "passes" is what an algorithm's own mathematics asks of the network beside MAML's, for those
// where a count says it: a support step is 3 units (forward 1, backward 2) and with second order 6 more, a
// query pass 3.
#include <map>
#include <optional>

#include "bench/few_shot_bench.h"

namespace {

using namespace innerloop;

struct Shape {
  std::string title;
  SupervisedMetaConfig config;
  std::function<std::unique_ptr<Dataset>()> dataset;
  int64_t iterations;  // of a round
};

Shape make_shape(const std::string& name) {
  Shape out;
  SupervisedMetaConfig& config = out.config;
  config.optimizer = {.name = "adam", .step_size = 1e-3};
  if (name == "omniglot") {
    out.title = "Omniglot shape, 5-way 1-shot, 32 tasks, one step, one query a class";
    config.inner = {.steps = 1, .step_size = 0.1};
    config.meta_batch_size = 32;
    config.shape = {.ways = 5, .shots = 1, .queries = 1};
    config.network = {.name = "conv4", .batch_norm = "batch", .own = {{"filters", 64}}};
    out.dataset = [] { return bench::random_images(1, 28); };
    out.iterations = 2;
  } else if (name == "mini_imagenet") {
    out.title = "mini-ImageNet shape, 5-way 1-shot, 4 tasks, five steps, 15 queries a class";
    config.inner = {.steps = 5, .step_size = 0.01};
    config.meta_batch_size = 4;
    config.shape = {.ways = 5, .shots = 1, .queries = 15};
    config.network = {.name = "conv4",
                      .batch_norm = "batch",
                      .own = {{"filters", 32}, {"downsample", "max_pool"}, {"head", "flatten"}}};
    out.dataset = [] { return bench::random_images(3, 84); };
    out.iterations = 1;
  } else if (name == "sine") {
    out.title = "sine, 25 tasks, K = 10, 1-40-40-1, one step";
    config.inner = {.steps = 1, .step_size = 0.01};
    config.meta_batch_size = 25;
    config.shape = {.ways = 1, .shots = 10, .queries = 10};
    config.network = {.name = "mlp", .own = {{"hidden", "40,40"}}};
    out.dataset = [] { return make_dataset({.name = "sine"}); };
    out.iterations = 100;
  } else {
    throw UsageError("shape '" + name + "' found, expected omniglot, mini_imagenet or sine");
  }
  return out;
}

// So that an iteration is an ordinary one from the start: all parts of MAML++ at work, TSA-MAML's clusters
// soon made.
const std::map<std::string, Texts> kOwn{
    {"maml_plus_plus", {{"first_order_epochs", -1}, {"multi_step_epochs", 1000}}},
    {"tsa_maml", {{"solutions", 20}, {"restarts", 1}}}};

std::optional<double> passes(const std::string& name, const SupervisedMetaConfig& c) {
  const auto support = static_cast<double>(c.shape.shots * c.inner.steps);
  const auto query = static_cast<double>(c.shape.queries), steps = static_cast<double>(c.inner.steps);
  const double maml = 9 * support + 3 * query;
  if (name == "maml" || name == "meta_sgd") return 1;
  if (name == "fomaml") return (3 * support + 3 * query) / maml;
  if (name == "reptile") return (3 * support + query) / maml;  // the query loss is reported alone
  if (name == "maml_plus_plus") return (9 * support + 3 * query * steps) / maml;
  return std::nullopt;
}

struct Runner {
  std::string name;
  std::unique_ptr<SupervisedMetaLearner> learner;
  int64_t done = 0;
  std::vector<double> milliseconds, ratios;
};

std::unique_ptr<SupervisedMetaLearner> make_learner(const std::string& name, const Shape& shape,
                                                    ThreadPool& pool) {
  SupervisedMetaConfig config = shape.config;
  apply_algorithm(name, config);
  if (kOwn.count(name) != 0) config.algorithm.own = kOwn.at(name);
  return std::make_unique<SupervisedMetaLearner>(config, find_algorithm(name), shape.dataset(), pool);
}

int run(int argc, char** argv) try {
  keep_freed_memory();
  const std::vector<std::string> words(argv + 1, argv + argc);
  const Shape shape = make_shape(words.empty() ? "omniglot" : words[0]);
  const int64_t rounds = words.size() > 1 ? std::atoll(words[1].c_str()) : 5;
  const int threads =
      words.size() > 2 ? std::atoi(words[2].c_str()) : static_cast<int>(std::thread::hardware_concurrency());
  if (rounds < 1 || threads < 1) {
    throw UsageError("arguments: [SHAPE] [ROUNDS] [THREADS] [NAME...], whole numbers above 0");
  }
  std::vector<std::string> names(words.begin() + std::min<std::ptrdiff_t>(3, std::ssize(words)), words.end());
  const bool all = names.empty();
  if (all) names = names_of(algorithms());
  std::erase(names, "maml");
  names.insert(names.begin(), "maml");

  ThreadPool pool(threads, &Executor::prepare_thread);
  std::vector<Runner> runners;
  for (const auto& name : names) {
    if (all && !find_algorithm(name).supervised()) continue;
    try {
      runners.push_back({name, make_learner(name, shape, pool)});
    } catch (const UsageError&) {
      if (!all) throw;  // it does not know such tasks
    }
  }
  for (auto& runner : runners) runner.learner->iterate(runner.done++);
  for (int64_t round = 0; round < rounds; ++round) {
    for (auto& runner : runners) {
      const double time = bench::milliseconds([&] {
        for (int64_t i = 0; i < shape.iterations; ++i) runner.learner->iterate(runner.done++);
      });
      runner.milliseconds.push_back(time / static_cast<double>(shape.iterations));
      runner.ratios.push_back(runner.milliseconds.back() / runners.front().milliseconds.back());
    }
  }
  std::printf("%s; %d threads, %lld rounds; milliseconds per meta-iteration\n", shape.title.c_str(), threads,
              static_cast<long long>(rounds));
  std::printf("%-18s %10s %10s %14s %10s\n", "", "least", "median", "times MAML's", "passes");
  for (const auto& runner : runners) {
    const auto found = bench::spread(runner.milliseconds);
    const auto expected = passes(runner.name, shape.config);
    std::printf("%-18s %10.3f %10.3f %14.2f", runner.name.c_str(), found.least, found.median,
                bench::spread(runner.ratios).median);
    if (expected) std::printf(" %10.2f", *expected);
    std::printf("\n");
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv); }
