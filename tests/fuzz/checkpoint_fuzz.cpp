// Safetensors files and, among them, checkpoints. What is read is written and read again to the same bytes.
#include <cstdio>

#include "runners/experiment/checkpoint.h"
#include "runners/experiment/safetensors.h"
#include "tests/fuzz/fuzz.h"

using namespace innerloop;
using namespace innerloop::fuzz;

namespace {

// A changed byte breaks the checksum (runners/experiment/checkpoint.h), and nothing behind it would be tried.
void set_checksum(std::string& bytes) {
  constexpr size_t kAt = 8 + std::string_view(R"({"__metadata__":{"checksum":")").size(), kDigits = 16;
  if (bytes.size() < kAt + kDigits) return;
  bytes.replace(kAt, kDigits, kDigits, '0');
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  char digits[kDigits + 1];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  bytes.replace(kAt, kDigits, digits);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes = text_of(data, size);
  Safetensors content;
  if (taken([&] { content = parse_safetensors(bytes, "it"); })) {
    const std::string written = format_safetensors(content);
    claim(format_safetensors(parse_safetensors(written, "written")) == written, "safetensors change");
  }
  set_checksum(bytes);
  Checkpoint checkpoint;
  if (taken([&] { checkpoint = parse_checkpoint(bytes, "it"); })) {
    const std::string written = format_checkpoint(checkpoint);
    claim(format_checkpoint(parse_checkpoint(written, "written")) == written, "a checkpoint changes");
  }
  return 0;
}
