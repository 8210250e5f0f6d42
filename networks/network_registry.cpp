#include <algorithm>

#include "base/error.h"
#include "networks/conv4.h"
#include "networks/mlp_network.h"
#include "networks/network.h"
#include "networks/resnet12.h"

namespace innerloop {
namespace {

using Shape = std::vector<int64_t>;

struct Entry {
  const char* name;
  const char* description;
  std::unique_ptr<Network> (*make)(const NetworkConfig& config, const Shape& input, int64_t outputs);
  // What it takes; other settings must keep their defaults.
  bool images = false;         // input {channels, height, width} only; batch normalisation always
  bool layers = false;         // hidden, activation
  bool filters = false;        // filters
  bool forms = false;          // downsample, head
  bool always_scales = false;  // batch_norm_scale is not a choice
};

std::unique_ptr<Network> make_mlp(const NetworkConfig& config, const Shape& input, int64_t outputs) {
  int64_t inputs = 1;
  for (const auto size : input) inputs *= size;
  const bool normalises = config.batch_norm != "none";
  require_usage(!normalises || !config.hidden.empty(), "network.batch_norm: ", config.batch_norm,
                " asked of an mlp without hidden layers, which has nothing to normalise");
  require_usage(normalises || !config.batch_norm_scale,
                "network.batch_norm_scale: on, but network.batch_norm is none");
  return std::make_unique<MlpNetwork>(MlpNetworkConfig{
      .mlp = {inputs, config.hidden, outputs, parse_activation(config.activation)},
      .batch_norm = normalises,
      .scale = config.batch_norm_scale,
      .initialization = config.initialization,
  });
}

// One of two spellings.
bool is_first(const char* key, const std::string& value, const std::string& first,
              const std::string& second) {
  require_usage(value == first || value == second, unknown_name(key, value, {first, second}));
  return value == first;
}

std::unique_ptr<Network> make_conv4(const NetworkConfig& config, const Shape& input, int64_t outputs) {
  return std::make_unique<Conv4>(Conv4Config{
      .channels = input[0],
      .height = input[1],
      .width = input[2],
      .filters = config.filters,
      .max_pool = is_first("network.downsample", config.downsample, "max_pool", "stride"),
      .mean_head = is_first("network.head", config.head, "mean", "flatten"),
      .outputs = outputs,
      .scale = config.batch_norm_scale,
      .initialization = config.initialization,
  });
}

std::unique_ptr<Network> make_resnet12(const NetworkConfig& config, const Shape& input, int64_t outputs) {
  return std::make_unique<ResNet12>(ResNet12Config{
      .channels = input[0],
      .height = input[1],
      .width = input[2],
      .filters = config.filters,
      .outputs = outputs,
      .initialization = config.initialization,
  });
}

// Adding a network: write networks/NAME.{h,cpp}, add its line here, run `networks_tests "[contract]"`.
constexpr Entry kNetworks[] = {
    {.name = "mlp",
     .description = "fully connected layers on flattened inputs, with or without batch normalisation",
     .make = make_mlp,
     .layers = true},
    {.name = "conv4",
     .description = "four 3 x 3 convolutions with batch normalisation (Finn et al. 2017)",
     .make = make_conv4,
     .images = true,
     .filters = true,
     .forms = true},
    {.name = "resnet12",
     .description = "four residual blocks of three convolutions, 64-160-320-640 (Lee et al. 2019)",
     .make = make_resnet12,
     .images = true,
     .filters = true,
     .always_scales = true},
};

void refuse_unknown_settings(const Entry& entry, const NetworkConfig& config) {
  const NetworkConfig defaults;
  const auto refuse = [&](bool known, bool set, const char* key, const char* meaning) {
    require_usage(known || !set, "network.", key, ": ", entry.name, " does not know this setting (", meaning,
                  ")");
  };
  refuse(entry.layers, config.hidden != defaults.hidden, "hidden", "sizes of hidden layers");
  refuse(entry.layers, config.activation != defaults.activation, "activation", "of hidden layers");
  refuse(entry.filters, config.filters != defaults.filters, "filters", "channels of convolutions");
  refuse(entry.forms, config.downsample != defaults.downsample, "downsample", "how a stage halves its image");
  refuse(entry.forms, config.head != defaults.head, "head", "how an image becomes features");
  refuse(!entry.always_scales, config.batch_norm_scale != defaults.batch_norm_scale, "batch_norm_scale",
         "it always learns a scale");
}

void check_batch_norm(const Entry& entry, const std::string& mode) {
  const std::vector<std::string> known{"none", "batch", "per_task_running", "global_running"};
  require_usage(std::find(known.begin(), known.end(), mode) != known.end(),
                unknown_name("network.batch_norm", mode, known));
  require_usage(
      !entry.images || mode != "none", "network.batch_norm: ", entry.name,
      " always normalises, so that whose statistics it uses must be said: batch (the MAML papers'), "
      "per_task_running or global_running");
}

void check_input(const Entry& entry, const Shape& input) {
  const auto shape = [&] {
    std::vector<std::string> sizes;
    for (const auto size : input) sizes.push_back(concat(size));
    return concat("{", join(sizes), "}");
  };
  require_usage(std::all_of(input.begin(), input.end(), [](int64_t size) { return size >= 1; }), "network ",
                entry.name, ": a sample of shape ", shape(), " has no numbers");
  require_usage(!entry.images || input.size() == 3, "network ", entry.name,
                " takes images {channels, height, width}; a sample of this data set has the shape ", shape(),
                ", which mlp takes");
}

}  // namespace

std::vector<NamedNetwork> networks() {
  std::vector<NamedNetwork> table;
  for (const auto& entry : kNetworks) table.push_back({entry.name, entry.description});
  return table;
}

std::unique_ptr<Network> make_network(const NetworkConfig& config, const std::vector<int64_t>& input,
                                      int64_t outputs) {
  const auto entry = std::find_if(std::begin(kNetworks), std::end(kNetworks),
                                  [&](const Entry& e) { return e.name == config.name; });
  if (entry == std::end(kNetworks)) {
    std::vector<std::string> known;
    for (const auto& e : kNetworks) known.emplace_back(e.name);
    throw UsageError(unknown_name("network", config.name, known));
  }
  refuse_unknown_settings(*entry, config);
  check_batch_norm(*entry, config.batch_norm);
  check_input(*entry, input);
  return entry->make(config, input, outputs);
}

}  // namespace innerloop
