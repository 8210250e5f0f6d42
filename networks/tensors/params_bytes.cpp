#include "networks/tensors/params_bytes.h"

#include <cstdint>
#include <cstring>

#include "base/error.h"

namespace innerloop {
namespace {

void put(std::string& out, int64_t number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

std::string_view take(std::string_view& from, size_t bytes) {
  require(from.size() >= bytes, "parameters of another process end early: ", from.size(), " bytes, expected ",
          bytes);
  const auto taken = from.substr(0, bytes);
  from.remove_prefix(bytes);
  return taken;
}

int64_t take_number(std::string_view& from) {
  int64_t number;
  std::memcpy(&number, take(from, sizeof number).data(), sizeof number);
  return number;
}

}  // namespace

std::string layout_bytes(const Params& params) {
  std::string out;
  put(out, static_cast<int64_t>(params.size()));
  for (const auto& entry : params) {
    put(out, static_cast<int64_t>(entry.name.size()));
    out += entry.name;
    put(out, static_cast<int64_t>(entry.value.scalar_type()));
    put(out, entry.value.dim());
    for (const auto size : entry.value.sizes()) put(out, size);
  }
  return out;
}

Params params_of(std::string_view& layout) {
  std::vector<Params::Entry> entries(static_cast<size_t>(take_number(layout)));
  for (auto& entry : entries) {
    entry.name = take(layout, static_cast<size_t>(take_number(layout)));
    const auto type = static_cast<torch::ScalarType>(take_number(layout));
    std::vector<int64_t> sizes(static_cast<size_t>(take_number(layout)));
    for (auto& size : sizes) size = take_number(layout);
    entry.value = torch::empty(sizes, torch::TensorOptions().dtype(type));
  }
  return Params(std::move(entries));
}

std::vector<NumberBlock> number_blocks(const Params& params) {
  std::vector<NumberBlock> out;
  for (const auto& entry : params) {
    require(entry.value.is_contiguous(), "entry '", entry.name, "' is not contiguous");
    out.push_back({static_cast<std::byte*>(entry.value.data_ptr()),
                   static_cast<size_t>(entry.value.numel()) * entry.value.element_size(),
                   entry.value.scalar_type() == torch::kFloat64});
  }
  return out;
}

std::string to_bytes(const std::vector<Params>& parts) {
  std::string out;
  put(out, static_cast<int64_t>(parts.size()));
  for (const auto& part : parts) {
    const Params whole = part.map([](const torch::Tensor& value) { return value.contiguous(); });
    out += layout_bytes(whole);
    for (const auto& block : number_blocks(whole))
      out.append(reinterpret_cast<const char*>(block.data), block.bytes);
  }
  return out;
}

std::vector<Params> from_bytes(std::string_view bytes) {
  std::vector<Params> parts(static_cast<size_t>(take_number(bytes)));
  for (auto& part : parts) {
    part = params_of(bytes);
    for (const auto& block : number_blocks(part)) {
      if (block.bytes > 0) std::memcpy(block.data, take(bytes, block.bytes).data(), block.bytes);
    }
  }
  return parts;
}

}  // namespace innerloop
