// Ten drawn characters on coloured ground, in two sizes and four directions: 56 tasks that share their labels
// (after Rainbow MNIST: Finn, Rajeswaran, Kakade and Levine, "Online meta-learning", ICML 2019, section 5.1),
// drawn by the program.
//
//   task      number 8 colour + 4 size + turn: colour 0-6 red, orange, yellow, green, blue, indigo, violet;
//             size 0 whole, 1 half; turn 0-3, quarter turns counter-clockwise
//   class     a character, the same ten in every task: the first ten of alphabet 0 of `strokes`
//   image     white ink on ground of the colour, 100 drawings of each class in each task; no drawing is in
//             two tasks, nor in `strokes`
//   train       40 tasks, the others
//   validation   6 tasks: 15 16 38 36 37 4
//   test        10 tasks: 35 48 23 20 22 55 1 21 31 53
// (The numbers of MLTI's lists for Rainbow MNIST, huaxiuyao/MLTI data_generator.py; which colour, size and
// turn a number means there is not published.)
//
// An episode is one task of the split, with support and query images of its classes. With ten ways label c is
// character c; with fewer, labels are the drawn characters in their order. The same data in every run: it has
// a seed of its own.
//
// Otherwise than Rainbow MNIST: drawn characters instead of digits, 1,000 images a task instead of 900; small
// characters are drawn small, not shrunk; turned before they are drawn.
#pragma once

#include <memory>

#include "datasets/dataset.h"
#include "datasets/image_settings.h"

namespace innerloop {

inline constexpr char kRainbowStrokesDescription[] =
    "56 tasks with the same ten drawn characters: 7 colours, 2 sizes, 4 directions; needs no files";

struct RainbowStrokesSettings {
  int64_t image_size = 0;  // 0: 28
  std::vector<double> mean{0}, std{1};
};
inline const Keys<RainbowStrokesSettings> kRainbowStrokesKeys{with_pixel_keys<RainbowStrokesSettings>({})};

// UsageError unless image_size is from 14 to 128.
std::unique_ptr<Dataset> make_rainbow_strokes(const RainbowStrokesSettings& settings);

}  // namespace innerloop
