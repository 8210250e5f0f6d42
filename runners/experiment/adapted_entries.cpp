#include "runners/experiment/adapted_entries.h"

#include "base/error.h"
#include "runners/experiment/safetensors.h"

namespace innerloop {
namespace {

// In the order of `expected`.
Params fitting_entries(const Params& found, const Params& expected, const std::string& refusal) {
  std::vector<Params::Entry> entries;
  for (const auto& entry : expected) {
    require(found.contains(entry.name), refusal, ": it has no '", entry.name, "' but ", join(found.names()));
    const auto& value = found.at(entry.name);
    require(value.sizes() == entry.value.sizes() && value.scalar_type() == entry.value.scalar_type(), refusal,
            ": its '", entry.name, "' is ", value.sizes(), " of ", value.scalar_type(), ", expected ",
            entry.value.sizes(), " of ", entry.value.scalar_type());
    entries.push_back({entry.name, value});
  }
  return Params(std::move(entries));
}

}  // namespace

AdaptedEntries read_adapted_entries(const std::filesystem::path& file, const Params& expected,
                                    const Params& statistics, const std::string& of) {
  const Safetensors content = read_safetensors(file);
  const std::string name = concat("'", file.string(), "'");
  require(!content.tensors.contains("support/x"), name,
          " holds a support set, by which its method predicts, and no adapted parameters; without --adapted, "
          "export gives what was learned");
  const Params found = content.tensors.part("adapted/"), normalising = content.tensors.part("statistics/");
  require(!found.empty(), name, " holds no tensors adapted/NAME but ",
          content.tensors.empty() ? "none" : join(content.tensors.names()),
          "; innerloop predict --save and innerloop act --save write such files");
  const std::string refusal = concat(name, " was not adapted from ", of);
  return {fitting_entries(found, expected, refusal),
          normalising.empty() ? Params() : fitting_entries(normalising, statistics, refusal),
          content.metadata};
}

}  // namespace innerloop
