#include <algorithm>

#include "base/error.h"
#include "networks/conv4.h"
#include "networks/koch.h"
#include "networks/mlp_network.h"
#include "networks/network.h"
#include "networks/resnet12.h"

namespace innerloop {
namespace {

using Shape = std::vector<int64_t>;

constexpr int64_t kMostUnits = 1'000'000, kMostFilters = 10'000;

struct Entry : Row {
  std::unique_ptr<Network> (*make)(const NetworkConfig& config, const Shape& input, int64_t outputs);
  bool images = false;  // takes {channels, height, width} only, and always normalises
  bool plain = false;   // never normalises
};

template <class Settings>
Settings own_of(const NetworkConfig& config, const Keys<Settings>& keys) {
  return keys.read(config.own, "network " + config.name, "network");
}

constexpr char kScaleMeaning[] = "normalisation learns a scale beside the shift";

struct MlpSettings {
  std::vector<int64_t> hidden{40, 40};
  Activation activation = Activation::kRelu;
  bool batch_norm_scale = false;  // cbfinn/maml: shift alone
};
const Keys<MlpSettings>& mlp_keys() {
  static const Keys<MlpSettings> keys{
      keys::sizes("hidden", &MlpSettings::hidden, kMostUnits, "sizes of the hidden layers, none = linear"),
      keys::spelled("activation", &MlpSettings::activation, kActivations, "of the hidden layers"),
      keys::truth("batch_norm_scale", &MlpSettings::batch_norm_scale, kScaleMeaning)};
  return keys;
}

std::unique_ptr<Network> make_mlp(const NetworkConfig& config, const Shape& input, int64_t outputs) {
  const auto own = own_of(config, mlp_keys());
  int64_t inputs = 1;
  for (const auto size : input) inputs *= size;
  const bool normalises = config.batch_norm != "none";
  require_usage(!normalises || !own.hidden.empty(), "network.batch_norm: ", config.batch_norm,
                " asked of an mlp without hidden layers, which has nothing to normalise");
  require_usage(normalises || !own.batch_norm_scale,
                "network.batch_norm_scale: on, but network.batch_norm is none");
  return std::make_unique<MlpNetwork>(MlpNetworkConfig{
      .mlp = {inputs, own.hidden, outputs, own.activation},
      .batch_norm = normalises,
      .scale = own.batch_norm_scale,
      .initialization = config.initialization,
  });
}

struct Conv4Settings {
  int64_t filters = 64;
  bool max_pool = false;          // 2 x 2, VALID; otherwise stride 2, SAME
  bool mean_head = true;          // over height and width
  bool batch_norm_scale = false;  // cbfinn/maml: shift alone
};
const Keys<Conv4Settings>& conv4_keys() {
  static const Keys<Conv4Settings> keys{
      keys::whole("filters", &Conv4Settings::filters, 1, kMostFilters, "channels of every stage"),
      keys::spelled("downsample", &Conv4Settings::max_pool, {{"stride", false}, {"max_pool", true}},
                    "how a stage halves the image"),
      keys::spelled("head", &Conv4Settings::mean_head, {{"mean", true}, {"flatten", false}},
                    "what the last layer sees of height and width"),
      keys::truth("batch_norm_scale", &Conv4Settings::batch_norm_scale, kScaleMeaning)};
  return keys;
}

std::unique_ptr<Network> make_conv4(const NetworkConfig& config, const Shape& input, int64_t outputs) {
  const auto own = own_of(config, conv4_keys());
  return std::make_unique<Conv4>(Conv4Config{
      .channels = input[0],
      .height = input[1],
      .width = input[2],
      .filters = own.filters,
      .max_pool = own.max_pool,
      .mean_head = own.mean_head,
      .outputs = outputs,
      .scale = own.batch_norm_scale,
      .initialization = config.initialization,
  });
}

struct ResNet12Settings {
  int64_t filters = 64;
};
const Keys<ResNet12Settings>& resnet12_keys() {
  static const Keys<ResNet12Settings> keys{keys::whole("filters", &ResNet12Settings::filters, 1, kMostFilters,
                                                       "channels of the first block, even")};
  return keys;
}

std::unique_ptr<Network> make_resnet12(const NetworkConfig& config, const Shape& input, int64_t outputs) {
  return std::make_unique<ResNet12>(ResNet12Config{
      .channels = input[0],
      .height = input[1],
      .width = input[2],
      .filters = own_of(config, resnet12_keys()).filters,
      .outputs = outputs,
      .initialization = config.initialization,
  });
}

struct KochSettings {
  int64_t units = 4096;
  int64_t divisor = 1;
};
const Keys<KochSettings>& koch_keys() {
  static const Keys<KochSettings> keys{
      keys::whole("units", &KochSettings::units, 0, kMostUnits, "of the sigmoid layer, 0 = no such layer"),
      keys::whole("divisor", &KochSettings::divisor, 1, 64,
                  "so many times fewer kernels than 64, 128, 128 and 256: 1, 2, 4, .. 64")};
  return keys;
}

std::unique_ptr<Network> make_koch(const NetworkConfig& config, const Shape& input, int64_t outputs) {
  const auto own = own_of(config, koch_keys());
  return std::make_unique<Koch>(KochConfig{
      .channels = input[0],
      .height = input[1],
      .width = input[2],
      .divisor = own.divisor,
      .units = own.units,
      .outputs = outputs,
      .initialization = config.initialization,
  });
}

// Adding a network: write networks/NAME.{h,cpp}, add its line here, run `networks_tests "[contract]"`. One
// that can leave as ONNX also tells its layers (networks/layer_graph.h).
const std::vector<Entry>& table() {
  static const std::vector<Entry> entries{
      {{"mlp", "fully connected layers on flattened inputs, with or without batch normalisation",
        mlp_keys().list()},
       make_mlp},
      {{"conv4", "four 3 x 3 convolutions with batch normalisation (Finn et al. 2017)", conv4_keys().list()},
       make_conv4,
       /*images=*/true},
      {{"resnet12", "four residual blocks of three convolutions, 64-160-320-640 (Lee et al. 2019)",
        resnet12_keys().list()},
       make_resnet12,
       /*images=*/true},
      {{"koch", "four unpadded convolutions and a layer of sigmoids, from 65 pixels on (Koch et al. 2015)",
        koch_keys().list()},
       make_koch,
       /*images=*/true,
       /*plain=*/true},
  };
  return entries;
}

void check_batch_norm(const Entry& entry, const std::string& mode) {
  require_usage(std::find(kBatchNormModes.begin(), kBatchNormModes.end(), mode) != kBatchNormModes.end(),
                unknown_name("network.batch_norm", mode, kBatchNormModes));
  require_usage(
      entry.plain || !entry.images || mode != "none", "network.batch_norm: ", entry.name,
      " always normalises, so that whose statistics it uses must be said: batch (the MAML papers'), "
      "per_task_running or global_running");
  require_usage(!entry.plain || mode == "none", "network.batch_norm: ", mode, " asked, but ", entry.name,
                " has nothing that normalises; expected none");
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

std::vector<Row> networks() { return rows_of(table()); }

std::vector<Key> network_keys() {
  using C = NetworkConfig;
  return {
      keys::choice("name", &C::name, names_of(table()), "kind of network"),
      keys::choice("initialization", &C::initialization, kInitializations, "of the weights of linear layers"),
      keys::choice("batch_norm", &C::batch_norm, kBatchNormModes,
                   "whose statistics normalise; batch is transductive")};
}

std::unique_ptr<Network> make_network(const NetworkConfig& config, const std::vector<int64_t>& input,
                                      int64_t outputs) {
  const Entry& entry = find_named("network", table(), config.name);
  check_batch_norm(entry, config.batch_norm);
  check_input(entry, input);
  return entry.make(config, input, outputs);
}

}  // namespace innerloop
