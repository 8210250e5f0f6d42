#include "runners/published.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "runners/options.h"

namespace innerloop {
namespace {

constexpr char kTable1[] = "Finn et al. 2017, Table 1";
constexpr char kTable2[] = "Finn et al. 2017, Table 2";
constexpr char kFirstOrderOmniglot[] = "Nichol et al. 2018 (their run of first-order MAML)";
constexpr char kRavi[] = "Ravi & Larochelle 2017, Table 1";
constexpr char kNoConvolutions[] = " without convolutions";

struct Protocol {  // of Finn et al. 2017
  const char* dataset;
  const char* text;
  int64_t iterations;
  int64_t tasks;
};
constexpr Protocol kProtocols[] = {
    {"sine", "trained with 10 shots for 70,000 iterations, fine-tuned on K shots; 600 tasks", 70000, 600},
    {"omniglot",
     "1100 / 100 / 423 characters, classes turned by multiples of 90 degrees, as many queries as shots; "
     "60,000 "
     "iterations, 600 test tasks",
     60000, 600},
    {"mini_imagenet",
     "64 / 16 / 20 classes of 600 images, 84 x 84, 32 filters; 15 queries in training, as many as shots in "
     "test; "
     "60,000 iterations, 600 test tasks",
     60000, 600},
};

// What the keys are in Finn et al. 2017 (appendix A.1) or, where that says something else, in their code.
enum class Of { kAll, kConvolutions, kInnerLoop };  // which configurations have the key's subject at all
struct ProtocolKey {
  const char* dataset;
  int64_t ways;  // 0: any
  Of of;
  const char* key;
  std::vector<std::string> values;
};

const std::vector<ProtocolKey>& protocol_keys() {
  static const std::vector<ProtocolKey> table{
      {"sine", 0, Of::kAll, "network.hidden", {"40,40"}},
      {"sine", 0, Of::kAll, "network.activation", {"relu"}},
      {"sine", 0, Of::kInnerLoop, "inner.steps", {"1"}},
      {"sine", 0, Of::kInnerLoop, "inner.step_size", {"0.01", "0.001"}},
      {"sine", 0, Of::kInnerLoop, "inner.adapt", {"all"}},
      {"sine", 0, Of::kInnerLoop, "meta.batch_size", {"25"}},
      {"sine", 0, Of::kAll, "meta.optimizer", {"adam"}},
      {"sine", 0, Of::kAll, "meta.step_size", {"0.001"}},

      {"omniglot", 0, Of::kAll, "dataset.splits", {"maml"}},
      {"omniglot", 0, Of::kConvolutions, "network.name", {"conv4"}},
      {"omniglot", 0, Of::kConvolutions, "network.filters", {"64"}},
      {"omniglot", 0, Of::kConvolutions, "network.downsample", {"stride"}},
      {"omniglot", 0, Of::kConvolutions, "network.head", {"mean"}},
      {"omniglot", 0, Of::kAll, "network.batch_norm", {"batch"}},
      {"omniglot", 5, Of::kInnerLoop, "inner.steps", {"1"}},
      {"omniglot", 5, Of::kInnerLoop, "inner.step_size", {"0.4"}},
      {"omniglot", 20, Of::kInnerLoop, "inner.steps", {"5"}},
      {"omniglot", 20, Of::kInnerLoop, "inner.step_size", {"0.1"}},
      {"omniglot", 0, Of::kInnerLoop, "inner.loss_reduction", {"sum_over_ways"}},
      {"omniglot", 0, Of::kInnerLoop, "inner.adapt", {"conv*.weight,linear.*", "layer*"}},
      {"omniglot", 5, Of::kInnerLoop, "meta.batch_size", {"32"}},
      {"omniglot", 20, Of::kInnerLoop, "meta.batch_size", {"16"}},
      {"omniglot", 0, Of::kAll, "meta.optimizer", {"adam"}},
      {"omniglot", 0, Of::kAll, "meta.step_size", {"0.001"}},

      {"mini_imagenet", 0, Of::kAll, "network.name", {"conv4"}},
      {"mini_imagenet", 0, Of::kConvolutions, "network.filters", {"32"}},
      {"mini_imagenet", 0, Of::kConvolutions, "network.downsample", {"max_pool"}},
      {"mini_imagenet", 0, Of::kConvolutions, "network.head", {"flatten"}},
      {"mini_imagenet", 0, Of::kAll, "network.batch_norm", {"batch"}},
      {"mini_imagenet", 0, Of::kInnerLoop, "inner.steps", {"5"}},
      {"mini_imagenet", 0, Of::kInnerLoop, "inner.step_size", {"0.01"}},
      {"mini_imagenet", 0, Of::kInnerLoop, "inner.loss_reduction", {"sum_over_ways"}},
      {"mini_imagenet", 0, Of::kInnerLoop, "inner.adapt", {"conv*.weight,linear.*"}},
      {"mini_imagenet", 0, Of::kInnerLoop, "meta.batch_size", {"4", "2"}},
      {"mini_imagenet", 0, Of::kInnerLoop, "meta.clip", {"10"}},
      {"mini_imagenet", 0, Of::kAll, "meta.optimizer", {"adam"}},
      {"mini_imagenet", 0, Of::kAll, "meta.step_size", {"0.001"}},
  };
  return table;
}

const Protocol* find_protocol(const std::string& dataset) {
  for (const auto& protocol : kProtocols) {
    if (dataset == protocol.dataset) return &protocol;
  }
  return nullptr;
}

}  // namespace

const std::vector<PublishedCell>& published_cells() {
  static const std::vector<PublishedCell> table{
      {"sine", 1, 5, "maml", 1, 0.67, 0, kTable2},
      {"sine", 1, 5, "maml", 5, 0.38, 0, kTable2},
      {"sine", 1, 5, "maml", 10, 0.35, 0, kTable2},
      {"sine", 1, 5, "joint", 1, 2.41, 0, kTable2},
      {"sine", 1, 5, "joint", 5, 2.23, 0, kTable2},
      {"sine", 1, 5, "joint", 10, 2.19, 0, kTable2},

      {"omniglot", 5, 1, "maml", 3, 0.987, 0.004, kTable1},
      {"omniglot", 5, 5, "maml", 3, 0.999, 0.001, kTable1},
      {"omniglot", 20, 1, "maml", 5, 0.958, 0.003, kTable1},
      {"omniglot", 20, 5, "maml", 5, 0.989, 0.002, kTable1},
      {"omniglot", 5, 1, "maml without convolutions", 3, 0.897, 0.011, kTable1},
      {"omniglot", 5, 5, "maml without convolutions", 3, 0.975, 0.006, kTable1},
      {"omniglot", 5, 1, "fomaml", kNotStated, 0.983, 0.005, kFirstOrderOmniglot},
      {"omniglot", 5, 5, "fomaml", kNotStated, 0.992, 0.002, kFirstOrderOmniglot},
      {"omniglot", 20, 1, "fomaml", kNotStated, 0.894, 0.005, kFirstOrderOmniglot},
      {"omniglot", 20, 5, "fomaml", kNotStated, 0.979, 0.001, kFirstOrderOmniglot},

      {"mini_imagenet", 5, 1, "maml", 10, 0.4870, 0.0184, kTable1},
      {"mini_imagenet", 5, 5, "maml", 10, 0.6311, 0.0092, kTable1},
      {"mini_imagenet", 5, 1, "fomaml", 10, 0.4807, 0.0175, kTable1},
      {"mini_imagenet", 5, 5, "fomaml", 10, 0.6315, 0.0091, kTable1},
      {"mini_imagenet", 5, 1, "joint", kNotStated, 0.2886, 0.0054, kRavi},
      {"mini_imagenet", 5, 5, "joint", kNotStated, 0.4979, 0.0079, kRavi},
      {"mini_imagenet", 5, 1, "nearest neighbour", kNotStated, 0.4108, 0.0070, kRavi},
      {"mini_imagenet", 5, 5, "nearest neighbour", kNotStated, 0.5104, 0.0065, kRavi},
  };
  return table;
}

std::string published_dataset(const DatasetConfig& dataset) {
  if (dataset.name != "image_folder") return dataset.name;
  std::string letters;
  for (const char c : dataset.path) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return letters.find("miniimagenet") == std::string::npos ? dataset.name : "mini_imagenet";
}

std::string published_method(const ExperimentConfig& config) {
  const auto& c = config.supervised;
  if (c.dataset.observe_task) return "oracle";
  std::string method = "maml";
  if (c.inner.steps == 0) {
    method = "joint";
  } else if (c.inner.step_sizes != "fixed") {
    method = c.inner.first_order ? "first-order meta_sgd" : "meta_sgd";
  } else if (c.inner.first_order) {
    method = "fomaml";
  }
  if (c.dataset.name != "sine" && c.network.name == "mlp") method += kNoConvolutions;
  return method;
}

std::vector<PublishedCell> find_published_baseline(const ExperimentConfig& config, const EpisodeShape& shape,
                                                   const std::string& method) {
  const std::string dataset = published_dataset(config.supervised.dataset);
  std::vector<PublishedCell> found;
  for (const auto& row : published_cells()) {
    if (row.dataset == dataset && row.method == method && row.ways == shape.ways && row.shots == shape.shots)
      found.push_back(row);
  }
  return found;
}

std::vector<PublishedCell> find_published(const ExperimentConfig& config, const EpisodeShape& shape) {
  return find_published_baseline(config, shape, published_method(config));
}

std::string published_protocol(const PublishedCell& cell) {
  const Protocol* protocol = find_protocol(cell.dataset);
  const bool theirs = cell.source == kTable1 || cell.source == kTable2;
  return theirs && protocol != nullptr ? protocol->text : "";
}

std::vector<std::string> protocol_differences(const ExperimentConfig& config, const EpisodeShape& shape,
                                              int64_t meta_iterations) {
  const auto& c = config.supervised;
  const std::string dataset = published_dataset(c.dataset);
  const Protocol* protocol = find_protocol(dataset);
  std::vector<std::string> found;
  if (protocol == nullptr) return found;
  const auto differ = [&](int64_t here, const char* what, int64_t theirs) {
    if (here != theirs) found.push_back(concat(here, what, theirs));
  };
  differ(meta_iterations, " meta-iterations instead of ", protocol->iterations);
  differ(config.supervised_evaluation.tasks, " test tasks instead of ", protocol->tasks);
  differ(c.shape.shots, " shots in training instead of ", dataset == "sine" ? 10 : shape.shots);
  if (dataset != "sine") {
    differ(shape.queries, " test queries per class instead of ", shape.shots);
    differ(c.shape.queries, " training queries per class instead of ",
           dataset == "mini_imagenet" ? 15 : shape.shots);
  }
  const bool convolutions = c.network.name != "mlp";
  const bool adapts = c.inner.steps > 0;
  for (const auto& row : protocol_keys()) {
    if (dataset != row.dataset || (row.ways != 0 && row.ways != shape.ways)) continue;
    if ((row.of == Of::kConvolutions && !convolutions) || (row.of == Of::kInnerLoop && !adapts)) continue;
    const std::string here = find_option(row.key, "the published protocol").get(config);
    if (std::find(row.values.begin(), row.values.end(), here) == row.values.end())
      found.push_back(concat(row.key, " ", here, " instead of ", join(row.values, " or ")));
  }
  return found;
}

}  // namespace innerloop
