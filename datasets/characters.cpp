#include "datasets/characters.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/error.h"
#include "base/random.h"

namespace innerloop {
namespace {

constexpr double kStep = 0.06;  // longest line of a trace, in character heights about

bool chance(Stream& stream, double probability) { return stream.uniform() < probability; }
double sign(Stream& stream) { return chance(stream, 0.5) ? 1 : -1; }

// What the characters of one alphabet have in common.
struct Style {
  std::vector<std::vector<Arc>> primitives;
  double curved = 0.5;      // share of arcs that bend
  double joined = 0.5;      // share of strokes that start where their parent ends or starts
  double mean_strokes = 2;  // about
  double slant = 0;         // of all headings, radians
};

std::vector<Arc> invent_primitive(const Style& style, Stream& stream) {
  const double kind = stream.uniform();
  const size_t pieces = kind < 0.45 ? 1 : kind < 0.85 ? 2 : 3;
  std::vector<Arc> arcs(pieces);
  for (size_t i = 0; i < pieces; ++i) {
    auto& arc = arcs[i];
    arc.length = stream.uniform(0.35, 1.0);
    if (chance(stream, style.curved)) {
      const bool round = chance(stream, 0.2);
      arc.turn = sign(stream) * kDegree * (round ? stream.uniform(270, 350) : stream.uniform(60, 210));
      arc.length *= round ? 1.6 : 1.2;
    }
    // A stroke bends back at a corner, or flows on where one of its pieces is curved.
    const bool straight = i > 0 && arc.turn == 0 && arcs[i - 1].turn == 0;
    if (i > 0 && (straight || chance(stream, 0.4))) {
      arc.corner = sign(stream) * kDegree * stream.uniform(60, 150);
    }
  }
  return arcs;
}

Style invent_style(Stream& stream) {
  Style style;
  style.curved = stream.uniform(0.15, 0.85);
  style.joined = stream.uniform(0.3, 0.8);
  style.mean_strokes = stream.uniform(1.6, 3.0);
  style.slant = kDegree * 8 * stream.normal();
  const size_t primitives = 5 + stream.below(4);
  for (size_t i = 0; i < primitives; ++i) style.primitives.push_back(invent_primitive(style, stream));
  return style;
}

// Where the next stroke touches one of the strokes before it.
void join(Stroke& stroke, int strokes_before, const Style& style, Stream& stream) {
  stroke.parent = static_cast<int>(stream.below(static_cast<uint64_t>(strokes_before)));
  const double manner = stream.uniform();
  if (manner < style.joined) {  // from an end, or from the middle like the bar of a T
    const double where[] = {0, 1, 1, 0.5, 0.33, 0.67};
    stroke.on = where[stream.below(6)];
    stroke.own = chance(stream, 0.75) ? 0 : 1;
  } else if (manner < style.joined + 0.75 * (1 - style.joined)) {  // across
    stroke.on = stream.uniform(0.2, 0.8);
    stroke.own = stream.uniform(0.35, 0.65);
  } else {  // beside
    stroke.on = stroke.own = 0.5;
    const double direction = kDegree * 90 * static_cast<double>(stream.below(4));
    const double distance = stream.uniform(0.25, 0.45);
    stroke.gap = {distance * std::cos(direction), distance * std::sin(direction)};
  }
}

Character invent_character(const Style& style, Stream& stream) {
  const double spread = stream.uniform(-1.2, 1.2);
  const auto strokes = static_cast<int>(std::clamp(std::lround(style.mean_strokes + spread), 1L, 4L));
  Character character;
  for (int i = 0; i < strokes; ++i) {
    Stroke stroke;
    stroke.arcs = style.primitives[stream.below(style.primitives.size())];
    const double size = i > 0 && chance(stream, 0.3) ? 0.5 : 1;
    const double mirrored = sign(stream);
    for (auto& arc : stroke.arcs) {
      arc.length *= size * stream.uniform(0.85, 1.15);
      arc.turn *= mirrored;
      arc.corner *= mirrored;
    }
    // Mostly upright, level or diagonal.
    stroke.heading = kDegree * 45 * static_cast<double>(stream.below(8)) + kDegree * 5 * stream.normal();
    stroke.heading += style.slant;
    if (i > 0) join(stroke, i, style, stream);
    character.strokes.push_back(std::move(stroke));
  }
  return character;
}

void scale(Character& character, double factor) {
  for (auto& stroke : character.strokes) {
    for (auto& arc : stroke.arcs) arc.length *= factor;
    stroke.gap = {factor * stroke.gap.x, factor * stroke.gap.y};
  }
}

// The character in the middle of a picture, 0.7 of its width for a length of 1.
constexpr double kShown = 0.7;
std::vector<uint8_t> show(const Character& character, double pen, int64_t side) {
  auto lines = trace(character);
  const auto box = bounding_box(lines);
  for (auto& line : lines) {
    for (auto& p : line) {
      p = {0.5 + kShown * (p.x - (box.low.x + box.high.x) / 2),
           0.5 + kShown * (p.y - (box.low.y + box.high.y) / 2)};
    }
  }
  std::vector<uint8_t> pixels(static_cast<size_t>(side * side));
  draw_ink(lines, pen, side, pixels.data());
  return pixels;
}

// A blurred picture of a character, of norm 1: the measure of likeness.
std::vector<double> glimpse(const Character& character) {
  const auto pixels = show(character, 0.2, 14);
  std::vector<double> values(pixels.begin(), pixels.end());
  const double norm = std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
  for (double& value : values) value /= norm;
  return values;
}

double likeness(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Whether a part of the lines lies along another: less ink than the pen has drawn. (Crossings cost little.)
bool covers_itself(const Character& character, double length) {
  constexpr double kPen = 0.06;
  constexpr int64_t kSide = 28;
  const auto pixels = show(character, kPen, kSide);
  const double ink = std::accumulate(pixels.begin(), pixels.end(), 0.0) / (255.0 * kSide * kSide);
  return ink < 0.87 * kPen * kShown * length;
}

// The point at a fraction of the line's length.
Point point_at(const Polyline& line, double fraction) {
  const auto length = [&](size_t i) {
    return std::hypot(line[i + 1].x - line[i].x, line[i + 1].y - line[i].y);
  };
  double rest = 0;
  for (size_t i = 0; i + 1 < line.size(); ++i) rest += length(i);
  rest *= std::clamp(fraction, 0.0, 1.0);
  size_t i = 0;
  for (; i + 2 < line.size() && rest > length(i); ++i) rest -= length(i);
  const double part = std::min(1.0, rest / length(i));
  return {line[i].x + part * (line[i + 1].x - line[i].x), line[i].y + part * (line[i + 1].y - line[i].y)};
}

// Fits the character to size 1 if it is a letter: neither a bare line or bow, nor a speck, nor a tangle.
bool well_formed(Character& character) {
  const auto box = bounding_box(trace(character));
  const double width = box.high.x - box.low.x, height = box.high.y - box.low.y;
  const double larger = std::max(width, height);
  if (std::min(width, height) < 0.45 * larger) return false;
  scale(character, 1 / larger);
  double length = 0, bends = 0;
  for (const auto& stroke : character.strokes) {
    bends += 120 * kDegree;
    for (const auto& arc : stroke.arcs) {
      if (arc.length < 0.22 || arc.length < 0.11 * std::abs(arc.turn))
        return false;  // smaller than a pen writes
      length += arc.length;
      bends += std::abs(arc.turn) + std::abs(arc.corner);
    }
  }
  return bends > 300 * kDegree && length < 3.8 && !covers_itself(character, length);
}

}  // namespace

Polyline trace(const Stroke& stroke) {
  Polyline line{{0, 0}};
  double heading = stroke.heading;
  for (const auto& arc : stroke.arcs) {
    heading += arc.corner;
    const int points = 1 + static_cast<int>(std::max(arc.length / kStep, std::abs(arc.turn) / 0.2));
    const double turn = arc.turn / points;
    // A chord of a circular arc, which leaves at half the turn.
    const double chord = arc.length / points * (turn == 0 ? 1 : std::sin(turn / 2) / (turn / 2));
    for (int i = 0; i < points; ++i, heading += turn) {
      const auto& from = line.back();
      line.push_back(
          {from.x + chord * std::cos(heading + turn / 2), from.y + chord * std::sin(heading + turn / 2)});
    }
  }
  return line;
}

std::vector<Polyline> trace(const Character& character) {
  std::vector<Polyline> lines;
  for (const auto& stroke : character.strokes) {
    auto line = trace(stroke);
    if (stroke.parent >= 0) {
      const auto target = point_at(lines[static_cast<size_t>(stroke.parent)], stroke.on);
      const auto own = point_at(line, stroke.own);
      for (auto& p : line) p = {p.x + target.x - own.x + stroke.gap.x, p.y + target.y - own.y + stroke.gap.y};
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

Box bounding_box(const std::vector<Polyline>& lines) {
  Box box{lines.front().front(), lines.front().front()};
  for (const auto& line : lines) {
    for (const auto& p : line) {
      box.low = {std::min(box.low.x, p.x), std::min(box.low.y, p.y)};
      box.high = {std::max(box.high.x, p.x), std::max(box.high.y, p.y)};
    }
  }
  return box;
}

std::vector<Character> invent_alphabet(uint64_t seed, uint64_t alphabet, int64_t count) {
  Stream style_stream({.seed = seed, .purpose = Purpose::kDrawnClass, .iteration = alphabet});
  const auto style = invent_style(style_stream);
  std::vector<Character> characters;
  std::vector<std::vector<double>> glimpses;
  for (int64_t i = 0; i < count; ++i) {
    Stream stream({.seed = seed,
                   .purpose = Purpose::kDrawnClass,
                   .iteration = alphabet,
                   .task = static_cast<uint64_t>(i) + 1});
    // The bar falls slowly, so that a poor style comes to an end too.
    for (double highest = 0.65;; highest += 0.001) {
      auto character = invent_character(style, stream);
      if (!well_formed(character)) continue;
      auto seen = glimpse(character);
      const auto alike = [&](const std::vector<double>& other) { return likeness(seen, other) > highest; };
      if (std::any_of(glimpses.begin(), glimpses.end(), alike)) continue;
      characters.push_back(std::move(character));
      glimpses.push_back(std::move(seen));
      break;
    }
  }
  return characters;
}

}  // namespace innerloop
