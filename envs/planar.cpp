#include "envs/planar.h"

#include "envs/observe_task.h"

namespace innerloop {

const Planar* planar(const Environment& environment) {
  if (const auto* decorator = dynamic_cast<const ObserveTask*>(&environment))
    return planar(decorator->inner());
  return dynamic_cast<const Planar*>(&environment);
}

}  // namespace innerloop
