#include "datasets/styled_strokes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/thread_pool.h"
#include "datasets/handwriting.h"
#include "datasets/image_store.h"

namespace innerloop {
namespace {

enum class Style { kPen, kBrush, kOutline, kInverted, kNoisy, kTurned };
const std::vector<std::string> kStyleNames{"pen", "brush", "outline", "inverted", "noisy", "turned"};

constexpr uint64_t kStyledSeed = 3;  // of the data set; `strokes` has 1, the drawings of `rainbow_strokes` 2
constexpr int64_t kStyles = 6, kAlphabetsOfStyle = 16, kStyledCharacters = 20, kStyledDrawings = 20;
constexpr int64_t kClassesOfStyle = kAlphabetsOfStyle * kStyledCharacters;
constexpr double kBrushWidth = 2.6, kOutlineWidth = 3.6;  // pens
constexpr double kHollow = 0.4;  // of the outlined line's width, what is taken out of its middle
constexpr double kMostTurn = 60 * kDegree;
constexpr double kNoise = 50, kLeastInk = 0.35;  // of 255; of the ink of a line

// Turned about the picture's middle, and moved (shrunk, if need be) so that it lies inside by `margin`.
void turn(std::vector<Polyline>& lines, double angle, double margin) {
  const double c = std::cos(angle), s = std::sin(angle);
  const auto each = [&](const auto& where) {
    for (auto& line : lines) {
      for (auto& p : line) p = where(p);
    }
  };
  each([&](Point p) {
    const double x = p.x - 0.5, y = p.y - 0.5;
    return Point{0.5 + c * x - s * y, 0.5 + s * x + c * y};
  });
  const auto box = bounding_box(lines);
  const double larger = std::max(box.high.x - box.low.x, box.high.y - box.low.y);
  const double fit = std::min(1.0, (1 - 2 * margin) / larger);
  const auto shift = [&](double low, double high) {
    const double half = fit * (high - low) / 2, middle = (low + high) / 2;
    return std::max(margin + half, std::min(middle, 1 - margin - half)) - fit * middle;
  };
  const double right = shift(box.low.x, box.high.x), down = shift(box.low.y, box.high.y);
  each([&](Point p) { return Point{fit * p.x + right, fit * p.y + down}; });
}

void draw_styled(Style style, const Character& character, Hand hand, Stream& stream, int64_t side,
                 uint8_t* pixels) {
  if (style == Style::kBrush) hand.pen *= kBrushWidth;
  if (style == Style::kOutline) hand.pen *= kOutlineWidth;
  auto lines = write_by_hand(character, hand, stream);
  if (style == Style::kTurned) turn(lines, stream.uniform(-kMostTurn, kMostTurn), hand.pen);
  draw_ink(lines, hand.pen, side, pixels);
  const auto area = static_cast<size_t>(side * side);
  if (style == Style::kInverted) {
    for (size_t i = 0; i < area; ++i) pixels[i] = static_cast<uint8_t>(255 - pixels[i]);
  } else if (style == Style::kOutline) {
    std::vector<uint8_t> inside(area);
    draw_ink(lines, kHollow * hand.pen, side, inside.data());
    for (size_t i = 0; i < area; ++i) pixels[i] = static_cast<uint8_t>(pixels[i] - inside[i]);
  } else if (style == Style::kNoisy) {
    for (size_t i = 0; i < area; ++i) {
      const double ink = pixels[i] * stream.uniform(kLeastInk, 1) + kNoise * stream.normal();
      pixels[i] = static_cast<uint8_t>(std::lround(std::clamp(ink, 0.0, 255.0)));
    }
  }
}

StreamKey styled_key(int64_t alphabet, int64_t character, int64_t drawing) {
  return {.seed = kStyledSeed,
          .purpose = Purpose::kDrawnInstance,
          .iteration = static_cast<uint64_t>(alphabet),
          .task = static_cast<uint64_t>(character),
          .trajectory = static_cast<uint64_t>(drawing)};
}

// pixels[character][drawing][side][side]. As in `strokes`, the drawings of one number are one writer's.
void draw_styled_alphabet(int64_t alphabet, int64_t side, uint8_t* pixels) {
  const auto style = static_cast<Style>(alphabet / kAlphabetsOfStyle);
  const auto characters = invent_alphabet(kStyledSeed, static_cast<uint64_t>(alphabet), kStyledCharacters);
  std::vector<Hand> hands;
  for (int64_t drawing = 0; drawing < kStyledDrawings; ++drawing) {
    Stream stream(styled_key(alphabet, 0, drawing));
    hands.push_back(sample_hand(stream));
  }
  for (int64_t character = 0; character < kStyledCharacters; ++character) {
    for (int64_t drawing = 0; drawing < kStyledDrawings; ++drawing, pixels += side * side) {
      Stream stream(styled_key(alphabet, character + 1, drawing));
      draw_styled(style, characters[static_cast<size_t>(character)], hands[static_cast<size_t>(drawing)],
                  stream, side, pixels);
    }
  }
}

ImageStore styled_store(int64_t side, const std::vector<Split>& splits) {
  ImageStore store{.channels = 1, .height = side, .width = side};
  constexpr int64_t kAlphabets = kStyles * kAlphabetsOfStyle;
  const int64_t alphabet_bytes = kStyledCharacters * kStyledDrawings * store.image_bytes();
  store.pixels.resize(static_cast<size_t>(kAlphabets * alphabet_bytes));
  const auto cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  ThreadPool(cores).run(kAlphabets, [&](int64_t alphabet, int) {
    draw_styled_alphabet(alphabet, side, store.pixels.data() + alphabet * alphabet_bytes);
  });
  for (int64_t style = 0; style < kStyles; ++style) {
    const auto split = static_cast<size_t>(splits[static_cast<size_t>(style)]);
    const auto& name = kStyleNames[static_cast<size_t>(style)];
    auto& classes = store.classes[split];
    store.domains[split].push_back({name, static_cast<int64_t>(classes.size()), kClassesOfStyle});
    for (int64_t c = 0; c < kClassesOfStyle; ++c) {
      classes.push_back(
          {.name = concat(name, "/alphabet", c / kStyledCharacters, "/character", c % kStyledCharacters),
           .first = (style * kClassesOfStyle + c) * kStyledDrawings,
           .count = kStyledDrawings});
    }
  }
  return store;
}

}  // namespace

std::unique_ptr<Dataset> make_styled_strokes(const StyledStrokesSettings& settings) {
  const int64_t side = settings.image_size == 0 ? 28 : settings.image_size;
  require_usage(side >= 14 && side <= 128,
                "dataset.image_size: styled_strokes are drawn from 14 to 128 pixels a side, not ", side);
  const auto splits = split_domains(kStyleNames, settings.domains, "styled_strokes");
  DatasetSpec spec{.name = "styled_strokes", .description = kStyledStrokesDescription};
  spec.protocol = concat("drawn by the program at ", side, " x ", side,
                         "; domains (styles): ", describe_domains(kStyleNames, splits), "; ", kClassesOfStyle,
                         " characters of each, ", kStyledDrawings, " drawings of each");
  return make_image_episodes(std::move(spec), styled_store(side, splits), settings.mean, settings.std);
}

}  // namespace innerloop
