// What lies in a folder, links followed.
#pragma once

#include "datasets/archive.h"

namespace innerloop {

// The files of `folder` by their paths inside, unsorted, hidden ones (a name that starts with a dot) left
// out. A link to a folder is followed, except to a folder around it, and beneath one link no folder is
// entered twice: the walk ends, whatever the links. A link that is not followed is named in `skipped`. A link
// to nowhere counts as a file: whoever reads it is told.
Listing walk_folder(const std::filesystem::path& folder);

}  // namespace innerloop
