// Omniglot (Lake, Salakhutdinov and Tenenbaum 2015): 1,623 characters of 50 alphabets, each drawn by 20
// people.
//
// Read from images_background.zip and images_evaluation.zip (github.com/brendenlake/omniglot, folder python),
// or from the folders of these names, in the folder dataset.path; "" is the folder omniglot of
// INNERLOOP_DATA. A class is named ALPHABET/characterNN. Pixels: one channel, 28 x 28 or dataset.image_size,
// ink = 1, paper = 0, by Lanczos (datasets/image_decode.h) from 105 x 105 grey levels. (MAML's own script
// asks Pillow for Lanczos on the 1-bit files; Pillow then takes the nearest pixel instead, and strokes break.
// learn2learn and torchvision's users resize grey levels, as here.)
//
// dataset.splits:
//   maml      all characters sorted by name, shuffled once (always the same way, whatever the seed of the
//   run):
//             1,100 train, 100 validation, 423 test. Every task turns each of its classes by a random
//             multiple of 90 degrees, in all splits (Finn et al. 2017, cbfinn/maml). The original's sizes,
//             not its classes: those hang on the order in which a folder was listed.
//   vinyals   1,028 train, 172 validation, 423 test characters by list, each turned by 0, 90, 180 and 270
//             degrees (counter-clockwise) as classes of their own: 4,112 / 688 / 1,692 (Vinyals et al. 2016,
//             Snell et al. 2017). The lists are splits_vinyals/{train,val,test}.txt beside the archives, one
//             ALPHABET/characterNN/rotRRR a line (github.com/jakesnell/prototypical-networks,
//             data/omniglot/splits/vinyals).
//   official  by alphabet: test = the 20 alphabets of images_evaluation (659 characters), train = the first
//   25
//             alphabets by name of images_background (813), validation = its other five, Ojibwe to Tifinagh
//             (151). Nothing is turned. Each alphabet is a domain (datasets/domains.h); no other of these
//             splits but koch has domains, for they mix alphabets.
//   koch      by alphabet and drawer, the numbers of Koch et al. 2015: train = the 30 alphabets of
//             images_background by drawers 1 to 12, validation = the first 10 alphabets by name of
//             images_evaluation by drawers 13 to 16, test = its other 10 by drawers 17 to 20. Which alphabets
//             and drawers theirs were was not published. Nothing is turned. Alphabets are domains here too.
//
// within_alphabet: a task's classes are of one alphabet (of those with as many characters as it has ways,
// each as often as another). common_drawers: a task's k-th image of every class is of the same drawer. Both
// with ways = 20, shots = queries = 1 are the one-shot trials of Lake et al. 2015: twenty characters of an
// alphabet by one drawer, to be found among the same twenty by another; 20 tasks are 400 trials.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/image_settings.h"

namespace innerloop {

inline constexpr char kOmniglotDescription[] = "characters of 50 alphabets, 20 drawings each (own download)";

struct OmniglotSettings {
  std::string path;  // "": the folder omniglot of INNERLOOP_DATA
  std::string splits = "maml";
  bool within_alphabet = false;
  bool common_drawers = false;
  int64_t image_size = 0;  // 0: 28
  std::vector<double> mean{0}, std{1};
};
inline const Keys<OmniglotSettings> kOmniglotKeys{with_pixel_keys<OmniglotSettings>(
    {keys::free(keys::text("path", &OmniglotSettings::path, "a path without #", true, kPathMeaning)),
     keys::choice("splits", &OmniglotSettings::splits, {"maml", "vinyals", "official", "koch"},
                  "whose training, validation and test classes"),
     keys::truth("within_alphabet", &OmniglotSettings::within_alphabet,
                 "a task's classes are of one alphabet"),
     keys::truth("common_drawers", &OmniglotSettings::common_drawers,
                 "a task's k-th image of every class is of the same drawer")})};

std::unique_ptr<Dataset> make_omniglot(const OmniglotSettings& settings);

}  // namespace innerloop
