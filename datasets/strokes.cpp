#include "datasets/strokes.h"

#include <algorithm>
#include <thread>

#include "base/error.h"
#include "base/thread_pool.h"
#include "datasets/handwriting.h"

namespace innerloop {
namespace {

constexpr uint64_t kSeed = 1;  // of the data set, not of the run
constexpr int64_t kAlphabets = 100, kFirstValidation = 70, kFirstTest = 80;
constexpr int64_t kCharacters = 20, kDrawings = 20;

Split split_of(int64_t alphabet) {
  return alphabet < kFirstValidation ? Split::kTrain
         : alphabet < kFirstTest     ? Split::kValidation
                                     : Split::kTest;
}

StreamKey drawing_key(int64_t alphabet, int64_t character, int64_t drawing) {
  return {.seed = kSeed,
          .purpose = Purpose::kDrawnInstance,
          .iteration = static_cast<uint64_t>(alphabet),
          .task = static_cast<uint64_t>(character),
          .trajectory = static_cast<uint64_t>(drawing)};
}

// pixels[character][drawing][side][side]
void draw_alphabet(int64_t alphabet, int64_t side, uint8_t* pixels) {
  const auto characters = invent_alphabet(kSeed, static_cast<uint64_t>(alphabet), kCharacters);
  std::vector<Hand> hands;
  for (int64_t drawing = 0; drawing < kDrawings; ++drawing) {
    Stream stream(
        drawing_key(alphabet, 0, drawing));  // a writer's is character 0, the first character's is 1
    hands.push_back(sample_hand(stream));
  }
  for (int64_t character = 0; character < kCharacters; ++character) {
    for (int64_t drawing = 0; drawing < kDrawings; ++drawing, pixels += side * side) {
      Stream stream(drawing_key(alphabet, character + 1, drawing));
      const auto& hand = hands[static_cast<size_t>(drawing)];
      const auto lines = write_by_hand(characters[static_cast<size_t>(character)], hand, stream);
      draw_ink(lines, hand.pen, side, pixels);
    }
  }
}

}  // namespace

ImageStore draw_strokes(int64_t image_size, int threads) {
  require_usage(image_size >= 14 && image_size <= 128,
                "dataset.image_size: strokes are drawn from 14 to 128 ", "pixels a side, not ", image_size);
  ImageStore store{.channels = 1, .height = image_size, .width = image_size};
  const int64_t alphabet_bytes = kCharacters * kDrawings * store.image_bytes();
  store.pixels.resize(static_cast<size_t>(kAlphabets * alphabet_bytes));
  ThreadPool(threads).run(kAlphabets, [&](int64_t alphabet, int) {
    draw_alphabet(alphabet, image_size, store.pixels.data() + alphabet * alphabet_bytes);
  });
  for (int64_t alphabet = 0; alphabet < kAlphabets; ++alphabet) {
    for (int64_t character = 0; character < kCharacters; ++character) {
      store.classes[static_cast<size_t>(split_of(alphabet))].push_back(
          {.name = concat("alphabet", alphabet, "/character", character),
           .first = (alphabet * kCharacters + character) * kDrawings,
           .count = kDrawings});
    }
  }
  return store;
}

std::unique_ptr<Dataset> make_strokes(const StrokesSettings& settings) {
  const int64_t side = settings.image_size == 0 ? 28 : settings.image_size;
  const auto cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  auto store = draw_strokes(side, cores);
  DatasetSpec spec{.name = "strokes", .description = kStrokesDescription};
  spec.protocol =
      concat("drawn by the program at ", side, " x ", side, ", white on black; classes: train ",
             store.of(Split::kTrain).size(), ", validation ", store.of(Split::kValidation).size(), ", test ",
             store.of(Split::kTest).size(), " (alphabets apart), ", kDrawings, " drawings of each");
  return make_image_episodes(std::move(spec), std::move(store), settings.mean, settings.std);
}

}  // namespace innerloop
