#include "meta/algorithms/unicorn_maml.h"

#include <algorithm>

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct UnicornMamlConfig {
  std::string head = "shared";
};

const Keys<UnicornMamlConfig>& unicorn_maml_keys() {
  static const Keys<UnicornMamlConfig> list{
      keys::choice("head", &UnicornMamlConfig::head, {"shared", "zero"},
                   "every class starts from one learned vector, or from zero")};
  return list;
}

bool among(const std::string& name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// One row [1, 1, ...] of the last layer's entries -> as many as there are classes. Where the meta-parameters
// have no such entry, zeros.
class EqualRows : public LinearMap {
 public:
  // `network`: initial parameters, whose order and shapes phi_0 has.
  EqualRows(const Params& network, std::vector<std::string> head)
      : network_(network.zeros_like()), head_(std::move(head)) {}

  Params operator()(const Params& p, const At& at) const override {
    const auto row = [&](const std::string& name) { return p.at(name); };
    std::vector<Params::Entry> out;
    for (const auto& entry : network_) {
      auto shape = entry.value.sizes().vec();
      shape[0] = at.tasks;
      const bool known = p.contains(entry.name);
      out.push_back({entry.name, known ? row(entry.name).expand(shape)
                                       : torch::zeros(shape, entry.value.options().dtype(p.dtype()))});
    }
    return Params(std::move(out));
  }

  Params pullback(const Params& p, const At&, const Params& c) const override {
    std::vector<Tensor> out;
    for (const auto& entry : p) {
      const Tensor over_tasks = c.at(entry.name).sum(0, /*keepdim=*/true);
      out.push_back(among(entry.name, head_) ? over_tasks.sum(1, /*keepdim=*/true) : over_tasks);
    }
    return p.with(std::move(out));
  }

 private:
  Params network_;
  std::vector<std::string> head_;
};

Parts unicorn_maml_parts(const UnicornMamlConfig& config, const MethodContext& context) {
  require_usage(context.dataset->spec().classification, "algorithm unicorn_maml needs classes; the data set ",
                context.dataset->spec().name, " has none");
  const auto network = context.network(context.outputs);
  const auto head = network->head_names();
  Stream any(StreamKey{.purpose = Purpose::kInitialParameters});  // names and shapes alone matter
  Parts out;
  out.initialisation = std::make_shared<EqualRows>(network->initial(any), head);
  const bool shared = config.head == "shared";
  out.meta = [head, shared](const Params& theta, Stream&) {
    std::vector<Params::Entry> entries;
    for (const auto& entry : theta) {
      if (!among(entry.name, head)) {
        entries.push_back(entry);
      } else if (shared) {
        entries.push_back({entry.name, entry.value.narrow(1, 0, 1).clone()});
      }
    }
    return Params(std::move(entries));
  };
  return out;
}

}  // namespace

Algorithm unicorn_maml() {
  return gradient_algorithm({.name = "unicorn_maml",
                             .paper = "Ye and Chao 2022, section 5",
                             .summary = "MAML whose classes all start from one learned vector, or from zero"},
                            unicorn_maml_keys(), unicorn_maml_parts, Tasks::kEpisodes);
}

}  // namespace innerloop
