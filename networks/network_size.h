// How large a network is, told without making it. Doubles: no product of sizes overflows.
#pragma once

namespace innerloop {

struct NetworkSize {
  double parameters = 0;   // numbers of initial()
  double activations = 0;  // numbers that the layers give out for one sample
};

}  // namespace innerloop
