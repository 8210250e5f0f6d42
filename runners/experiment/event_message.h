// TensorBoard's events (tensorflow/core/util/event.proto and framework/summary.proto) as bytes of a record.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runners/experiment/progress_row.h"

namespace innerloop {

// The first event of every file: it says which format follows.
std::string format_version_event(double wall_time);

// A process begins (or goes on) with this step: a reader drops what it has of this and later steps, which the
// process before had not saved.
std::string format_start_event(double wall_time, int64_t step);

// Scalars, histograms (30 buckets of equal width from the smallest to the largest finite value) and PNG
// pictures of one step. Error for a picture that is no PNG.
std::string format_summary_event(double wall_time, int64_t step, const ProgressNews& news);

// The step of an event; 0 where it has none. Error if it is no event.
int64_t step_of_event(std::string_view event);

}  // namespace innerloop
