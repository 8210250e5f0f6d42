// Labelled images on one sheet, to look at before training on them.
#pragma once

#include <filesystem>

#include "datasets/dataset.h"

namespace innerloop {

// Draws one training task of up to 12 classes, a row each with its name, of up to 16 images, into a .png or
// .jpg file. UsageError if the data set is not one of images, or the file would be of another kind.
void write_preview(const Dataset& dataset, const std::filesystem::path& file);

}  // namespace innerloop
