// Handwritten characters of invented alphabets, drawn by the program: few-shot classification that needs no
// files. See characters.h for what a class is, handwriting.h for what a drawing of it is.
//
// 100 alphabets of 20 characters, 20 drawings of each. No alphabet stands in two splits:
//   train       alphabets 0-69   1,400 classes
//   validation  alphabets 70-79    200 classes
//   test        alphabets 80-99    400 classes
// The drawings of one number in one alphabet are one writer's. White ink on black, like the inverted
// Omniglot. The same data in every run: it has a seed of its own.
#pragma once

#include <memory>

#include "datasets/dataset.h"
#include "datasets/image_settings.h"
#include "datasets/image_store.h"

namespace innerloop {

inline constexpr char kStrokesDescription[] =
    "few-shot classification of characters that the program invents and draws; needs no files";

// All drawings, image_size x image_size bytes each (40,000 images: 31 MB at 28, 441 MB at 105). UsageError
// unless image_size is from 14 to 128. The bytes do not depend on the number of threads.
ImageStore draw_strokes(int64_t image_size, int threads);

struct StrokesSettings {
  int64_t image_size = 0;  // 0: 28
  std::vector<double> mean{0}, std{1};
};
inline const Keys<StrokesSettings> kStrokesKeys{with_pixel_keys<StrokesSettings>({})};

std::unique_ptr<Dataset> make_strokes(const StrokesSettings& settings);

}  // namespace innerloop
