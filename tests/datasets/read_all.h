// A whole source for the tests of archives and folders.
#pragma once

#include "datasets/archive.h"
#include "tests/datasets/fixtures.h"

namespace innerloop::testing {

inline Files read_all(const fs::path& source) {
  const auto paths = list_files(source).files;
  Files files(paths.size());
  read_files(source, paths, [&](size_t i, Bytes&& bytes) { files[i] = {paths[i], std::move(bytes)}; });
  return files;
}

}  // namespace innerloop::testing
