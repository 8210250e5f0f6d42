#include "runners/experiment/warm_start.h"

#include "base/error.h"
#include "runners/experiment/checkpoint.h"
#include "runners/experiment/run_directory.h"
#include "runners/experiment/safetensors.h"
#include "tests/runners/scratch_folder.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

Params drawn() {
  return Params({{"conv1.weight", torch::zeros({1, 2, 3})},
                 {"linear.weight", torch::zeros({1, 5, 4})},
                 {"inner.rate", torch::zeros({1, 1})}});
}

}  // namespace

TEST_CASE("a warm start takes what fits by name and shape and names the rest", "[warm_start]") {
  const ScratchFolder folder;
  const RunDirectory run(folder / "pretrained");
  create_run_directory(run);
  Checkpoint checkpoint{.kind = "supervised", .iteration = 3};
  checkpoint.meta = Params({{"conv1.weight", torch::ones({1, 2, 3})},
                            {"linear.weight", torch::ones({1, 64, 4})},
                            {"other", torch::ones({1, 7})}});
  save_checkpoint(run.last_checkpoint(), checkpoint);
  const auto start = warm_start(run.root(), drawn());
  CHECK(start.taken == std::vector<std::string>{"conv1.weight"});
  CHECK(start.kept.size() == 2);
  CHECK_THAT(start.kept[0], contains("linear.weight") && contains("64"));
  CHECK_THAT(start.kept[1], contains("inner.rate (not there)"));
  CHECK(start.unused == std::vector<std::string>{"other"});
  CHECK(start.meta.names() == drawn().names());
  CHECK(start.meta.at("conv1.weight").eq(1).all().item<bool>());
  CHECK(start.meta.at("linear.weight").eq(0).all().item<bool>());

  checkpoint.meta = Params({{"conv1.weight", torch::full({1, 2, 3}, 2.0)}});
  save_checkpoint(run.best_checkpoint(), checkpoint);
  CHECK(warm_start(run.root(), drawn()).meta.at("conv1.weight").eq(2).all().item<bool>());  // the best, if
                                                                                            // there is one
}

TEST_CASE("a warm start reads any safetensors file, and refuses one of which nothing fits", "[warm_start]") {
  const ScratchFolder folder;
  const auto file = folder / "weights.safetensors";
  write_safetensors(file, {{}, Params({{"conv1.weight", torch::ones({1, 2, 3}, torch::kFloat64)}})});
  const auto start = warm_start(file, drawn());
  CHECK(start.meta.at("conv1.weight").scalar_type() == torch::kFloat32);
  CHECK(start.meta.at("conv1.weight").eq(1).all().item<bool>());
  write_safetensors(file, {{}, Params({{"conv1.weight", torch::ones({1, 3, 2})}})});
  CHECK_THROWS_WITH(warm_start(file, drawn()), contains("no entry") && contains("conv1.weight"));
  CHECK_THROWS_AS(warm_start(folder / "missing", drawn()), Error);
}
