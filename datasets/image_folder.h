// Few-shot classification over images of your own: mini-ImageNet, tieredImageNet, CIFAR-FS, and photographs
// as people have them.
//
// `path` is a folder or an archive (datasets/archive.h) in one of these layouts:
//   splits   SPLIT/CLASS/.../*.png; SPLIT is train, val (valid, validation) or test, in capitals or not. If
//            no image lies in a class folder, SPLIT/CLASS_001.png. Images outside the splits are ignored.
//   lists    images anywhere in it, and train.csv, val.csv and test.csv with the columns filename and label,
//            in it or beside it (datasets/image_lists.h). Rows whose image is absent are counted in
//            spec().protocol; a class keeps the images that are there, and check() refuses it when they are
//            too few.
//   classes  CLASS/.../*.png or, without folders, CLASS_001.png: `split` shares the classes out.
// Folders around all of them are passed over. A folder without images but with one archive stands for the
// archive. Images: PNG, JPEG, WebP, BMP, TIFF (datasets/image_decode.h); other files are ignored. What is
// ignored, or a link that is not followed, is named in spec().protocol, the first few and their number.
//
// Pixels: red, green and blue, or one channel if all images are grey. With image_size = N all images become
// N x N by Lanczos; with 0 images that all have one size keep it, others become 84 x 84. In memory one byte
// per channel and pixel: 1.27 GB for mini-ImageNet's 60,000 images.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "datasets/class_split.h"
#include "datasets/dataset.h"
#include "datasets/image_settings.h"

namespace innerloop {

inline constexpr char kImageFolderDescription[] =
    "images in class folders, or with CSV splits (mini-ImageNet, tieredImageNet, CIFAR-FS; own download)";

struct ImageFolderConfig {
  std::string path;        // folder or archive, also looked for under the folder INNERLOOP_DATA
  int64_t image_size = 0;  // pixels a side; 0 = as they are, or 84 if they have several sizes
  // Pixels p in [0, 1] enter as (p - mean) / std; one number, or one per channel.
  std::vector<double> mean{0}, std{1};
  // How an image becomes a square: "stretch", whatever its aspect, as MAML's script makes mini-ImageNet; or
  // "center": its shorter side is made to fit, and the middle is cut out.
  std::string crop = "stretch";
  bool exif = true;             // images are turned upright as the orientation in their Exif data says
  bool skip_damaged = false;    // images that cannot be read are left out and named, instead of an Error
  ClassSplit split;             // of the classes, for data without splits; unused otherwise
  bool shared_classes = false;  // a class may stand in several splits, with other images in each
};

const Keys<ImageFolderConfig>& image_folder_keys();

// UsageError for settings that cannot be; Error for data that are missing, damaged or of no known layout, for
// one file under two names (by links), and for a class in two splits unless shared_classes.
std::unique_ptr<Dataset> make_image_folder(const ImageFolderConfig& config);

}  // namespace innerloop
