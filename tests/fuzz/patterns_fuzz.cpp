// Patterns of parameters that adapt (inner.adapt).
#include "meta/inner_loop.h"
#include "tests/fuzz/fuzz.h"

using namespace innerloop;
using namespace innerloop::fuzz;

namespace {

const Params& parameters() {
  static const Params list = [] {
    std::vector<Params::Entry> entries;
    for (const char* name : {"block1.weight", "block1.bias", "block2.weight", "block2.bias", "block10.weight",
                             "head.weight", "head.bias", "context"})
      entries.push_back({name, torch::zeros({1, 1})});
    return Params(std::move(entries));
  }();
  return list;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  InnerLoopConfig config;
  config.adapt = text_of(data, size);
  taken([&] {
    InnerLoop(config, parameters(), {.fixed = {"context"}, .head = {"head.weight", "head.bias"}});
  });
  return 0;
}
