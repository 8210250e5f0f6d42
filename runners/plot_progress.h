// The course of a training run as a picture.
#pragma once

#include <filesystem>

namespace innerloop {

// Plots the mean returns before and after each inner step (columns step_k_return_mean) over the iterations of
// a progress.csv. False, and no file, if there is no progress.csv or it has no rows yet; a row that is still
// being written is left out. Error if its columns are not a training run's.
bool plot_progress(const std::filesystem::path& csv, const std::filesystem::path& png);

}  // namespace innerloop
