// Numbers of a report as text.
#pragma once

#include <optional>
#include <string>

#include "runners/experiment/statistics.h"
#include "runners/reports/seed_statistics.h"

namespace innerloop {

double metric_unit(const std::string& metric);  // 100 for accuracies, which are shown in percent

// "98.70", "0.3512" or "-12.34", in the metric's unit; `sign`: with + before what is above 0.
std::string metric_text(double value, const std::string& metric, bool sign = false);
// "98.70 [98.21, 99.02]", or the number alone.
std::string estimate_text(const SeedEstimate& estimate, const std::string& metric);
// "98.70 ± 0.31".
std::string mean_text(const MeanStatistics& mean, const std::string& metric, bool sign = false);
std::string probability_text(const SeedEstimate& estimate);  // "0.65 [0.42, 0.85]"
std::string seeds_text(size_t seeds);                        // "one seed", "3 seeds"

}  // namespace innerloop
