// What stands between linear layers. No torch: configurations are read without it.
#pragma once

#include <string>

#include "base/row.h"

namespace innerloop {

enum class Activation { kRelu, kTanh };

inline const Spellings<Activation> kActivations{{"relu", Activation::kRelu}, {"tanh", Activation::kTanh}};

// UsageError with the known names.
inline Activation parse_activation(const std::string& name) {
  return find_named("activation", kActivations, name).value;
}

}  // namespace innerloop
