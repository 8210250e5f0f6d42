#include "networks/layer_graph.h"

#include "base/error.h"
#include "networks/network.h"

namespace innerloop {

LayerGraph layers_of(const Network& network, const std::string& name) {
  const auto* tells = dynamic_cast<const TellsLayers*>(&network);
  require(tells != nullptr, "network ", name,
          " does not tell its layers, so nothing can be built from them elsewhere; expected a network that "
          "derives from TellsLayers (networks/layer_graph.h), as mlp, conv4 and resnet12 do");
  return tells->layers();
}

}  // namespace innerloop
