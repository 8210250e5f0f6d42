// Values that JSON has another word for.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

namespace innerloop {

inline nlohmann::ordered_json or_null(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

}  // namespace innerloop
