#include "meta/chunk_sum.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "base/error.h"
#include "networks/tensors/params_bytes.h"

namespace innerloop {
namespace {

constexpr size_t kSegment = 64 << 10;  // bytes

size_t aligned(size_t bytes) { return (bytes + sizeof(double) - 1) / sizeof(double) * sizeof(double); }

template <class Number>
void add_numbers(std::byte* total, const std::byte* part, size_t bytes) {
  auto* to = reinterpret_cast<Number*>(total);
  const auto* from = reinterpret_cast<const Number*>(part);
  for (size_t i = 0; i < bytes / sizeof(Number); ++i) to[i] += from[i];
}

size_t flat_size(const std::vector<NumberBlock>& blocks) {
  size_t bytes = 0;
  for (const auto& block : blocks) bytes += aligned(block.bytes);
  return bytes;
}

// f(place, data, bytes, is_double) for the pieces of `blocks`, one behind another, within [begin, end).
void each_piece(const std::vector<NumberBlock>& blocks, size_t begin, size_t end,
                const std::function<void(size_t, std::byte*, size_t, bool)>& f) {
  size_t start = 0;
  for (const auto& block : blocks) {
    const size_t from = std::max(begin, start), to = std::min(end, start + block.bytes);
    if (from < to) f(from, block.data + (from - start), to - from, block.is_double);
    start += aligned(block.bytes);
    if (start >= end) return;
  }
}

}  // namespace

Params sum_in_order(Processes& processes, int64_t count, const std::vector<Params>& own) {
  const int rank = processes.rank();
  const int last = static_cast<int>(std::min<int64_t>(count, processes.size())) - 1;  // that has chunks
  std::vector<Params> whole;
  std::vector<std::vector<NumberBlock>> parts;
  for (const auto& part : own) {
    whole.push_back(part.map([](const torch::Tensor& x) { return x.contiguous(); }));
    parts.push_back(number_blocks(whole.back()));
    require(flat_size(parts.back()) == flat_size(parts.front()), "chunks of one sum have ",
            flat_size(parts.front()), " and ", flat_size(parts.back()), " bytes");
  }
  std::vector<double> room(parts.empty() ? 0 : flat_size(parts.front()) / sizeof(double));
  auto* total = reinterpret_cast<std::byte*>(room.data());
  const size_t bytes = room.size() * sizeof(double);
  for (size_t begin = 0; begin < bytes; begin += kSegment) {
    const size_t end = std::min(bytes, begin + kSegment);
    if (rank > 0) processes.receive(total + begin, end - begin, rank - 1);
    for (size_t p = 0; p < parts.size(); ++p) {
      each_piece(parts[p], begin, end, [&](size_t at, std::byte* from, size_t n, bool is_double) {
        if (rank == 0 && p == 0) {
          std::memcpy(total + at, from, n);
        } else {
          (is_double ? add_numbers<double> : add_numbers<float>)(total + at, from, n);
        }
      });
    }
    if (rank < last) processes.send(total + begin, end - begin, rank + 1);
  }
  Params out;
  if (!whole.empty()) out = whole.front().map([](const torch::Tensor& x) { return torch::empty_like(x); });
  if (last + 1 < processes.size()) {  // some ranks have no chunk that shows what the sum looks like
    std::string layout = rank == last ? layout_bytes(out) : std::string();
    processes.broadcast(layout, last);
    std::string_view rest = layout;
    if (rank > last) out = params_of(rest);
  }
  const auto blocks = number_blocks(out);
  room.resize(flat_size(blocks) / sizeof(double));
  total = reinterpret_cast<std::byte*>(room.data());
  processes.broadcast(total, room.size() * sizeof(double), last);
  each_piece(blocks, 0, room.size() * sizeof(double),
             [&](size_t at, std::byte* to, size_t n, bool) { std::memcpy(to, total + at, n); });
  return out;
}

}  // namespace innerloop
