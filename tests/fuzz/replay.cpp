// main of a fuzz target where there is no libFuzzer: TARGET FOLDER gives it every file of the folder, once.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <vector>

#include "base/files.h"
#include "tests/fuzz/fuzz.h"

int main(int argc, char* argv[]) {
  constexpr size_t kLargest = 1 << 24;
  if (argc != 2) {
    std::cerr << "usage: " << argv[0] << " FOLDER\n";
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::cout << file.string() << std::endl;
    const std::string bytes = innerloop::read_file(file, kLargest);
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  }
  std::cout << files.size() << " inputs\n";
  return files.empty() ? 1 : 0;
}
