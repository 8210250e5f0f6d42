#include "runners/experiment/image_network.h"

#include <algorithm>

#include "base/error.h"
#include "runners/experiment/options.h"

namespace innerloop {
namespace {

constexpr char kNetwork[] = "conv4";

// Whether this asks for another network.
bool speaks_for_another(const Setting& setting) {
  if (setting.key == "network.name") return true;
  if (setting.key == "network.batch_norm") return setting.value == "none";
  const Choice* owner = key_table(Side::kSupervised).owner(setting.key);
  if (owner == nullptr || owner->by != "network.name") return false;
  const auto knowing = owner->knowing(setting.key);
  return std::find(knowing.begin(), knowing.end(), kNetwork) == knowing.end();
}

}  // namespace

void choose_network_for_images(ExperimentConfig& config, const std::vector<Setting>& file,
                               const std::vector<Setting>& flags) {
  if (config.side != Side::kSupervised || !holds_images(config.supervised.dataset.name)) return;
  bool mode_given = false;
  for (const auto* settings : {&file, &flags}) {
    if (std::any_of(settings->begin(), settings->end(), speaks_for_another)) return;
    for (const auto& setting : *settings) mode_given |= setting.key == "network.batch_norm";
  }
  NetworkConfig& network = config.supervised.network;
  network.name = kNetwork;
  if (!mode_given) network.batch_norm = "batch";
  config.notes.push_back(concat("network: ", network.name, " with batch normalisation by ",
                                network.batch_norm, ", since ", config.supervised.dataset.name,
                                " holds images; network.name chooses another"));
}

}  // namespace innerloop
