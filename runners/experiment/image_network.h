// The network of images for which none is named. No torch.
#pragma once

#include <vector>

#include "runners/experiment/config.h"

namespace innerloop {

// Images want convolutions: where the data set of `config` holds images, conv4 takes the place of the default
// network, with network.batch_norm = batch unless that is said, and a note says so. Nothing changes where a
// network is named, a key is given that conv4 does not know, or network.batch_norm = none, which it cannot
// have.
void choose_network_for_images(ExperimentConfig& config, const std::vector<Setting>& file,
                               const std::vector<Setting>& flags);

}  // namespace innerloop
