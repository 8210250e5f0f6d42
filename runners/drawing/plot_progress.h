// The course of a training run as a picture.
#pragma once

#include <filesystem>
#include <string>

namespace innerloop {

// Plots over the iterations of a progress.csv the mean returns before and after each inner step (columns
// step_k_return_mean), or accuracy or error on training tasks (query_accuracy, query_mse) with the
// validations of a validation.csv beside it. False, and no file, if there is no progress.csv or it has no
// rows yet; a row that is still being written is left out. Error if its columns are not a training run's.
// `what` was trained: "navigation_2d, maml, seed 1". Where there are many rows, a mean over a twentieth of
// them around each is drawn over the rows themselves.
// `step`: what adapts once, "gradient step" or "episode".
bool plot_progress(const std::filesystem::path& csv, const std::filesystem::path& png,
                   const std::string& what, const std::string& step = "gradient step");

}  // namespace innerloop
