#include "runners/reports/report_text.h"

#include <cstdio>

#include "base/error.h"

namespace innerloop {
namespace {

std::string with_interval(const SeedEstimate& estimate, const auto& text) {
  if (!estimate.ci95) return text(estimate.value);
  return concat(text(estimate.value), " [", text(estimate.ci95->low), ", ", text(estimate.ci95->high), "]");
}

std::string printed(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

double metric_unit(const std::string& metric) { return metric == "accuracy" ? 100 : 1; }

std::string metric_text(double value, const std::string& metric, bool sign) {
  const bool fine = metric == "mse";
  return printed(sign ? (fine ? "%+.4f" : "%+.2f") : (fine ? "%.4f" : "%.2f"), metric_unit(metric) * value);
}

std::string estimate_text(const SeedEstimate& estimate, const std::string& metric) {
  return with_interval(estimate, [&](double value) { return metric_text(value, metric); });
}

std::string mean_text(const MeanStatistics& mean, const std::string& metric, bool sign) {
  const std::string text = metric_text(mean.mean, metric, sign);
  return mean.ci95 ? concat(text, " \u00b1 ", metric_text(*mean.ci95, metric)) : text;
}

std::string probability_text(const SeedEstimate& estimate) {
  return with_interval(estimate, [](double value) { return printed("%.2f", value); });
}

std::string seeds_text(size_t seeds) { return seeds == 1 ? "one seed" : concat(seeds, " seeds"); }

}  // namespace innerloop
