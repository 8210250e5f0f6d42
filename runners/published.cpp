#include "runners/published.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"

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
  std::string method = config.algorithm;
  if (c.dataset.observe_task) return "oracle";
  if (method == "maml" && c.inner.first_order) method = "fomaml";
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
  const auto differ = [&](bool different, const auto&... parts) {
    if (different) found.push_back(concat(parts...));
  };
  differ(meta_iterations != protocol->iterations, meta_iterations, " meta-iterations instead of ",
         protocol->iterations);
  differ(config.supervised_evaluation.tasks != protocol->tasks, config.supervised_evaluation.tasks,
         " test tasks instead of ", protocol->tasks);
  if (dataset == "sine") {
    differ(c.shape.shots != 10, "trained with ", c.shape.shots, " shots instead of 10");
    return found;
  }
  differ(shape.queries != shape.shots, shape.queries, " test queries per class instead of ", shape.shots);
  differ(c.network.batch_norm != "batch", "batch norm ", c.network.batch_norm, " instead of batch");
  if (dataset == "omniglot")
    differ(c.dataset.splits != "maml", "splits ", c.dataset.splits, " instead of maml");
  if (dataset == "mini_imagenet") {
    differ(c.network.name != "conv4" || c.network.filters != 32, c.network.name, " with ", c.network.filters,
           " filters instead of conv4 with 32");
    differ(c.shape.queries != 15, c.shape.queries, " training queries per class instead of 15");
  }
  return found;
}

}  // namespace innerloop
