#include "networks/kernels/conv_plan.h"

#include <map>

namespace innerloop {
namespace {

void find_uses(ConvPlan& plan, int64_t taps) {
  plan.uses.resize(static_cast<size_t>(taps));
  for (size_t c = 0; c < plan.classes.size(); ++c) {
    for (const auto& tap : plan.classes[c].taps) {
      plan.uses[static_cast<size_t>(tap.weight)].push_back({static_cast<int64_t>(c), tap.offset});
    }
  }
}

// The first item's positions, seen once more for each further item.
void repeat(ConvPlan& plan, int64_t items, int64_t in_step, int64_t out_step) {
  for (auto& one : plan.classes) {
    const auto first = one.positions;
    one.per_item = static_cast<int64_t>(first.size());
    one.positions.reserve(first.size() * static_cast<size_t>(items));
    for (int64_t i = 1; i < items; ++i) {
      for (const auto& p : first) {
        one.positions.push_back(
            {static_cast<int32_t>(p.input + i * in_step), static_cast<int32_t>(p.output + i * out_step)});
      }
    }
  }
}

}  // namespace

ConvAxis forward_axis(int64_t inputs, int64_t outputs, int64_t stride, int64_t before) {
  ConvAxis axis(static_cast<size_t>(outputs));
  for (int64_t o = 0; o < outputs; ++o) {
    for (int64_t k = 0; k < 3; ++k) {
      const int64_t i = o * stride + k - before;
      axis[static_cast<size_t>(o)][static_cast<size_t>(k)] = i >= 0 && i < inputs ? i : -1;
    }
  }
  return axis;
}

ConvAxis backward_axis(int64_t inputs, int64_t outputs, int64_t stride, int64_t before) {
  ConvAxis axis(static_cast<size_t>(inputs), {-1, -1, -1});
  for (int64_t o = 0; o < outputs; ++o) {
    for (int64_t k = 0; k < 3; ++k) {
      const int64_t i = o * stride + k - before;
      if (i >= 0 && i < inputs) axis[static_cast<size_t>(i)][static_cast<size_t>(k)] = o;
    }
  }
  return axis;
}

ConvPlan conv_plan(const ConvAxis& rows, const ConvAxis& columns, int64_t items, int64_t in_width,
                   int64_t in_pixels, int64_t in_pitch, int64_t out_pitch) {
  ConvPlan plan;
  std::map<int, size_t> known;  // by the set of taps
  int64_t place = 0;
  for (const auto& row : rows) {
    for (const auto& column : columns) {
      int seen = 0;
      std::vector<ConvTap> taps;
      int64_t base = 0;
      for (size_t k = 0; k < 9; ++k) {
        if (row[k / 3] < 0 || column[k % 3] < 0) continue;
        const int64_t at = (row[k / 3] * in_width + column[k % 3]) * in_pitch;
        if (taps.empty()) base = at;
        seen |= 1 << k;
        taps.push_back({static_cast<int64_t>(k), at - base});
      }
      const auto [it, is_new] = known.try_emplace(seen, plan.classes.size());
      if (is_new) plan.classes.push_back({taps, {}, 0});
      plan.classes[it->second].positions.push_back(
          {static_cast<int32_t>(base), static_cast<int32_t>(place * out_pitch)});
      ++place;
    }
  }
  repeat(plan, items, in_pixels * in_pitch, place * out_pitch);
  find_uses(plan, 9);
  return plan;
}

ConvPlan padded_row_plan(int64_t width, int64_t rows, int64_t stride, int64_t in_width, int64_t in_pitch,
                         int64_t out_pitch) {
  ConvPlan plan;
  ConvClass one;
  for (int64_t k = 0; k < 3; ++k) one.taps.push_back({k, k * in_width * in_pitch});
  for (int64_t x = 0; x < width; ++x) {
    one.positions.push_back(
        {static_cast<int32_t>(x * stride * in_pitch), static_cast<int32_t>(x * out_pitch)});
  }
  plan.classes.push_back(std::move(one));
  repeat(plan, rows, stride * in_width * in_pitch, width * out_pitch);
  find_uses(plan, 3);
  return plan;
}

}  // namespace innerloop
