// Characters of invented alphabets, as in `strokes`, drawn in six styles: domains for methods that are to
// work on one never trained on. Drawn by the program, needs no files.
//
//   pen       white lines of a pen on black, as `strokes`
//   brush     lines 2.6 times as wide
//   outline   the outlines of lines 3.6 times as wide
//   inverted  a pen's black lines on white
//   noisy     a pen's lines of uneven ink under Gaussian noise
//   turned    a pen's lines, each drawing turned by an angle of its own, up to 60 degrees either way
//
// A style is a domain with 16 alphabets of its own: 320 characters, 20 drawings of each. No character is in
// two domains, nor in `strokes`. A class is named STYLE/alphabetN/characterN. By default `noisy` is
// validation's and `outline` test's domain; the others are training's. The same data in every run: it has a
// seed of its own.
#pragma once

#include <memory>

#include "datasets/dataset.h"
#include "datasets/domain_split.h"
#include "datasets/image_settings.h"

namespace innerloop {

inline constexpr char kStyledStrokesDescription[] =
    "drawn characters of six styles, a domain each, of which some are never trained on; needs no files";

struct StyledStrokesSettings {
  int64_t image_size = 0;  // 0: 28
  std::vector<double> mean{0}, std{1};
  DomainSplit domains{.validation = {"noisy"}, .test = {"outline"}, .drawn = {}};
};
inline const Keys<StyledStrokesSettings> kStyledStrokesKeys{
    with_pixel_keys<StyledStrokesSettings>(domain_keys<StyledStrokesSettings>())};

// UsageError unless image_size is from 14 to 128, and for domains that split_domains refuses. The bytes do
// not depend on the number of threads.
std::unique_ptr<Dataset> make_styled_strokes(const StyledStrokesSettings& settings);

}  // namespace innerloop
