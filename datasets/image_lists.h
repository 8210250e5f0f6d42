// Splits by CSV lists (Ravi and Larochelle 2017): train.csv, val.csv (or valid.csv, validation.csv) and
// test.csv with the columns filename and label, in the folder or archive of the images or beside it.
#pragma once

#include "datasets/image_layout.h"

namespace innerloop {

// Nothing unless there is a list for training. A filename may have folders in front, '\' for '/', and be
// absolute, written on another machine; it may be in either normal form of Unicode. The image it names is the
// one whose path ends in it, or whose path it ends in. Error if two images may be meant, if two rows name one
// image, if there are two lists for one split, and if no row at all names an image.
std::optional<Layout> read_lists(const Contents& contents);

}  // namespace innerloop
