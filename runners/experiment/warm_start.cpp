#include "runners/experiment/warm_start.h"

#include "base/error.h"
#include "runners/experiment/run_directory.h"
#include "runners/experiment/safetensors.h"

namespace innerloop {
namespace {

std::filesystem::path file_of(const std::filesystem::path& source) {
  std::error_code ignored;
  const RunDirectory run = find_run(source.string());
  if (!std::filesystem::is_directory(run.root(), ignored)) return source;
  const bool best = std::filesystem::exists(run.best_checkpoint(), ignored);
  return best ? run.best_checkpoint() : run.last_checkpoint();
}

}  // namespace

WarmStart warm_start(const std::filesystem::path& source, const Params& own) {
  const auto file = file_of(source);
  Params found = read_safetensors(file).tensors;
  const Params of_checkpoint = found.part("meta/");
  if (!of_checkpoint.empty()) found = of_checkpoint;
  WarmStart out;
  std::vector<torch::Tensor> values;
  for (const auto& entry : own) {
    values.push_back(entry.value);
    if (!found.contains(entry.name)) {
      out.kept.push_back(entry.name + " (not there)");
      continue;
    }
    auto there = found.at(entry.name);
    if (there.dim() + 1 == entry.value.dim()) there = there.unsqueeze(0);  // as `export` writes them
    if (there.sizes() != entry.value.sizes() || !there.is_floating_point()) {
      out.kept.push_back(concat(entry.name, " (there ", there.sizes(), ", here ", entry.value.sizes(), ")"));
      continue;
    }
    values.back() = there.to(entry.value.scalar_type()).clone();
    out.taken.push_back(entry.name);
  }
  for (const auto& entry : found) {
    if (!own.contains(entry.name)) out.unused.push_back(entry.name);
  }
  require(!out.taken.empty(), "meta.start: no entry of '", file.string(), "' fits by name and shape; it has ",
          join(found.names()), "; expected ", join(own.names()));
  out.meta = own.with(std::move(values));
  return out;
}

}  // namespace innerloop
