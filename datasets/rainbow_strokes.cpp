#include "datasets/rainbow_strokes.h"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/permutation.h"
#include "base/thread_pool.h"
#include "datasets/checks.h"
#include "datasets/handwriting.h"
#include "datasets/numbered_tasks.h"

namespace innerloop {
namespace {

constexpr uint64_t kSeed = 2;                         // of the drawings; those of `strokes` have 1
constexpr uint64_t kAlphabetSeed = 1, kAlphabet = 0;  // of the characters, those of `strokes`
constexpr int64_t kAlphabetSize = 20, kCharacters = 10, kDrawings = 100;
constexpr int64_t kColours = 7, kSizes = 2, kTurns = 4, kTasks = kColours * kSizes * kTurns;

struct Colour {
  const char* name;
  std::array<uint8_t, 3> rgb;
};
constexpr std::array<Colour, kColours> kRainbow{{{"red", {255, 0, 0}},
                                                 {"orange", {255, 127, 0}},
                                                 {"yellow", {255, 255, 0}},
                                                 {"green", {0, 255, 0}},
                                                 {"blue", {0, 0, 255}},
                                                 {"indigo", {75, 0, 130}},
                                                 {"violet", {148, 0, 211}}}};

const std::vector<int64_t> kValidation{15, 16, 38, 36, 37, 4};
const std::vector<int64_t> kTest{35, 48, 23, 20, 22, 55, 1, 21, 31, 53};

bool among(int64_t task, const std::vector<int64_t>& list) {
  return std::find(list.begin(), list.end(), task) != list.end();
}

int64_t colour_of(int64_t task) { return task / (kSizes * kTurns); }
bool small(int64_t task) { return task / kTurns % kSizes == 1; }
int64_t turns_of(int64_t task) { return task % kTurns; }

// Turned counter-clockwise about the picture's middle, then halved; y points downwards.
void place(std::vector<Polyline>& lines, int64_t task) {
  const double size = small(task) ? 0.5 : 1;
  for (auto& line : lines) {
    for (auto& p : line) {
      Point q{p.x - 0.5, p.y - 0.5};
      for (int64_t turn = 0; turn < turns_of(task); ++turn) q = {q.y, -q.x};
      p = {0.5 + size * q.x, 0.5 + size * q.y};
    }
  }
}

// ink[character][drawing][side][side]
void draw_ink_of(int64_t task, const std::vector<Character>& characters, int64_t side, uint8_t* ink) {
  for (int64_t c = 0; c < kCharacters; ++c) {
    for (int64_t drawing = 0; drawing < kDrawings; ++drawing, ink += side * side) {
      Stream stream(StreamKey{.seed = kSeed,
                              .purpose = Purpose::kDrawnInstance,
                              .iteration = static_cast<uint64_t>(task),
                              .task = static_cast<uint64_t>(c),
                              .trajectory = static_cast<uint64_t>(drawing)});
      const Hand hand = sample_hand(stream);
      auto lines = write_by_hand(characters[static_cast<size_t>(c)], hand, stream);
      place(lines, task);
      draw_ink(lines, small(task) ? hand.pen / 2 : hand.pen, side, ink);
    }
  }
}

class RainbowStrokes : public Dataset, public NumberedTasks {
 public:
  RainbowStrokes(int64_t side, const std::vector<double>& mean, const std::vector<double>& std)
      : side_(side), area_(side * side) {
    spec_.name = "rainbow_strokes";
    spec_.description = kRainbowStrokesDescription;
    spec_.input = {3, side, side};
    spec_.classification = true;
    for (int64_t task = 0; task < kTasks; ++task)
      split_[among(task, kValidation) ? 1 : among(task, kTest) ? 2 : 0].push_back(task);
    spec_.protocol = concat("drawn by the program at ", side, " x ", side,
                            ", white on 7 colours, 2 sizes, 4 directions; tasks: train ", split_[0].size(),
                            ", validation ", split_[1].size(), ", test ", split_[2].size(),
                            "; the same ten classes in each, ", kDrawings, " drawings of each");
    for (const auto* numbers : {&mean, &std}) {
      require_usage(numbers->size() == 1 || numbers->size() == 3, spec_.name, ": ",
                    numbers == &mean ? "mean" : "std", " has ", numbers->size(),
                    " numbers, expected 1 or 3 (channels)");
    }
    for (size_t channel = 0; channel < 3; ++channel) {
      for (size_t p = 0; p < 256; ++p) {
        const double value = static_cast<double>(p) / 255;
        table_[channel][p] =
            (value - mean[mean.size() == 1 ? 0 : channel]) / std[std.size() == 1 ? 0 : channel];
      }
      spec_.black.push_back(table_[channel][0]);
      spec_.white.push_back(table_[channel][255]);
    }
    ink_.resize(static_cast<size_t>(kTasks * kCharacters * kDrawings * area_));
    auto characters = invent_alphabet(kAlphabetSeed, kAlphabet, kAlphabetSize);
    characters.resize(kCharacters);
    const auto cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    ThreadPool(cores).run(kTasks, [&](int64_t task, int) {
      draw_ink_of(task, characters, side, ink_.data() + task * kCharacters * kDrawings * area_);
    });
  }

  const DatasetSpec& spec() const override { return spec_; }

  void check(Split split, const EpisodeShape& shape) const override {
    require_shape(spec_, shape);
    require_usage(shape.ways <= kCharacters, spec_.name, ": the ", split_name(split), " split has ",
                  kCharacters, " classes, a task of ", shape.ways, " ways needs ", shape.ways);
    const int64_t needed = shape.shots + shape.queries;
    require_usage(needed <= kDrawings, spec_.name, ": every class of a task has ", kDrawings,
                  " images, a task of ", shape.shots, " shots and ", shape.queries, " queries needs ", needed,
                  " of every class");
  }

  void draw(Split split, const EpisodeShape& shape, Stream& stream, Episodes& episodes,
            int64_t t) const override {
    draw_numbered(choose_task(split, stream), shape, stream, episodes, t);
  }

  void draw_numbered(int64_t task, const EpisodeShape& shape, Stream& stream, Episodes& episodes,
                     int64_t t) const override {
    require(task >= 0 && task < kTasks, spec_.name, ": there is no task ", task, ", expected 0 to ",
            kTasks - 1);
    check(Split::kTrain, shape);
    require_slice(spec_, shape, episodes, t);
    if (episodes.support_x.scalar_type() == torch::kFloat32) {
      fill<float>(task, shape, stream, episodes, t);
    } else {
      fill<double>(task, shape, stream, episodes, t);
    }
  }

  std::vector<int64_t> drawn_classes(Split split, const EpisodeShape& shape, Stream& stream) const override {
    check(split, shape);
    choose_task(split, stream);
    return choose_characters(shape.ways, stream);
  }

  int64_t classes(Split) const override { return kCharacters; }

  std::vector<std::string> class_names(Split) const override {
    std::vector<std::string> names;
    for (int64_t c = 0; c < kCharacters; ++c) names.push_back(concat("alphabet", kAlphabet, "/character", c));
    return names;
  }

  Labelled draw_labelled(Split split, int64_t samples, Stream& stream,
                         torch::ScalarType dtype) const override {
    Labelled out{torch::empty({1, samples, 3, side_, side_}, dtype),
                 torch::empty({1, samples}, torch::kInt64)};
    const auto draw_all = [&](auto* x) {
      for (int64_t i = 0; i < samples; ++i, x += 3 * area_) {
        const int64_t task = choose_task(split, stream);
        const auto character = static_cast<int64_t>(stream.below(kCharacters));
        convert(task, character, static_cast<int64_t>(stream.below(kDrawings)), x);
        out.y.data_ptr<int64_t>()[i] = character;
      }
    };
    if (dtype == torch::kFloat64) {
      draw_all(out.x.data_ptr<double>());
    } else {
      draw_all(out.x.data_ptr<float>());
    }
    return out;
  }

  int64_t tasks() const override { return kTasks; }
  std::string task_name(int64_t task) const override {
    constexpr const char* kTurned[] = {"", " turned 90", " turned 180", " turned 270"};
    return concat(kRainbow[static_cast<size_t>(colour_of(task))].name, small(task) ? " half-size" : "",
                  kTurned[turns_of(task)]);
  }

 private:
  int64_t choose_task(Split split, Stream& stream) const {
    const auto& tasks = split_[static_cast<size_t>(split)];
    return tasks[stream.below(tasks.size())];
  }

  // By label.
  static std::vector<int64_t> choose_characters(int64_t ways, Stream& stream) {
    Permutation order(kCharacters, stream);
    std::vector<int64_t> characters;
    for (int64_t label = 0; label < ways; ++label) characters.push_back(order.next());
    std::sort(characters.begin(), characters.end());
    return characters;
  }

  template <class T>
  void fill(int64_t task, const EpisodeShape& shape, Stream& stream, Episodes& episodes, int64_t t) const {
    const int64_t size = 3 * area_;
    T* support_x = episodes.support_x.data_ptr<T>() + t * shape.ways * shape.shots * size;
    T* query_x = episodes.query_x.data_ptr<T>() + t * shape.ways * shape.queries * size;
    int64_t* support_y = episodes.support_y.data_ptr<int64_t>() + t * shape.ways * shape.shots;
    int64_t* query_y = episodes.query_y.data_ptr<int64_t>() + t * shape.ways * shape.queries;
    const auto characters = choose_characters(shape.ways, stream);
    for (int64_t label = 0; label < shape.ways; ++label) {
      Permutation drawings(kDrawings, stream);
      for (int64_t place = 0; place < shape.shots + shape.queries; ++place) {
        const bool support = place < shape.shots;
        T*& x = support ? support_x : query_x;
        int64_t*& y = support ? support_y : query_y;
        convert(task, characters[static_cast<size_t>(label)], drawings.next(), x);
        x += size;
        *y++ = label;
      }
    }
  }

  // White ink on ground of the task's colour, channel after channel.
  template <class T>
  void convert(int64_t task, int64_t character, int64_t drawing, T* x) const {
    const uint8_t* ink = ink_.data() + ((task * kCharacters + character) * kDrawings + drawing) * area_;
    const auto& ground = kRainbow[static_cast<size_t>(colour_of(task))].rgb;
    for (size_t channel = 0; channel < 3; ++channel) {
      const int under = ground[channel];
      for (int64_t i = 0; i < area_; ++i)
        *x++ = static_cast<T>(
            table_[channel][static_cast<size_t>(under + ((255 - under) * ink[i] + 127) / 255)]);
    }
  }

  DatasetSpec spec_;
  int64_t side_, area_;
  std::array<std::vector<int64_t>, 3> split_;       // numbers of tasks, by Split
  std::array<std::array<double, 256>, 3> table_{};  // by channel: what a byte enters as
  std::vector<uint8_t> ink_;                        // [tasks][characters][drawings][side][side]
};

}  // namespace

std::unique_ptr<Dataset> make_rainbow_strokes(const RainbowStrokesSettings& settings) {
  const int64_t side = settings.image_size == 0 ? 28 : settings.image_size;
  require_usage(side >= 14 && side <= 128,
                "dataset.image_size: rainbow_strokes are drawn from 14 to 128 pixels a side, not ", side);
  return std::make_unique<RainbowStrokes>(side, settings.mean, settings.std);
}

}  // namespace innerloop
