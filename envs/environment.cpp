#include "envs/environment.h"

#include <cmath>
#include <cstdio>

namespace innerloop {

std::string Environment::task_text(const Eigen::VectorXd& task) const {
  std::string text;
  for (int64_t i = 0; i < task.size(); ++i) {
    const auto& names = spec().task_parameters;
    text += (i == 0 ? "" : ", ") + names.at(static_cast<size_t>(i)) + " " + two_digits(task[i]);
  }
  return text;
}

std::string two_digits(double value) {
  char text[64];
  // No minus before what is printed as zero.
  std::snprintf(text, sizeof text, "%.2f", std::abs(value) < 0.005 ? 0.0 : value);
  return text;
}

}  // namespace innerloop
